#include "cli/sql/cells.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"

#define PT_ROWS_FUNCTION "__pintail_sql_rows"

struct pt_cells {
    pt_session *session;
    duckdb_connection connection; /* of session */
    duckdb_prepared_statement cast;
    duckdb_logical_type *types; /* of the columns; read by the table function's bind */
    pt_result_column *columns;
    char **names, **type_names;
    size_t n_columns;
    duckdb_data_chunk chunk; /* what the table function hands out; NULL: nothing */
    pt_cell *row;
    char *time_zone, *calendar; /* that the session is set to */
};

/* ---- the table function ---- */

static void bind_rows(duckdb_bind_info info) {
    pt_cells *cells = duckdb_bind_get_extra_info(info);
    if (!cells->types) {
        duckdb_bind_set_error(info, "this function is pintail's own");
        return;
    }
    for (size_t c = 0; c < cells->n_columns; c++) {
        char name[32];
        (void)snprintf(name, sizeof name, "c%zu", c);
        duckdb_bind_add_result_column(info, name, cells->types[c]);
    }
}

static void init_rows(duckdb_init_info info) {
    duckdb_init_set_max_threads(info, 1);
}

static void give_rows(duckdb_function_info info, duckdb_data_chunk output) {
    pt_cells *cells = duckdb_function_get_extra_info(info);
    if (!cells->chunk) {
        duckdb_data_chunk_set_size(output, 0);
        return;
    }
    for (size_t c = 0; c < cells->n_columns; c++) {
        duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, c),
                                       duckdb_data_chunk_get_vector(cells->chunk, c));
    }
    duckdb_data_chunk_set_size(output, duckdb_data_chunk_get_size(cells->chunk));
    cells->chunk = NULL;
}

static int register_rows(pt_cells *cells, pt_error *err) {
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_table_function_set_name(function, PT_ROWS_FUNCTION);
    duckdb_table_function_set_extra_info(function, cells, NULL);
    duckdb_table_function_set_bind(function, bind_rows);
    duckdb_table_function_set_init(function, init_rows);
    duckdb_table_function_set_function(function, give_rows);
    duckdb_state state = duckdb_register_table_function(cells->connection, function);
    duckdb_destroy_table_function(&function);
    return state == DuckDBSuccess
               ? PT_OK
               : pt_fail(err, PT_E_INTERNAL, "DuckDB refused the table function %s",
                         PT_ROWS_FUNCTION);
}

int pt_cells_open(pt_engine *engine, pt_cells **out, pt_error *err) {
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return pt_fail_nomem(err, "results");
    }
    int code = pt_session_open(engine, &(*out)->session, err);
    if (code == PT_OK) {
        (*out)->connection = pt_session_connection((*out)->session);
        code = register_rows(*out, err);
    }
    if (code != PT_OK) {
        pt_cells_close(out);
    }
    return code;
}

static void clear(pt_cells *cells) {
    if (cells->cast) {
        duckdb_destroy_prepare(&cells->cast);
    }
    for (size_t c = 0; c < cells->n_columns; c++) {
        if (cells->types) {
            duckdb_destroy_logical_type(&cells->types[c]);
        }
        if (cells->names) {
            free(cells->names[c]);
        }
        if (cells->type_names) {
            free(cells->type_names[c]);
        }
    }
    free(cells->types);
    free(cells->names);
    free(cells->type_names);
    free(cells->columns);
    free(cells->row);
    cells->types = NULL;
    cells->names = NULL;
    cells->type_names = NULL;
    cells->columns = NULL;
    cells->row = NULL;
    cells->n_columns = 0;
    cells->chunk = NULL;
}

void pt_cells_close(pt_cells **cells) {
    if (*cells) {
        clear(*cells);
        pt_session_close(&(*cells)->session);
        free((*cells)->time_zone);
        free((*cells)->calendar);
        free(*cells);
        *cells = NULL;
    }
}

/* ---- columns ---- */

static bool is_number(duckdb_type type) {
    switch (type) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_BIGNUM: return true;
    default: return false;
    }
}

static bool is_nested(duckdb_type type) {
    switch (type) {
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_UNION:
    case DUCKDB_TYPE_VARIANT: return true;
    default: return false;
    }
}

