/* Small results, every value as text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "duck/session.h"

/* One value: first row, first column, as text (malloc'd; NULL for SQL NULL or no row). */
int pt_session_text(pt_session *session, const char *sql, char **out, pt_error *err) PT_CHECKED;
int pt_session_int(pt_session *session, const char *sql, int64_t *out, pt_error *err) PT_CHECKED;

/* A materialised result, every cell as text; for small results. */
struct pt_result {
    size_t n_rows, n_columns;
    char **names; /* n_columns */
    char **cells; /* row-major; NULL is SQL NULL */
};
int pt_session_result(pt_session *session, const char *sql, pt_result *out,
                      pt_error *err) PT_CHECKED;
/* The same, and pt_session_run, of a statement that was put together; frees *sql whatever comes of
 * it. */
int pt_statement_run(pt_session *session, pt_text *sql, pt_error *err) PT_CHECKED;
int pt_statement_int(pt_session *session, pt_text *sql, int64_t *out, pt_error *err) PT_CHECKED;
int pt_statement_result(pt_session *session, pt_text *sql, pt_result *out,
                        pt_error *err) PT_CHECKED;

/* Takes the rows of *from, all of whose columns are VARCHAR; *from stays the caller's. */
int pt_result_take(duckdb_result *from, pt_result *out, pt_error *err) PT_CHECKED;

const char *pt_result_cell(const pt_result *table, size_t row, size_t column);
int64_t pt_result_int(const pt_result *table, size_t row, size_t column); /* 0 for NULL */
void pt_result_clear(pt_result *table);
