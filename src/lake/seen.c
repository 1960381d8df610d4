#include "lake/seen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "duck/session.h"
#include "lake/identity.h"
#include "lake/metadata.h"
#include "lake/table_name.h"

#define COLUMNS_BEFORE 2 /* schema and table */

static int read_columns(pt_session *session, const pt_result *wanted, pt_result *out,
                        pt_error *err) {
    pt_text sql = {0};
    pt_value *values = calloc(1 + wanted->n_rows, sizeof *values);
    size_t n = 0;
    if (!values) {
        return pt_fail_nomem(err, "the lake's tables");
    }
    values[n++] = pt_str(pt_session_alias(session));
    pt_text_add(&sql, "SELECT schema_name, table_name, column_name, data_type, is_nullable, "
                      "column_default, (database_name, schema_name, table_name) IN "
                      "(SELECT (database_name, schema_name, view_name) FROM duckdb_views()) FROM "
                      "duckdb_columns() WHERE database_name = ? AND table_name IN (''");
    for (size_t i = 0; i < wanted->n_rows; i++) {
        pt_text_add(&sql, ", ?");
        values[n++] = pt_str(pt_result_cell(wanted, i, 1));
    }
    pt_text_add(&sql, ") ORDER BY schema_name, table_name, column_index");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_exec(session, out, err, pt_text_get(&sql), (pt_params){values, n});
    }
    pt_text_free(&sql);
    free(values);
    return code;
}

static int read_fed(pt_session *session, const char *pipeline, pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT target_table, topic, bool_or(pipeline = ?)::INTEGER, bool_or(row_count > "
        "0)::INTEGER FROM @lake.pintail.offsets GROUP BY ALL ORDER BY topic",
        PT_VALUES(pt_str(pipeline)));
}

void pt_seen_spelling(const pt_seen *seen, const char *asked_schema, const char *asked_table,
                      const char **schema, const char **table) {
    *schema = *table = NULL;
    for (size_t i = 0; i < seen->names.n_rows && !*table; i++) {
        const char *name = pt_result_cell(&seen->names, i, 1);
        if (strcasecmp(pt_result_cell(&seen->names, i, 0), asked_schema) == 0 &&
            (!*name || strcasecmp(name, asked_table) == 0)) {
            *schema = pt_result_cell(&seen->names, i, 0);
            *table = *name ? name : NULL;
        }
    }
}

/* Names alone: rows of the asked tables that are there, as the lake spells them. The cells stay the
 * names'. */
static int find_wanted(const pt_seen *seen, const char *const *tables, size_t n, pt_result *out,
                       pt_error *err) {
    *out = (pt_result){.n_columns = 2, .cells = calloc(2 * n + 1, sizeof *out->cells)};
    if (!out->cells) {
        return pt_fail_nomem(err, "the lake's tables");
    }
    for (size_t i = 0; i < n; i++) {
        char *schema = NULL, *name = NULL;
        const char *found_schema, *found = NULL;
        int code = pt_table_name_split(tables[i], &schema, &name, err);
        if (code == PT_OK) {
            pt_seen_spelling(seen, schema, name, &found_schema, &found);
        }
        free(schema);
        free(name);
        PT_TRY(code);
        if (found) {
            out->cells[2 * out->n_rows] = (char *)(uintptr_t)found_schema;
            out->cells[2 * out->n_rows++ + 1] = (char *)(uintptr_t)found;
        }
    }
    return PT_OK;
}

int pt_seen_read(pt_session *session, const char *pipeline, const char *const *tables, size_t n,
                 pt_seen *out, pt_error *err) {
    pt_result wanted = {0};
    *out = (pt_seen){0};
    int code = pt_metadata_schema_version(session, &out->schema_version, err);
    if (code == PT_OK) {
        code = pt_metadata_names(session, &out->names, err);
    }
    if (code == PT_OK) {
        code = find_wanted(out, tables, n, &wanted, err);
    }
    if (code == PT_OK) {
        code = read_columns(session, &wanted, &out->columns, err);
    }
    if (code == PT_OK) {
        code = read_fed(session, pipeline, &out->fed, err);
    }
    if (code == PT_OK) {
        code = pt_identities_read(session, &out->notes, err);
    }
    free(wanted.cells);
    if (code != PT_OK) {
        pt_seen_clear(out);
    }
    return code;
}

void pt_seen_clear(pt_seen *seen) {
    pt_result_clear(&seen->names);
    pt_result_clear(&seen->columns);
    pt_result_clear(&seen->fed);
    pt_result_clear(&seen->notes);
    *seen = (pt_seen){0};
}

int pt_seen_stands(pt_session *session, const pt_seen *seen, bool *stands, pt_error *err) {
    int64_t now = 0;
    PT_TRY(pt_metadata_schema_version(session, &now, err));
    *stands = now == seen->schema_version;
    return PT_OK;
}

static bool is_of(const pt_result *columns, size_t row, const char *schema, const char *table) {
    return strcmp(pt_result_cell(columns, row, 0), schema) == 0 &&
           strcmp(pt_result_cell(columns, row, 1), table) == 0;
}

int pt_seen_columns(const pt_seen *seen, const char *schema, const char *table, pt_result *out,
                    pt_error *err) {
    size_t from = 0;
    size_t n = 0;
    size_t width = seen->columns.n_columns - COLUMNS_BEFORE;
    while (from < seen->columns.n_rows && !is_of(&seen->columns, from, schema, table)) {
        from++;
    }
    while (from + n < seen->columns.n_rows && is_of(&seen->columns, from + n, schema, table)) {
        n++;
    }
    *out = (pt_result){.n_rows = n,
                       .n_columns = width,
                       .cells = calloc(n * width + 1, sizeof *out->cells)};
    bool complete = out->cells != NULL;
    for (size_t i = 0; complete && i < n * width; i++) {
        const char *cell = pt_result_cell(&seen->columns, from + i / width,
                                          COLUMNS_BEFORE + i % width);
        out->cells[i] = cell ? strdup(cell) : NULL;
        complete = !cell || out->cells[i];
    }
    if (!complete) {
        out->n_rows = out->cells ? n : 0;
        pt_result_clear(out);
        return pt_fail_nomem(err, "a table's columns");
    }
    return PT_OK;
}

const char *pt_seen_other_topic(const pt_seen *seen, const char *label, const char *topic) {
    for (size_t i = 0; i < seen->fed.n_rows; i++) {
        const char *table = pt_result_cell(&seen->fed, i, 0);
        const char *other = pt_result_cell(&seen->fed, i, 1);
        if (table && other && pt_result_int(&seen->fed, i, 3) && strcmp(table, label) == 0 &&
            strcmp(other, topic) != 0) {
            return other;
        }
    }
    return NULL;
}

bool pt_seen_may_have_rows(const pt_seen *seen, const char *schema, const char *table) {
    for (size_t i = 0; i < seen->names.n_rows; i++) {
        if (strcmp(pt_result_cell(&seen->names, i, 0), schema) == 0 &&
            strcmp(pt_result_cell(&seen->names, i, 1), table) == 0) {
            return pt_result_int(&seen->names, i, 2) != 0;
        }
    }
    return true;
}

bool pt_seen_recorded(const pt_seen *seen, const char *topic) {
    for (size_t i = 0; i < seen->fed.n_rows; i++) {
        const char *other = pt_result_cell(&seen->fed, i, 1);
        if (other && pt_result_int(&seen->fed, i, 2) && strcmp(other, topic) == 0) {
            return true;
        }
    }
    return false;
}