/* JSON is a VARCHAR with another name. */
static bool is_json(duckdb_logical_type type) {
    char *alias = duckdb_logical_type_get_alias(type);
    bool json = alias && strcmp(alias, "JSON") == 0;
    duckdb_free(alias);
    return json;
}

/* INTEGER as int32 and so on, as DuckDB's own command line shows types. */
static char *short_type(const char *sql_type) {
    static const char *const names[][2] = {
        {"TINYINT", "int8"},     {"SMALLINT", "int16"},  {"INTEGER", "int32"},
        {"BIGINT", "int64"},     {"HUGEINT", "int128"},  {"UTINYINT", "uint8"},
        {"USMALLINT", "uint16"}, {"UINTEGER", "uint32"}, {"UBIGINT", "uint64"},
        {"UHUGEINT", "uint128"},
    };
    pt_text text = {0};
    size_t n = strcspn(sql_type, "[");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i][0]) == n && strncmp(sql_type, names[i][0], n) == 0) {
            pt_text_addf(&text, "%s%s", names[i][1], sql_type + n);
            return text.data;
        }
    }
    pt_text_add(&text, sql_type);
    bool quoted = false; /* labels and field names keep their case */
    for (size_t i = 0; i < text.len; i++) {
        quoted ^= text.data[i] == '\'' || text.data[i] == '"';
        text.data[i] = quoted ? text.data[i] : (char)tolower((unsigned char)text.data[i]);
    }
    return text.data;
}

static int type_names(pt_cells *cells, pt_error *err) {
    pt_result table;
    PT_TRY(pt_session_result(cells->session, "DESCRIBE SELECT * FROM " PT_ROWS_FUNCTION "()",
                             &table, err));
    int code = table.n_rows == cells->n_columns
                   ? PT_OK
                   : pt_fail(err, PT_E_INTERNAL, "DESCRIBE gave %zu of %zu columns", table.n_rows,
                             cells->n_columns);
    for (size_t c = 0; code == PT_OK && c < cells->n_columns; c++) {
        cells->type_names[c] = short_type(pt_result_cell(&table, c, 1));
        cells->columns[c].type = cells->type_names[c];
        code = cells->type_names[c] ? PT_OK : pt_fail_nomem(err, "a type's name");
    }
    pt_result_clear(&table);
    return code;
}

static char *column_name(const pt_cells_source *source, size_t c) {
    if (source->result) {
        return strdup(duckdb_column_name(source->result, c));
    }
    const char *name = duckdb_prepared_statement_column_name(source->statement, c);
    char *copy = name ? strdup(name) : NULL;
    duckdb_free((void *)(uintptr_t)name);
    return copy;
}

static int set_columns(pt_cells *cells, const pt_cells_source *source, bool with_types,
                       pt_error *err) {
    size_t n = source->result ? duckdb_column_count(source->result)
                              : duckdb_prepared_statement_column_count(source->statement);
    cells->types = calloc(n + 1, sizeof *cells->types);
    cells->names = calloc(n + 1, sizeof *cells->names);
    cells->type_names = calloc(n + 1, sizeof *cells->type_names);
    cells->columns = calloc(n + 1, sizeof *cells->columns);
    cells->row = calloc(n + 1, sizeof *cells->row);
    if (!cells->types || !cells->names || !cells->type_names || !cells->columns || !cells->row) {
        return pt_fail_nomem(err, "the columns of a result");
    }
    cells->n_columns = n;
    for (size_t c = 0; c < n; c++) {
        cells->types[c] = source->result
                              ? duckdb_column_logical_type(source->result, c)
                              : duckdb_prepared_statement_column_logical_type(source->statement, c);
        cells->names[c] = column_name(source, c);
        if (!cells->names[c]) {
            return pt_fail_nomem(err, "the columns of a result");
        }
        duckdb_type type = duckdb_get_type_id(cells->types[c]);
        cells->columns[c] = (pt_result_column){
            .name = cells->names[c],
            .number = is_number(type),
            .raw = is_number(type) || type == DUCKDB_TYPE_BOOLEAN || is_nested(type) ||
                   is_json(cells->types[c]),
        };
    }
    return with_types ? type_names(cells, err) : PT_OK;
}

