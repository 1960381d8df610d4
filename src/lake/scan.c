#include "lake/scan.h"

#include <stdatomic.h>
#include <stdlib.h>

#define MANY 1024 /* more threads than an engine has */

typedef struct scan_source {
    pt_rows *rows;
    const pt_type *types;
    const char *const *names;
} scan_source;

struct pt_scan {
    scan_source slots[PT_SCAN_SLOTS];
};

/* Bind data: the source as it was when the statement was planned. */
static void bind(duckdb_bind_info info) {
    pt_scan *scan = duckdb_bind_get_extra_info(info);
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    int64_t slot = duckdb_get_int64(parameter);
    duckdb_destroy_value(&parameter);
    if (slot < 0 || slot >= PT_SCAN_SLOTS || !scan->slots[slot].rows) {
        duckdb_bind_set_error(info, "pintail_rows: nothing to show in this slot");
        return;
    }
    scan_source *source = malloc(sizeof *source);
    if (!source) {
        duckdb_bind_set_error(info, "out of memory");
        return;
    }
    *source = scan->slots[slot];
    for (size_t i = 0; i < pt_rows_columns(source->rows); i++) {
        duckdb_logical_type type = pt_type_logical(&source->types[i]);
        if (!type) { /* DuckDB would leave the column out without a word */
            duckdb_bind_set_error(info, "out of memory");
            free(source);
            return;
        }
        duckdb_bind_add_result_column(info, source->names[i], type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_bind_set_cardinality(info, pt_rows_ready(source->rows, NULL) * duckdb_vector_size(), false);
    duckdb_bind_set_bind_data(info, source, free);
}

typedef struct scan_state {
    atomic_size_t next; /* chunk that no thread has taken yet */
} scan_state;

static void init(duckdb_init_info info) {
    const scan_source *source = duckdb_init_get_bind_data(info);
    scan_state *state = malloc(sizeof *state);
    if (!state) {
        duckdb_init_set_error(info, "out of memory");
        return;
    }
    atomic_init(&state->next, 0);
    duckdb_init_set_init_data(info, state, free);
    bool growing = false;
    size_t chunks = pt_rows_ready(source->rows, &growing);
    duckdb_init_set_max_threads(info, growing ? MANY : chunks ? chunks : 1);
}

static void scan_chunk(duckdb_function_info info, duckdb_data_chunk output) {
    const scan_source *source = duckdb_function_get_bind_data(info);
    scan_state *state = duckdb_function_get_init_data(info);
    size_t i = atomic_fetch_add_explicit(&state->next, 1, memory_order_relaxed);
    duckdb_data_chunk chunk = pt_rows_follow(source->rows, i);
    if (!chunk) {
        duckdb_data_chunk_set_size(output, 0);
        return;
    }
    for (size_t c = 0; c < pt_rows_columns(source->rows); c++) {
        duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, c), duckdb_data_chunk_get_vector(chunk, c));
    }
    duckdb_data_chunk_set_size(output, duckdb_data_chunk_get_size(chunk));
}

int pt_scan_new(pt_session *session, pt_scan **out, pt_error *err) {
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return pt_fail_nomem(err, "a table function");
    }
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_table_function_set_name(function, "pintail_rows");
    duckdb_table_function_add_parameter(function, bigint);
    duckdb_table_function_set_extra_info(function, *out, NULL);
    duckdb_table_function_set_bind(function, bind);
    duckdb_table_function_set_init(function, init);
    duckdb_table_function_set_function(function, scan_chunk);
    duckdb_state state = duckdb_register_table_function(pt_session_connection(session), function);
    duckdb_destroy_logical_type(&bigint);
    duckdb_destroy_table_function(&function);
    if (state == DuckDBError) {
        pt_scan_free(out);
        return pt_fail(err, PT_E_INTERNAL, "DuckDB refused the table function pintail_rows");
    }
    return PT_OK;
}

void pt_scan_free(pt_scan **scan) {
    free(*scan);
    *scan = NULL;
}

void pt_scan_show(pt_scan *scan, size_t slot, pt_rows *rows, const pt_type *types, const char *const *names) {
    scan->slots[slot] = (scan_source){rows, types, names};
}
