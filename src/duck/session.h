/* One connection to an engine, and the statements that it runs.
 *
 * A pt_session belongs to one thread at a time, except for pt_session_interrupt. */
#pragma once

#include <duckdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "duck/engine.h"

typedef struct pt_result pt_result; /* duck/result.h */

#define PT_UUID_SIZE 37 /* of a UUID as text, with the NUL; duck/uuid.h makes them */

int pt_session_open(pt_engine *engine, pt_session **out, pt_error *err) PT_CHECKED;
void pt_session_close(pt_session **session);
duckdb_connection pt_session_connection(pt_session *session);
pt_engine *pt_session_engine(const pt_session *session);
const char *pt_session_alias(const pt_session *session); /* of the attached lake */
void pt_session_interrupt(pt_session *session);          /* any thread */

/* ---- statements with values ---- */

typedef enum pt_value_kind {
    PT_VALUE_NULL,
    PT_VALUE_BOOL,
    PT_VALUE_INT,
    PT_VALUE_REAL,
    PT_VALUE_TEXT,
    PT_VALUE_BLOB
} pt_value_kind;

/* A value for a ? of a statement. It points to its bytes and does not copy them. */
typedef struct pt_value {
    pt_value_kind kind;
    union {
        bool truth;
        int64_t integer;
        double real;
        struct {
            const void *at;
            size_t n;
        } bytes;
    };
} pt_value;

typedef struct pt_params {
    const pt_value *at;
    size_t n;
} pt_params;

/* The values of a statement, in the order of their ?. A value of another type does not compile. */
#define PT_VALUES(...)                            \
    ((pt_params){(const pt_value[]){__VA_ARGS__}, \
                 sizeof((const pt_value[]){__VA_ARGS__}) / sizeof(pt_value)})
#define PT_NO_VALUES ((pt_params){NULL, 0})

pt_value pt_null(void);
pt_value pt_bool(bool value);
pt_value pt_int(int64_t value);
pt_value pt_real(double value);
pt_value pt_str(const char *text);             /* NULL: SQL NULL */
pt_value pt_str_n(const char *text, size_t n); /* may hold NUL bytes; NULL: SQL NULL */
pt_value pt_blob(const void *bytes, size_t n); /* NULL: SQL NULL */

/* Runs one statement. Each value takes the place of a ? (or of $1, $2, ..., which may come twice).
 * Outside of quotes @lake stands for the name of the attached lake and @meta for the name of the
 * database that holds its metadata, each as SQL quotes it; so no statement needs its text put
 * together for a value or for the lake.
 *
 * out: NULL, or takes all rows as text (pt_result_clear). On failure the code says what to do next,
 * and err->reason what steers (duck/failure.h). Errors of an encrypted lake cite no value.
 * PT_E_INTERNAL: the values are not as many as the parameters of the statement. PT_E_DATA: a text
 * is not UTF-8. */
int pt_session_exec(pt_session *session, pt_result *out, pt_error *err, const char *sql,
                    pt_params values) PT_CHECKED;
/* The same for one value: first row, first column. *out: malloc'd text, NULL for SQL NULL or no
 * row; or a number, 0 for SQL NULL or no row. */
int pt_session_exec_text(pt_session *session, char **out, pt_error *err, const char *sql,
                         pt_params values) PT_CHECKED;
int pt_session_exec_int(pt_session *session, int64_t *out, pt_error *err, const char *sql,
                        pt_params values) PT_CHECKED;

/* ---- statements whose text is all there is ---- */

/* Runs the statements of sql; results are dropped. On failure the code tells how to go on
 * (duck/failure.h). */
int pt_session_run(pt_session *session, const char *sql, pt_error *err) PT_CHECKED;
int pt_session_runf(pt_session *session, pt_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4))) PT_CHECKED;

/* Runs one statement and keeps its result, which the caller ends with duckdb_destroy_result. Values
 * come by pt_cell_*. */
int pt_session_query(pt_session *session, const char *sql, duckdb_result *out,
                     pt_error *err) PT_CHECKED;
