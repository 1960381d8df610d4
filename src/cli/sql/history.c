#include "cli/sql/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/redact.h"

int pt_history_path(pt_text *out, pt_error *err) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    pt_text_clear(out);
    if (state && *state == '/') {
        pt_text_addf(out, "%s/pintail/history", state);
    } else if (home && *home) {
        pt_text_addf(out, "%s/.local/state/pintail/history", home);
    }
    return pt_text_check(out, err);
}

bool pt_history_secret(const char *statement) {
    return pt_sql_is_secret(statement);
}

static int fail(const char *path, pt_error *err) {
    return pt_fail(err, PT_E_IO, "history file %s: %s", path, strerror(errno));
}

static int open_private(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0 && fchmod(fd, 0600) != 0) { /* it may have been made with another mode */
        (void)close(fd);
        return -1;
    }
    return fd;
}

int pt_history_append(const char *path, const char *statement, pt_error *err) {
    pt_text line = {0};
    for (const char *p = statement; *p; p++) {
        if (*p == '\n' || *p == '\\') {
            pt_text_add(&line, *p == '\n' ? "\\n" : "\\\\");
        } else {
            pt_text_add_n(&line, p, 1);
        }
    }
    pt_text_add(&line, "\n");
    int code = pt_text_check(&line, err);
    char *folder = pt_folder_of(path);
    if (code == PT_OK) {
        code = folder ? pt_make_folders(folder, err) : pt_fail_nomem(err, "a path");
    }
    int fd = code == PT_OK ? open_private(path, O_WRONLY | O_CREAT | O_APPEND) : -1;
    if (code == PT_OK &&
        (fd < 0 || write(fd, pt_text_get(&line), line.len) !=
                       (ssize_t)line.len)) { /* one write: whole lines beside other prompts */
        code = fail(path, err);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(folder);
    pt_text_free(&line);
    return code;
}

/* The last max bytes of the file, from the start of a line. */
static int read_tail(int fd, size_t max, pt_text *out, pt_error *err) {
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return pt_fail(err, PT_E_IO, "history file: %s", strerror(errno));
    }
    bool cut = (size_t)st.st_size > max;
    if (cut && lseek(fd, st.st_size - (off_t)max, SEEK_SET) < 0) {
        return pt_fail(err, PT_E_IO, "history file: %s", strerror(errno));
    }
    char buffer[8192];
    ssize_t n;
    bool skipping = cut;
    while (out->len <= max && (n = read(fd, buffer, sizeof buffer)) > 0) {
        char *from = buffer;
        if (skipping) {
            char *end = memchr(buffer, '\n', (size_t)n);
            if (!end) {
                continue;
            }
            from = end + 1;
            skipping = false;
        }
        pt_text_add_n(out, from, (size_t)(buffer + n - from));
    }
    return pt_text_check(out, err);
}

/* The newest lines of the text. */
static const char *newest(const pt_text *text) {
    const char *all = pt_text_get(text);
    const char *p = all + text->len;
    for (size_t lines = 0; p > all; p--) {
        if (p[-1] == '\n' && lines++ == PT_HISTORY_KEPT) {
            break;
        }
    }
    return p;
}

static void unescape(pt_text *out, const char *line, size_t n) {
    pt_text_clear(out);
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\\' && i + 1 < n) {
            i++;
            pt_text_add_n(out, line[i] == 'n' ? "\n" : &line[i], 1);
        } else {
            pt_text_add_n(out, &line[i], 1);
        }
    }
}

/* In place of the long file one with the kept lines only. */
static int shorten(const char *path, const char *kept, pt_error *err) {
    pt_text temporary = {0};
    pt_text_addf(&temporary, "%s.%ld", path, (long)getpid());
    int code = pt_text_check(&temporary, err);
    if (code == PT_OK) {
        int fd = open_private(pt_text_get(&temporary), O_WRONLY | O_CREAT | O_TRUNC);
        bool ok = fd >= 0 && write(fd, kept, strlen(kept)) == (ssize_t)strlen(kept);
        ok = (fd >= 0 && close(fd) == 0) && ok;
        if (!ok || rename(pt_text_get(&temporary), path) != 0) {
            code = fail(path, err);
            (void)unlink(pt_text_get(&temporary));
        }
    }
    pt_text_free(&temporary);
    return code;
}

int pt_history_load(const char *path, void (*add)(void *context, const char *statement),
                    void *context, pt_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? PT_OK : fail(path, err);
    }
    pt_text text = {0};
    pt_text statement = {0};
    struct stat st;
    bool too_long = fstat(fd, &st) == 0 && (size_t)st.st_size > PT_HISTORY_MAX;
    int code = read_tail(fd, PT_HISTORY_MAX / 2, &text, err);
    (void)close(fd);
    const char *kept = newest(&text);
    for (const char *p = kept; code == PT_OK && *p;) {
        size_t n = strcspn(p, "\n");
        unescape(&statement, p, n);
        if (n && !statement.failed) {
            add(context, pt_text_get(&statement));
        }
        p += n + (p[n] == '\n');
    }
    if (code == PT_OK && too_long) {
        code = shorten(path, kept, err);
    }
    pt_text_free(&text);
    pt_text_free(&statement);
    return code;
}