static int prepare_cast(pt_cells *cells, bool json, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT ");
    for (size_t c = 0; c < cells->n_columns; c++) {
        bool nested = is_nested(duckdb_get_type_id(cells->types[c]));
        pt_text_addf(&sql, "%sCAST(%s(c%zu) AS VARCHAR)", c ? ", " : "",
                     json && nested ? "to_json" : "", c);
    }
    pt_text_add(&sql, " FROM " PT_ROWS_FUNCTION "()");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK &&
        duckdb_prepare(cells->connection, pt_text_get(&sql), &cells->cast) == DuckDBError) {
        code = pt_fail(err, PT_E_INTERNAL, "the result cannot be shown: %s",
                       duckdb_prepare_error(cells->cast));
    }
    pt_text_free(&sql);
    return code;
}

/* A setting of the source's connection that shapes the text of times, taken over when it has
 * changed. */
static void follow_setting(pt_cells *cells, duckdb_client_context context, const char *name,
                           char **known) {
    duckdb_value value = duckdb_client_context_get_config_option(context, name, NULL);
    char *text = value ? duckdb_get_varchar(value) : NULL;
    if (text && (!*known || strcmp(text, *known) != 0)) {
        pt_text sql = {0};
        pt_text_addf(&sql, "SET %s = ", name);
        pt_text_add_sql_string(&sql, text);
        int ignored = pt_session_run(cells->session, pt_text_get(&sql), NULL);
        (void)ignored; /* a locked configuration: times are shown as they were */
        pt_text_free(&sql);
        free(*known);
        *known = strdup(text);
    }
    duckdb_free(text);
    if (value) {
        duckdb_destroy_value(&value);
    }
}

int pt_cells_begin(pt_cells *cells, const pt_cells_source *source, pt_format format,
                   const pt_result_column **columns, size_t *n_columns, pt_error *err) {
    clear(cells);
    duckdb_client_context context;
    duckdb_connection_get_client_context(source->connection, &context);
    follow_setting(cells, context, "TimeZone", &cells->time_zone);
    follow_setting(cells, context, "Calendar", &cells->calendar);
    duckdb_destroy_client_context(&context);
    PT_TRY(set_columns(cells, source, format == PT_FORMAT_BOX, err));
    PT_TRY(prepare_cast(cells, format == PT_FORMAT_JSON, err));
    *columns = cells->columns;
    *n_columns = cells->n_columns;
    return PT_OK;
}

/* ---- rows ---- */

static pt_cell text_cell(duckdb_vector vector, idx_t row) {
    uint64_t *validity = duckdb_vector_get_validity(vector);
    if (validity && !duckdb_validity_row_is_valid(validity, row)) {
        return (pt_cell){0};
    }
    duckdb_string_t *s = &((duckdb_string_t *)duckdb_vector_get_data(vector))[row];
    return (pt_cell){.data = duckdb_string_t_data(s), .len = duckdb_string_t_length(*s)};
}

static int each_row(pt_cells *cells, duckdb_data_chunk texts, pt_cells_row row, void *context,
                    pt_error *err) {
    idx_t n = duckdb_data_chunk_get_size(texts);
    for (idx_t r = 0; r < n; r++) {
        for (size_t c = 0; c < cells->n_columns; c++) {
            cells->row[c] = text_cell(duckdb_data_chunk_get_vector(texts, c), r);
        }
        PT_TRY(row(context, cells->row, err));
    }
    return PT_OK;
}

int pt_cells_each(pt_cells *cells, duckdb_data_chunk chunk, pt_cells_row row, void *context,
                  pt_error *err) {
    duckdb_result result;
    cells->chunk = chunk;
    int code = PT_OK;
    if (duckdb_execute_prepared(cells->cast, &result) == DuckDBError) {
        code = pt_fail(err, PT_E_LAKE, "the result cannot be shown: %s",
                       duckdb_result_error(&result));
    }
    cells->chunk = NULL;
    duckdb_data_chunk texts;
    while (code == PT_OK && (texts = duckdb_fetch_chunk(result)) != NULL) {
        code = each_row(cells, texts, row, context, err);
        duckdb_destroy_data_chunk(&texts);
    }
    duckdb_destroy_result(&result);
    return code;
}
