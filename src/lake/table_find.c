#include "lake/table_find.h"

#include <stdlib.h>
#include <string.h>

#include "duck/query.h"
#include "duck/session.h"
#include "lake/table_name.h"

int pt_table_read_columns(pt_session *session, const pt_table *t, pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT column_name, data_type, is_nullable, column_default, (database_name, schema_name, "
        "table_name) IN (SELECT (database_name, schema_name, view_name) FROM duckdb_views()) FROM "
        "duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY "
        "column_index",
        PT_VALUES(pt_str(pt_session_alias(session)), pt_str(t->schema_name), pt_str(t->name)));
}

/* now: it was seen a moment ago; else a table that was not there may have been made since. */
int pt_table_know_columns(pt_session *session, const pt_seen *seen, bool now, const pt_table *t,
                          pt_result *out, pt_error *err) {
    *out = (pt_result){0};
    if (seen) {
        PT_TRY(pt_seen_columns(seen, t->schema_name, t->name, out, err));
    }
    if (out->n_rows || (seen && now)) {
        return PT_OK;
    }
    pt_result_clear(out);
    return pt_table_read_columns(session, t, out, err);
}

/* DuckDB's names are the same in any case, its lists of them are not: the table's and the schema's
 * names as the catalog has them, if it has them. */
static int take_spelling(pt_session *session, pt_table *t, pt_error *err) {
    static const char *const lists[][2] = {{"duckdb_tables()", "table_name"},
                                           {"duckdb_views()", "view_name"},
                                           {"duckdb_schemas()", NULL}};
    pt_query query = {0};
    pt_result found = {0};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        pt_query_addf(&query, "%sSELECT schema_name, %s AS name FROM %s WHERE database_name = ",
                      i ? " UNION ALL " : "", lists[i][1] ? lists[i][1] : "''", lists[i][0]);
        pt_query_value(&query, pt_str(pt_session_alias(session)));
        pt_query_add(&query, " AND ");
        pt_table_name_add_is(&query, "schema_name", t->schema_name);
        if (lists[i][1]) {
            pt_query_add(&query, " AND ");
            pt_table_name_add_is(&query, lists[i][1], t->name);
        }
    }
    pt_query_add(&query, " ORDER BY name DESC LIMIT 1"); /* the table's row, else the schema's */
    int code = pt_query_run(session, &query, &found, err);
    if (code == PT_OK && found.n_rows) {
        const char *name = pt_result_cell(&found, 0, 1);
        free(t->schema_name);
        t->schema_name = strdup(pt_result_cell(&found, 0, 0));
        if (*name) {
            free(t->name);
            t->name = strdup(name);
        }
        code = t->schema_name && t->name ? PT_OK : pt_fail_nomem(err, "a table's name");
    }
    pt_result_clear(&found);
    return code;
}

int pt_table_know_spelling(pt_session *session, const pt_seen *seen, pt_table *t, pt_error *err) {
    const char *schema = NULL, *name = NULL;
    if (seen) {
        pt_seen_spelling(seen, t->schema_name, t->name, &schema, &name);
    }
    if (!seen) {
        return take_spelling(session, t, err);
    }
    if (schema) {
        free(t->schema_name);
        t->schema_name = strdup(schema);
    }
    if (name) {
        free(t->name);
        t->name = strdup(name);
    }
    return t->schema_name && t->name ? PT_OK : pt_fail_nomem(err, "a table's name");
}
