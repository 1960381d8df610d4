#include "duck/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* *out: NULL for SQL NULL. false: no memory, which must not look like a NULL. */
static bool cell_text(duckdb_vector vector, idx_t row, char **out) {
    uint64_t *validity = duckdb_vector_get_validity(vector);
    *out = NULL;
    if (validity && !duckdb_validity_row_is_valid(validity, row)) {
        return true;
    }
    duckdb_string_t *s = &((duckdb_string_t *)duckdb_vector_get_data(vector))[row];
    *out = strndup(duckdb_string_t_data(s), duckdb_string_t_length(*s));
    return *out != NULL;
}

/* Every column cast to VARCHAR by DuckDB itself, so that each type has its usual text. */
static int wrap(const char *sql, char **out, pt_error *err) {
    if (asprintf(out, "SELECT COLUMNS(*)::VARCHAR FROM (%s)", sql) < 0) {
        *out = NULL;
        return pt_fail_nomem(err, "a statement");
    }
    return PT_OK;
}

static int add_chunk(pt_result *table, duckdb_data_chunk chunk, pt_error *err) {
    idx_t n = duckdb_data_chunk_get_size(chunk);
    size_t n_cells = (table->n_rows + n) * table->n_columns;
    char **cells = realloc(table->cells, n_cells * sizeof *cells + 1);
    if (!cells) {
        return pt_fail_nomem(err, "a result");
    }
    table->cells = cells;
    bool complete = true;
    for (idx_t r = 0; r < n; r++) {
        for (idx_t c = 0; c < table->n_columns; c++) {
            complete &= cell_text(duckdb_data_chunk_get_vector(chunk, c), r,
                                  &cells[(table->n_rows + r) * table->n_columns + c]);
        }
    }
    table->n_rows += n;
    return complete ? PT_OK : pt_fail_nomem(err, "a result");
}

int pt_result_take(duckdb_result *from, pt_result *out, pt_error *err) {
    *out = (pt_result){.n_columns = duckdb_column_count(from)};
    out->names = calloc(out->n_columns + 1, sizeof *out->names);
    bool named = out->names != NULL;
    for (size_t i = 0; named && i < out->n_columns; i++) {
        out->names[i] = strdup(duckdb_column_name(from, i));
        named &= out->names[i] != NULL;
    }
    int code = named ? PT_OK : pt_fail_nomem(err, "a result");
    duckdb_data_chunk chunk;
    while (code == PT_OK && (chunk = duckdb_fetch_chunk(*from)) != NULL) {
        code = add_chunk(out, chunk, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    if (code != PT_OK) {
        pt_result_clear(out);
    }
    return code;
}

int pt_session_result(pt_session *session, const char *sql, pt_result *out, pt_error *err) {
    *out = (pt_result){0};
    char *wrapped;
    duckdb_result result;
    PT_TRY(wrap(sql, &wrapped, err));
    int code = pt_session_query(session, wrapped, &result, err);
    free(wrapped);
    if (code != PT_OK) {
        return code;
    }
    code = pt_result_take(&result, out, err);
    duckdb_destroy_result(&result);
    return code;
}

const char *pt_result_cell(const pt_result *table, size_t row, size_t column) {
    return table->cells[row * table->n_columns + column];
}

int64_t pt_result_int(const pt_result *table, size_t row, size_t column) {
    const char *cell = pt_result_cell(table, row, column);
    return cell ? strtoll(cell, NULL, 10) : 0;
}

void pt_result_clear(pt_result *table) {
    for (size_t i = 0; i < table->n_rows * table->n_columns; i++) {
        free(table->cells[i]);
    }
    for (size_t i = 0; table->names && i < table->n_columns; i++) {
        free(table->names[i]);
    }
    free(table->cells);
    free(table->names);
    *table = (pt_result){0};
}

int pt_session_text(pt_session *session, const char *sql, char **out, pt_error *err) {
    pt_result table;
    *out = NULL;
    PT_TRY(pt_session_result(session, sql, &table, err));
    if (table.n_rows && pt_result_cell(&table, 0, 0)) {
        *out = table.cells[0];
        table.cells[0] = NULL;
    }
    pt_result_clear(&table);
    return PT_OK;
}

int pt_session_int(pt_session *session, const char *sql, int64_t *out, pt_error *err) {
    char *text;
    PT_TRY(pt_session_text(session, sql, &text, err));
    *out = text ? strtoll(text, NULL, 10) : 0;
    free(text);
    return PT_OK;
}

/* ---- statements that were put together ---- */

int pt_statement_run(pt_session *session, pt_text *sql, pt_error *err) {
    int code = pt_text_check(sql, err);
    if (code == PT_OK) {
        code = pt_session_run(session, pt_text_get(sql), err);
    }
    pt_text_free(sql);
    return code;
}

int pt_statement_int(pt_session *session, pt_text *sql, int64_t *out, pt_error *err) {
    int code = pt_text_check(sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(sql), out, err);
    }
    pt_text_free(sql);
    return code;
}

int pt_statement_result(pt_session *session, pt_text *sql, pt_result *out, pt_error *err) {
    *out = (pt_result){0};
    int code = pt_text_check(sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(sql), out, err);
    }
    pt_text_free(sql);
    return code;
}
