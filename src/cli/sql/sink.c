#include "cli/sql/sink.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PT_ROWS_FORMAT "__pintail_sql_rows"
/* DuckDB looks whether the file is there, and removes it after an error: one that cannot be. */
#define PT_NO_FILE "/dev/null/pintail"

struct pt_sql_sink {
    duckdb_connection connection;
    pt_sql_sink_chunk chunk; /* NULL between two statements */
    void *context;
    bool begun;
    int code;
    pt_error *err;
};

static void bind(duckdb_copy_function_bind_info info) {
    pt_sql_sink *sink = duckdb_copy_function_bind_get_extra_info(info);
    if (!sink->chunk) {
        duckdb_copy_function_bind_set_error(info, "this format is pintail's own");
        return;
    }
    sink->begun = true;
}

static void take(duckdb_copy_function_sink_info info, duckdb_data_chunk chunk) {
    pt_sql_sink *sink = duckdb_copy_function_sink_get_extra_info(info);
    if (sink->code == PT_OK) {
        sink->code = sink->chunk(sink->context, chunk, sink->err);
    }
    if (sink->code != PT_OK) {
        duckdb_copy_function_sink_set_error(info, "the rows were not taken");
    }
}

int pt_sql_sink_open(duckdb_connection connection, pt_sql_sink **out, pt_error *err) {
    pt_sql_sink *sink = calloc(1, sizeof *sink);
    *out = sink;
    if (!sink) {
        return pt_fail_nomem(err, "results");
    }
    sink->connection = connection;
    duckdb_copy_function function = duckdb_create_copy_function();
    duckdb_copy_function_set_name(function, PT_ROWS_FORMAT);
    duckdb_copy_function_set_extra_info(function, sink, NULL);
    duckdb_copy_function_set_bind(function, bind);
    duckdb_copy_function_set_sink(function, take);
    duckdb_state state = duckdb_register_copy_function(connection, function);
    duckdb_destroy_copy_function(&function);
    if (state != DuckDBSuccess) {
        pt_sql_sink_free(out);
        return pt_fail(err, PT_E_INTERNAL, "DuckDB refused the format %s", PT_ROWS_FORMAT);
    }
    return PT_OK;
}

void pt_sql_sink_free(pt_sql_sink **sink) {
    free(*sink);
    *sink = NULL;
}

pt_sql_sunk pt_sql_sink_run(pt_sql_sink *sink, const char *sql, pt_sql_sink_chunk chunk,
                            void *context, duckdb_result *result, int *code, pt_error *err) {
    pt_text copy = {0};
    memset(result, 0, sizeof *result);
    pt_text_addf(&copy,
                 "COPY (%s\n) TO '" PT_NO_FILE "' (FORMAT " PT_ROWS_FORMAT ", USE_TMP_FILE false)",
                 sql); /* the statement may end with a comment */
    *code = pt_text_check(&copy, err);
    if (*code != PT_OK) {
        return PT_SQL_SUNK;
    }
    sink->chunk = chunk;
    sink->context = context;
    sink->begun = false;
    sink->code = PT_OK;
    sink->err = err;
    bool failed = duckdb_query(sink->connection, pt_text_get(&copy), result) == DuckDBError;
    sink->chunk = NULL;
    pt_text_free(&copy);
    *code = sink->code;
    if (*code != PT_OK || !failed) {
        return PT_SQL_SUNK;
    }
    return sink->begun ? PT_SQL_SUNK_ERROR : PT_SQL_NOT_SUNK;
}
