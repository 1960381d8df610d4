#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *pt_folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return strdup(".");
    }
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int pt_folder_writable(const char *path, pt_error *err) {
    struct stat st;
    if (stat(path, &st) != 0) {
        return pt_fail(err, PT_E_LAKE, "folder %s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        return pt_fail(err, PT_E_LAKE, "%s is a file, a folder is needed", path);
    }
    if (access(path, W_OK | X_OK) != 0) {
        return pt_fail(err, PT_E_LAKE, "folder %s is not writable for this user: %s", path,
                       strerror(errno));
    }
    return PT_OK;
}

/* Rights do not tell it all: root may write in /proc, where no folder can be made. */
static int try_folder(const char *in, pt_error *err) {
    char *path = NULL;
    if (asprintf(&path, "%s/.pintail-XXXXXX", in) < 0) {
        return pt_fail_nomem(err, "a path");
    }
    int code = mkdtemp(path) ? PT_OK
                             : pt_fail(err, PT_E_USAGE, "no folder can be made in %s: %s", in,
                                       strerror(errno));
    if (code == PT_OK) {
        (void)rmdir(path);
    }
    free(path);
    return code;
}

int pt_folder_can_be(const char *path, pt_error *err) {
    char *at = strdup(*path ? path : ".");
    while (at && !pt_path_exists(at)) { /* up to the part that is there */
        size_t n = strlen(at);
        while (n > 1 && at[n - 1] == '/') {
            at[--n] = '\0';
        }
        char *above = pt_folder_of(at);
        free(at);
        at = above;
    }
    int code = at ? pt_folder_writable(at, err) : pt_fail_nomem(err, "a path");
    if (code == PT_OK && !pt_path_exists(path)) {
        code = try_folder(at, err);
    }
    free(at);
    return code;
}

bool pt_path_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

static int sync_failed(const char *path, const char *what, pt_error *err) {
    bool passes = errno == ENOSPC || errno == EDQUOT ||
                  errno == EIO; /* a disk that is full, or away for a while */
    return pt_fail_why(err, passes ? PT_E_LAKE_DOWN : PT_E_IO,
                       errno == ENOENT ? PT_WHY_NO_FILE : PT_WHY_NONE, "%s: %s: %s", path, what,
                       strerror(errno));
}

static int sync_path(const char *path, int flags, pt_error *err) {
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return sync_failed(path, "open for fsync", err);
    }
    int code = fsync(fd) == 0 ? PT_OK : sync_failed(path, "fsync", err);
    (void)close(fd);
    return code;
}

int pt_sync_folder(const char *path, pt_error *err) {
    return sync_path(path, O_RDONLY | O_DIRECTORY, err);
}

int pt_sync_file(const char *path, pt_error *err) {
    PT_TRY(sync_path(path, O_RDONLY, err));
    char *folder = pt_folder_of(path);
    if (!folder) {
        return pt_fail_nomem(err, "a path");
    }
    int code = pt_sync_folder(folder, err);
    free(folder);
    return code;
}

static int copy_bytes(int in, int out) {
    char buffer[1 << 16];
    ssize_t n;
    while ((n = read(in, buffer, sizeof buffer)) > 0) {
        for (ssize_t done = 0, written; done < n; done += written) {
            written = write(out, buffer + done, (size_t)(n - done));
            if (written < 0) {
                return -1;
            }
        }
    }
    return n < 0 ? -1 : 0;
}

int pt_copy_file(const char *from, const char *to, pt_error *err) {
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return sync_failed(from, "open for a copy", err);
    }
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int code = out < 0                    ? sync_failed(to, "open for a copy", err)
               : copy_bytes(in, out) != 0 ? sync_failed(to, "copy", err)
                                          : PT_OK;
    (void)close(in);
    if (out >= 0 && close(out) != 0 && code == PT_OK) {
        code = sync_failed(to, "copy", err);
    }
    return code == PT_OK ? pt_sync_file(to, err) : code;
}

/* A folder that is new is on the disk once its parent is. So is the last one of a path when it is
 * there already: whoever made it may have died before that. A parent that may not be read cannot be
 * synced. */
static int make_folder(const char *path, bool last, pt_error *err) {
    bool made = mkdir(path, 0777) == 0;
    if (!made && errno != EEXIST) {
        return pt_fail(err, PT_E_LAKE, "folder %s cannot be made: %s", path, strerror(errno));
    }
    if (!made && !last) {
        return PT_OK;
    }
    char *parent = pt_folder_of(path);
    int code = !parent                     ? pt_fail_nomem(err, "a path")
               : access(parent, R_OK) == 0 ? pt_sync_folder(parent, err)
                                           : PT_OK;
    free(parent);
    return code;
}

int pt_make_folders(const char *path, pt_error *err) {
    char *copy = strdup(path);
    if (!copy) {
        return pt_fail_nomem(err, "a path");
    }
    int code = PT_OK;
    for (char *p = copy + 1; *copy && code == PT_OK; p++) {
        char was = *p;
        if (was != '/' && was != '\0') {
            continue;
        }
        *p = '\0';
        code = p[-1] == '/' ? PT_OK
                            : make_folder(copy, was == '\0' || p[1 + strspn(p + 1, "/")] == '\0',
                                          err); /* "a//b", "a/" */
        *p = was;
        if (was == '\0') {
            break;
        }
    }
    free(copy);
    return code;
}
