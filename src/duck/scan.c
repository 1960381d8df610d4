#include "duck/scan.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "duck/failure.h"
#include "duck/session.h"

#define MANY 1024 /* more threads than an engine has */

typedef struct scan_source {
    pt_rows *rows;
    const pt_type *types;
    const char *const *names;
    const pt_dictionaries *dictionaries; /* NULL: none */
} scan_source;

struct pt_scan {
    scan_source slots[PT_SCAN_SLOTS];
};

/* Of the ENUM that has the values of a column's dictionary; else of the column itself. */
static duckdb_logical_type type_of(const scan_source *source, size_t column) {
    size_t n = 0;
    const char *const *values = source->dictionaries
                                    ? pt_dictionary_values(source->dictionaries, column, &n)
                                    : NULL;
    return values ? duckdb_create_enum_type((const char **)(uintptr_t)values, n)
                  : pt_type_logical(&source->types[column]);
}

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
        duckdb_logical_type type = type_of(source, i);
        if (!type) { /* DuckDB would leave the column out without a word */
            duckdb_bind_set_error(info, "out of memory");
            free(source);
            return;
        }
        duckdb_bind_add_result_column(info, source->names[i], type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_bind_set_cardinality(info, pt_rows_ready(source->rows, NULL) * duckdb_vector_size(),
                                false);
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

static bool is_coded(const scan_source *source, size_t column) {
    size_t n;
    return source->dictionaries && pt_dictionary_values(source->dictionaries, column, &n);
}

/* Column c of chunk i as codes. */
static bool show_codes(const scan_source *source, size_t c, size_t i, duckdb_data_chunk chunk,
                       duckdb_vector to) {
    duckdb_logical_type type = duckdb_vector_get_column_type(to);
    size_t width = duckdb_enum_internal_type(type) == DUCKDB_TYPE_UTINYINT ? sizeof(uint8_t)
                                                                           : sizeof(uint16_t);
    duckdb_destroy_logical_type(&type);
    const uint64_t *validity = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(chunk, c));
    if (validity) {
        duckdb_vector_ensure_validity_writable(to);
        memcpy(duckdb_vector_get_validity(to), validity,
               (duckdb_data_chunk_get_size(chunk) + 63) / 64 * sizeof *validity);
    }
    return pt_dictionary_codes(source->dictionaries, c, i, chunk, width,
                               duckdb_vector_get_data(to));
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
        duckdb_vector to = duckdb_data_chunk_get_vector(output, c);
        if (!is_coded(source, c)) {
            duckdb_vector_reference_vector(to, duckdb_data_chunk_get_vector(chunk, c));
        } else if (!show_codes(source, c, i, chunk, to)) {
            duckdb_function_set_error(info, PT_FAILURE_NEW_VALUE);
            return;
        }
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

void pt_scan_show(pt_scan *scan, size_t slot, pt_rows *rows, const pt_type *types,
                  const char *const *names) {
    pt_scan_show_coded(scan, slot, rows, types, names, NULL);
}

void pt_scan_show_coded(pt_scan *scan, size_t slot, pt_rows *rows, const pt_type *types,
                        const char *const *names, const pt_dictionaries *dictionaries) {
    scan->slots[slot] = (scan_source){rows, types, names, dictionaries};
}
