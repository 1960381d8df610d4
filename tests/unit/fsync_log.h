/* Which files and folders fsync was called for, in order: this program's fsync stands before
 * libc's, also for DuckDB and its extensions. Include it in one source of a test program. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FSYNC_LOG_MAX 1000

static pthread_mutex_t fsync_lock = PTHREAD_MUTEX_INITIALIZER;
static char fsync_log[FSYNC_LOG_MAX][512];
static size_t n_fsyncs;

int fsync(int fd) {
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&fsync_lock);
    if (n_fsyncs < FSYNC_LOG_MAX) {
        ssize_t n = readlink(link, fsync_log[n_fsyncs], sizeof fsync_log[0] - 1);
        fsync_log[n_fsyncs++][n > 0 ? n : 0] = '\0';
    }
    pthread_mutex_unlock(&fsync_lock);
    return (int)syscall(SYS_fsync, fd);
}

/* The first call for the path from call number `from` on; FSYNC_LOG_MAX: none. */
static size_t fsynced(const char *path, size_t from) {
    size_t n = strlen(path);
    n -= n > 1 && path[n - 1] == '/';
    pthread_mutex_lock(&fsync_lock);
    size_t i = from;
    while (i < n_fsyncs && !(strlen(fsync_log[i]) == n && strncmp(fsync_log[i], path, n) == 0)) {
        i++;
    }
    bool found = i < n_fsyncs;
    pthread_mutex_unlock(&fsync_lock);
    return found ? i : FSYNC_LOG_MAX;
}
