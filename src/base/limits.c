#include "base/limits.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#define FILES_LEAST  64   /* libraries, a catalog, some brokers, a few data files */
#define FILES_WANTED 4096 /* a broker takes two connections, a scan a file for each thread */
/* Of address space: libraries and stacks take some hundred MiB of it. */
#define MEMORY_LEAST   ((rlim_t)1 << 30)
#define STACK_LEAST    ((rlim_t)1 << 20)
#define THREADS_PROBED 16

static int check_files(pt_error *err) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return PT_OK;
    }
    if (files.rlim_cur < FILES_WANTED && files.rlim_cur < files.rlim_max) {
        struct rlimit more = files;
        more.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
        files = setrlimit(RLIMIT_NOFILE, &more) == 0 ? more : files;
    }
    if (files.rlim_cur < FILES_LEAST) {
        return pt_fail(err, PT_E_USAGE,
                       "the limit of open files is %llu, at least %d are needed: ulimit -n 1024 "
                       "(LimitNOFILE= in a unit of systemd)",
                       (unsigned long long)files.rlim_cur, FILES_LEAST);
    }
    return PT_OK;
}

static int check_bytes(__rlimit_resource_t resource, rlim_t least, const char *what,
                       const char *remedy, pt_error *err) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < least) {
        return pt_fail(err, PT_E_USAGE, "the limit of %s is %llu KiB, at least %llu are needed: %s",
                       what, (unsigned long long)limit.rlim_cur / 1024,
                       (unsigned long long)least / 1024, remedy);
    }
    return PT_OK;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *pass_gate(void *arg) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

/* How many there may be depends on what else the user runs (ulimit -u) and on the control group. */
static int probe_threads(pt_error *err) {
    pthread_t threads[THREADS_PROBED];
    size_t n = 0;
    int why = 0;
    pthread_mutex_lock(&gate);
    while (n < THREADS_PROBED && (why = pthread_create(&threads[n], NULL, pass_gate, NULL)) == 0) {
        n++;
    }
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (why) {
        return pt_fail(err, PT_E_USAGE,
                       "no more than %zu threads can be started, %d are needed: %s; look at ulimit "
                       "-u (TasksMax= in a unit of systemd)",
                       n, THREADS_PROBED, strerror(why));
    }
    return PT_OK;
}

int pt_limits_check(pt_error *err) {
    PT_TRY(check_files(err));
    PT_TRY(check_bytes(RLIMIT_AS, MEMORY_LEAST, "address space",
                       "ulimit -v unlimited (LimitAS=; MemoryMax= and --memory bound memory)",
                       err));
    PT_TRY(check_bytes(RLIMIT_DATA, MEMORY_LEAST, "data",
                       "ulimit -d unlimited (LimitDATA=; MemoryMax= and --memory bound memory)",
                       err));
    PT_TRY(check_bytes(RLIMIT_STACK, STACK_LEAST, "a stack", "ulimit -s 8192 (LimitSTACK=)", err));
    return probe_threads(err);
}
