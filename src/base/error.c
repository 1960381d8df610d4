#include "base/error.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void one_line(char *text) {
    for (char *p = text; *p; p++) {
        if (*p == '\n' || *p == '\r') {
            *p = ' ';
        }
    }
}

int pt_failv(pt_error *err, pt_code code, const char *format, va_list args) {
    if (err) {
        err->code = code;
        err->why = PT_WHY_NONE;
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        one_line(err->text);
    }
    return (int)code;
}

int pt_fail(pt_error *err, pt_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pt_failv(err, code, format, args);
    va_end(args);
    return (int)code;
}

int pt_fail_why(pt_error *err, pt_code code, unsigned reasons, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pt_failv(err, code, format, args);
    va_end(args);
    pt_error_because(err, reasons);
    return (int)code;
}

int pt_fail_in(pt_error *err, const char *format, ...) {
    if (!err) {
        return PT_E_INTERNAL;
    }
    char was[sizeof err->text]; /* no allocation: memory may be what is missing */
    memcpy(was, err->text, sizeof was);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n + 3 < sizeof err->text) {
        size_t at = (size_t)n;
        err->text[at++] = ':';
        err->text[at++] = ' ';
        size_t rest = strnlen(was, sizeof err->text - at - 1);
        memcpy(err->text + at, was, rest);
        err->text[at + rest] = '\0';
    }
    one_line(err->text);
    return (int)err->code;
}

void pt_error_because(pt_error *err, unsigned reasons) {
    if (err) {
        err->why |= reasons;
    }
}

bool pt_error_is(const pt_error *err, unsigned reasons) {
    return (err->why & reasons) != 0;
}

int pt_fail_nomem(pt_error *err, const char *what) {
    return pt_fail(err, PT_E_NOMEM,
                   "out of memory for %s; give the process more memory or lower --flush-bytes",
                   what);
}

int pt_exit_code(int code) {
    switch (code) {
    case PT_OK: return 0;
    case PT_E_USAGE: return 2;
    case PT_E_KAFKA_DOWN:
    case PT_E_LAKE_DOWN:
    case PT_E_LAKE_BUSY:
    case PT_E_RESTART:
    case PT_E_LAKE_CHANGED: return PT_EXIT_AGAIN;
    case PT_E_READER_GONE: return 128 + SIGPIPE;
    default: return 1;
    }
}
