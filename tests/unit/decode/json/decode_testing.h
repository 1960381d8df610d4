/* What the decoder's tests share: rows read back by DuckDB, which alone judges what is in the
 * vectors. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <duckdb.h>
#include <cmocka.h>

#include "columns/rows.h"
#include "columns/schema.h"
#include "decode/json/json_value.h"

static duckdb_database test_db;
static duckdb_connection test_con;

/* What scan() reads; set by rows_text and friends. */
static const pt_rows *scanned;
static const pt_type *scanned_types;
static size_t scanned_columns;

static inline void scan_bind(duckdb_bind_info info) {
    for (size_t i = 0; i < scanned_columns; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "c%zu", i);
        duckdb_logical_type type = pt_type_logical(&scanned_types[i]);
        duckdb_bind_add_result_column(info, name, type);
        duckdb_destroy_logical_type(&type);
    }
}

static inline void scan_init(duckdb_init_info info) {
    duckdb_init_set_init_data(info, calloc(1, sizeof(size_t)), free);
    duckdb_init_set_max_threads(info, 1);
}

static inline void scan_next(duckdb_function_info info, duckdb_data_chunk out) {
    size_t *next = duckdb_function_get_init_data(info);
    if (*next >= pt_rows_chunks(scanned)) {
        duckdb_data_chunk_set_size(out, 0);
        return;
    }
    duckdb_data_chunk in = pt_rows_chunk(scanned, (*next)++);
    for (idx_t i = 0; i < scanned_columns; i++) {
        duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(out, i),
                                       duckdb_data_chunk_get_vector(in, i));
    }
    duckdb_data_chunk_set_size(out, duckdb_data_chunk_get_size(in));
}

static inline void run_sql(const char *sql) {
    duckdb_result result;
    if (duckdb_query(test_con, sql, &result) != DuckDBSuccess) {
        fail_msg("%s: %s", sql, duckdb_result_error(&result));
    }
    duckdb_destroy_result(&result);
}

static inline int open_duckdb(void **state) {
    (void)state;
    assert_int_equal(duckdb_open(NULL, &test_db), DuckDBSuccess);
    assert_int_equal(duckdb_connect(test_db, &test_con), DuckDBSuccess);
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_table_function_set_name(f, "scan_rows");
    duckdb_table_function_set_bind(f, scan_bind);
    duckdb_table_function_set_init(f, scan_init);
    duckdb_table_function_set_function(f, scan_next);
    assert_int_equal(duckdb_register_table_function(test_con, f), DuckDBSuccess);
    duckdb_destroy_table_function(&f);
    run_sql("SET threads = 1");
    run_sql("SET TimeZone = 'UTC'");
    return 0;
}

static inline int close_duckdb(void **state) {
    (void)state;
    duckdb_disconnect(&test_con);
    duckdb_close(&test_db);
    return 0;
}

/* The only value of the query's result, malloc'd; "NULL" for NULL. */
static inline char *sql_text(const char *sql) {
    duckdb_result result;
    if (duckdb_query(test_con, sql, &result) != DuckDBSuccess) {
        fail_msg("%s: %s", sql, duckdb_result_error(&result));
    }
    char *value = duckdb_value_varchar(&result, 0, 0);
    char *copy = strdup(value ? value : "NULL");
    duckdb_free(value);
    duckdb_destroy_result(&result);
    return copy;
}

/* A schema with a decoder and rows for it. */
typedef struct fixture {
    pt_schema *schema;
    pt_type *types;
    pt_decoder *decoder;
    pt_rows *rows;
    pt_error err;
} fixture;

static inline void fixture_open_wanting(fixture *f, const char *schema, bool want_column) {
    memset(f, 0, sizeof *f);
    if (pt_schema_parse(schema, &f->schema, &f->err) != PT_OK) {
        fail_msg("%s", f->err.text);
    }
    f->types = calloc(f->schema->n_columns, sizeof *f->types);
    assert_non_null(f->types);
    for (size_t i = 0; i < f->schema->n_columns; i++) {
        f->types[i] = f->schema->columns[i].type;
    }
    if (pt_rows_new(f->types, f->schema->n_columns, &f->rows, &f->err) != PT_OK ||
        open_json(f->schema, want_column, &f->decoder, &f->err) != PT_OK) {
        fail_msg("%s", f->err.text);
    }
}

static inline void fixture_open(fixture *f, const char *schema) {
    fixture_open_wanting(f, schema, false);
}

static inline void fixture_close(fixture *f) {
    pt_decoder_close(&f->decoder);
    pt_rows_free(&f->rows);
    pt_schema_free(&f->schema);
    free(f->types);
}

static inline void fixture_scan(const fixture *f) {
    scanned = f->rows;
    scanned_types = f->types;
    scanned_columns = f->schema->n_columns;
}

/* Decodes a record; commits the row when it is good. */
static inline pt_decode_error decode_bytes(fixture *f, const char *json, size_t len) {
    pt_decode_error error = {0};
    if (pt_rows_open(f->rows, &f->err) != PT_OK ||
        decode_value(f->decoder, json, len, f->rows, &error, &f->err) != PT_OK) {
        fail_msg("%s", f->err.text);
    }
    if (error.code == PT_DECODE_OK) {
        pt_rows_commit(f->rows);
    }
    return error;
}

static inline pt_decode_error decode_text(fixture *f, const char *json) {
    return decode_bytes(f, json, strlen(json));
}

/* The last row as DuckDB prints it: the columns' texts with " | " between. */
static inline char *last_row(const fixture *f) {
    fixture_scan(f);
    char *sql = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&sql, &len);
    assert_non_null(out);
    fputs("SELECT last(concat_ws(' | '", out);
    for (size_t i = 0; i < f->schema->n_columns; i++) {
        fprintf(out, ", coalesce(c%zu::VARCHAR, 'NULL')", i);
    }
    fputs(")) FROM scan_rows()", out);
    fclose(out);
    char *text = sql_text(sql);
    free(sql);
    return text;
}

static inline uint64_t random_next(uint64_t *state) {
    *state += 0x9e3779b97f4a7c15U; /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t n) {
    return random_next(state) % n;
}

/* The test's seed: PINTAIL_SEED, or a new one; printed, so that a failure can be played again. */
static inline uint64_t test_seed(const char *name) {
    const char *given = getenv("PINTAIL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0)
                          : ((uint64_t)(uintptr_t)&given ^ (uint64_t)time(NULL)) & 0xFFFFFFFF;
    print_message("%s: replay with PINTAIL_SEED=%llu\n", name, (unsigned long long)seed);
    return seed;
}
