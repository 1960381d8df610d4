/* The rows of a SELECT, handed over chunk by chunk while DuckDB makes them, in their order and
 * without keeping them.
 *
 * DuckDB's own streamed results would do, but for a plan with UNION ALL above a join, an aggregate
 * or a sort (table_changes of DuckLake is one): there DuckDB 1.5 waits for the reader of the result
 * before it says that there is one, for ever. So the rows go out the other way: a COPY to a format
 * of pintail's own, whose writer is a callback. */
#pragma once

#include <duckdb.h>
#include <stdbool.h>

#include "base/error.h"

typedef struct pt_sql_sink pt_sql_sink;

/* Called for each chunk, in a thread of DuckDB's but never twice at a time; a failure ends the
 * statement. */
typedef int (*pt_sql_sink_chunk)(void *context, duckdb_data_chunk chunk, pt_error *err);

/* One for a DuckDB; the connection must outlive it. */
int pt_sql_sink_open(duckdb_connection connection, pt_sql_sink **out, pt_error *err) PT_CHECKED;
void pt_sql_sink_free(pt_sql_sink **sink);

typedef enum pt_sql_sunk {
    PT_SQL_SUNK,       /* the code says whether chunk went well */
    PT_SQL_SUNK_ERROR, /* DuckDB's own error, in *result */
    PT_SQL_NOT_SUNK /* DuckDB takes no COPY here (SET enable_external_access = false): nothing was
                       run */
} pt_sql_sunk;

/* sql: one SELECT that binds, without its semicolon. *code, with err: what chunk returned. The
 * caller ends *result with duckdb_destroy_result. */
pt_sql_sunk pt_sql_sink_run(pt_sql_sink *sink, const char *sql, pt_sql_sink_chunk chunk,
                            void *context, duckdb_result *result, int *code, pt_error *err);
