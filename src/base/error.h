/* Errors: a function that can fail returns an int (PT_OK or a pt_code) and fills a caller-owned
 * pt_error.
 *
 * The text says what failed, on what, why, and what to do; it is one line and carries no secret.
 * The code says what the caller does next, a reason says what it does beside that. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum pt_code {
    PT_OK = 0,
    PT_E_USAGE,      /* wrong command line or configuration: exit code 2 */
    PT_E_NOMEM,      /* an allocation failed */
    PT_E_IO,         /* a local file or folder */
    PT_E_KAFKA,      /* the broker, or what it holds */
    PT_E_KAFKA_DOWN, /* no broker answers */
    PT_E_SOURCE,  /* the broker does not have the record that comes next: somebody deleted the topic
                     (and may have made another one of that name), or retention cut it */
    PT_E_REWOUND, /* the broker's log is not the one that we have read from: drop what is not
                     committed */
    PT_E_DATA,    /* we cannot take a record or a value */
    PT_E_NOT_NOW, /* what a record needs to be decoded is away: the same call may succeed later */
    PT_E_LAKE,    /* catalog or data path: permanent */
    PT_E_LAKE_BUSY, /* conflict or lock: nothing was committed, the same transaction may be tried
                       again */
    PT_E_LAKE_DOWN, /* catalog, object store or disk out of reach or full; a COMMIT that ends so has
                       an unknown outcome */
    PT_E_REFUSED, /* the lake refuses a record. All before it is committed; the member that follows
                     makes it a dead letter */
    PT_E_LAKE_CHANGED, /* the lake is not as this member knows it. Nothing was committed; another
                          member reads the lake and continues from there */
    PT_E_FENCED,       /* another process has taken over */
    PT_E_INTERRUPTED,  /* a signal or a deadline ended the work */
    PT_E_READER_GONE,  /* whoever read standard output has closed it (| head): exit code 141 without
                          a word, as of a program that SIGPIPE ends */
    PT_E_RESTART,      /* this process cannot go on, another one can: DuckDB gave itself up */
    PT_E_INTERNAL      /* a broken invariant of pintail's own */
} pt_code;

/* What steers, where the code alone does not. Nobody reads the text of an error to decide. Several
 * may hold for one error. */
typedef enum pt_reason {
    PT_WHY_NONE = 0,
    PT_WHY_OUTCOME_UNKNOWN = 1 << 0, /* a COMMIT failed, and its transaction may have landed */
    PT_WHY_COMMIT_SENT = 1 << 1,     /* the catalog had the COMMIT when it failed */
    PT_WHY_ENGINE_INVALID = 1 << 2,  /* DuckDB gave itself up; another engine can do it */
    PT_WHY_NO_LAKE = 1 << 3,         /* there is a catalog without a DuckLake, or no file at all */
    PT_WHY_NO_CATALOG_FILE = 1 << 4, /* the second of these */
    PT_WHY_NO_DATA_PATH = 1 << 5,    /* the lake is new and nobody says where its files go */
    PT_WHY_OTHER_DATA_PATH = 1 << 6, /* the lake has another data path than we were given */
    PT_WHY_OTHER_VERSION = 1 << 7,   /* the lake is of another version of DuckLake */
    PT_WHY_CATALOG_RACED = 1 << 8,   /* another process may be making the catalog: try again */
    PT_WHY_CATALOG_HELD = 1 << 9,    /* another process has the catalog's file open */
    PT_WHY_NEW_VALUE = 1 << 10,      /* a dictionary has no code for a value that came later */
    PT_WHY_MEMORY_LIMIT = 1 << 11,   /* DuckDB's memory_limit is too low */
    PT_WHY_BAD_DEFAULT = 1 << 13,    /* a DEFAULT cannot be evaluated */
    PT_WHY_NO_FILE = 1 << 14,        /* a local file is not there */
    PT_WHY_NO_OBJECT = 1 << 15,      /* an object on an object store is not there */
    PT_WHY_IN_TRANSACTION = 1 << 16, /* BEGIN, where a transaction is open */
    PT_WHY_NO_RECORD = 1 << 17 /* no record is to blame: something is not there or not allowed */
} pt_reason;

#define PT_ERROR_TEXT 1024

typedef struct pt_error {
    pt_code code;
    unsigned why; /* pt_reasons, by pt_error_is */
    char text[PT_ERROR_TEXT];
} pt_error;

#define PT_CHECKED __attribute__((warn_unused_result))

/* Fills *err (which may be NULL) and returns code; no reason is left. A newline in the text becomes
 * a space. */
int pt_fail(pt_error *err, pt_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int pt_failv(pt_error *err, pt_code code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* The same with a reason. */
int pt_fail_why(pt_error *err, pt_code code, unsigned reasons, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "<text>: " before the text that is already there; keeps the reasons, returns the code that
 * is there. */
int pt_fail_in(pt_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a reason (or several, by |) to an error; err may be NULL. */
void pt_error_because(pt_error *err, unsigned reasons);

/* Whether the error has this reason, or one of several. err was filled by what failed. */
bool pt_error_is(const pt_error *err, unsigned reasons);

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
