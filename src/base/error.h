/* Errors: a function that can fail returns an int (PT_OK or a pt_code) and fills a caller-owned
 * pt_error.
 *
 * The text says what failed, on what, why, and what to do; it is one line and carries no secret. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

typedef enum pt_code {
    PT_OK = 0,
    PT_E_USAGE,      /* wrong command line or configuration: exit code 2 */
    PT_E_NOMEM,      /* an allocation failed */
    PT_E_IO,         /* a local file or folder */
    PT_E_KAFKA,      /* the broker, or what it holds */
    PT_E_KAFKA_DOWN, /* no broker answers */
    PT_E_SOURCE,  /* the broker has not what comes next for us: topic deleted, made anew, or cut by
                     retention while we read */
    PT_E_REWOUND, /* the broker's log is not the one that we have read from: what is not committed
                     counts for nothing */
    PT_E_DATA,    /* a record or a value that cannot be taken */
    PT_E_LAKE,    /* catalog or data path: permanent */
    PT_E_LAKE_BUSY, /* conflict or lock: nothing was committed, the same transaction may be tried
                       again */
    PT_E_LAKE_DOWN, /* catalog, object store or disk out of reach or full; a COMMIT that ends so has
                       an unknown outcome */
    PT_E_REFUSED,   /* the lake refuses a record; all before it is committed, and the life that
                       follows makes it a dead letter */
    PT_E_LAKE_CHANGED, /* the lake is not as this life in the group knows it: nothing was committed,
                          and another life begins from what it is now */
    PT_E_FENCED,       /* another process has taken over */
    PT_E_INTERRUPTED,  /* a signal or a deadline ended the work */
    PT_E_READER_GONE,  /* whoever read standard output has closed it (| head): exit code 141 without
                          a word, as of a program that SIGPIPE ends */
    PT_E_RESTART,      /* this process cannot go on, another one can: DuckDB gave itself up */
    PT_E_INTERNAL      /* a broken invariant of pintail's own */
} pt_code;

#define PT_ERROR_TEXT 1024

typedef struct pt_error {
    pt_code code;
    char text[PT_ERROR_TEXT];
} pt_error;

#define PT_CHECKED __attribute__((warn_unused_result))

/* Fills *err (which may be NULL) and returns code. A newline in the text becomes a space. */
int pt_fail(pt_error *err, pt_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int pt_failv(pt_error *err, pt_code code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Puts "<text>: " before the text that is already there; returns the code that is there. */
int pt_fail_in(pt_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

int pt_fail_nomem(pt_error *err, const char *what);

#define PT_EXIT_AGAIN 3

/* Exit code of the process: 0, 1, 2, or 3 for what trying again can mend (out of reach, busy); 141
 * for PT_E_READER_GONE. */
int pt_exit_code(int code);

#define PT_TRY(expression)               \
    do {                                 \
        int pt_try_code_ = (expression); \
        if (pt_try_code_ != PT_OK) {     \
            return pt_try_code_;         \
        }                                \
    } while (0)
