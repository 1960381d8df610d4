/* A table's files, and the report of what it holds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/auditor.h"
#include "duck/file_names.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "lake/table_name.h"

/* ---- names ---- */

int pt_audit_name_find(pt_auditor *a, const char *label, pt_audit_name *out, bool *exists,
                       pt_error *err) {
    *out = (pt_audit_name){0};
    *exists = false;
    pt_query sql = {0};
    pt_result table;
    char *schema = NULL, *written = NULL;
    pt_error ignored;
    pt_query_add(&sql,
                 "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ");
    pt_query_value(&sql, pt_str(pt_session_alias(a->session)));
    pt_query_add(&sql, " AND ((schema_name = 'main' AND ");
    pt_table_name_add_is(&sql, "table_name", label);
    pt_query_add(&sql, ") OR ");
    pt_table_name_add_is(&sql, "schema_name || '.' || table_name", label);
    if (pt_table_name_split(label, &schema, &written, &ignored) == PT_OK) {
        pt_query_add(&sql, " OR (");
        pt_table_name_add_is(&sql, "schema_name", schema);
        pt_query_add(&sql, " AND ");
        pt_table_name_add_is(&sql, "table_name", written);
        pt_query_add(&sql, ")");
    }
    pt_query_add(&sql, ") ORDER BY schema_name = 'main' DESC");
    int code = pt_auditor_table(a, &sql, &table, err);
    free(schema);
    free(written);
    PT_TRY(code);
    if (table.n_rows) {
        out->schema = strdup(pt_result_cell(&table, 0, 0));
        out->table = strdup(pt_result_cell(&table, 0, 1));
        if (out->schema && out->table) {
            out->label = pt_table_name_label(out->schema, out->table);
            pt_text_add_sql_name(&out->sql, pt_engine_alias(a->engine));
            pt_text_add(&out->sql, ".");
            pt_text_add_sql_name(&out->sql, out->schema);
            pt_text_add(&out->sql, ".");
            pt_text_add_sql_name(&out->sql, out->table);
        }
        *exists = true;
    }
    pt_result_clear(&table);
    if (*exists && !(out->schema && out->table && out->label)) {
        return pt_fail_nomem(err, "a table name");
    }
    return pt_text_check(&out->sql, err);
}

void pt_audit_name_clear(pt_audit_name *name) {
    free(name->schema);
    free(name->table);
    free(name->label);
    pt_text_free(&name->sql);
    *name = (pt_audit_name){0};
}

int pt_audit_table_has(pt_auditor *a, const pt_audit_name *name, const char *column, bool *has,
                       pt_error *err) {
    int64_t n = 0;
    PT_TRY(pt_session_exec_int(
        a->session, &n, err,
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND "
        "table_name = ? AND lower(column_name) = ?",
        PT_VALUES(pt_str(pt_session_alias(a->session)), pt_str(name->schema), pt_str(name->table),
                  pt_str(column))));
    *has = n > 0;
    return PT_OK;
}

/* ---- files ---- */

/* data and delete files that are alive: path, size, whether it is a data file. */
static int load_files(pt_auditor *a, const pt_audit_name *name, pt_result *out, pt_error *err) {
    return pt_session_exec(
        a->session, out, err,
        "WITH f AS MATERIALIZED (FROM ducklake_list_files(?, ?, schema => ?)) "
        "SELECT data_file AS file, data_file_size_bytes AS size, 1 AS data FROM f UNION ALL "
        "SELECT delete_file, delete_file_size_bytes, 0 FROM f WHERE delete_file IS NOT NULL",
        PT_VALUES(pt_str(pt_session_alias(a->session)), pt_str(name->table), pt_str(name->schema)));
}

typedef struct remote_folder {
    char *path;
    pt_result files; /* name, size; sorted by name */
} remote_folder;

static int list_folder(pt_auditor *a, const char *file, size_t len, remote_folder *folder,
                       pt_error *err) {
    pt_query sql = {0};
    folder->path = strndup(file, len);
    if (!folder->path) {
        return pt_fail_nomem(err, "a path");
    }
    pt_text pattern = {0};
    pt_file_names_add_pattern(&pattern, folder->path);
    pt_text_add(&pattern, "*");
    pt_query_add(&sql, "SELECT filename, size "); /* the listing has both; nothing is read */
    pt_file_names_add_read_blob(&sql.sql, pt_text_get(&pattern));
    pt_query_add(&sql, " ORDER BY filename COLLATE \"C\"");
    sql.sql.failed |= pattern.failed;
    pt_text_free(&pattern);
    return pt_auditor_table(a, &sql, &folder->files, err) == PT_OK
               ? PT_OK
               : pt_fail_in(err, "files at %s cannot be listed", folder->path);
}

static int compare_cells(const void *key, const void *cell) {
    return strcmp(key, *(char *const *)cell);
}

/* A remote file's size in the listing of its folder, -1 when it is not there. The listing is made
 * once (files come sorted by folder more or less: one is kept). */
static int look_remote(pt_auditor *a, remote_folder *folder, const char *file, int64_t *size,
                       pt_error *err) {
    size_t len = (size_t)(strrchr(file, '/') - file) + 1;
    if (!folder->path || strlen(folder->path) != len || strncmp(folder->path, file, len) != 0) {
        free(folder->path);
        pt_result_clear(&folder->files);
        PT_TRY(list_folder(a, file, len, folder, err));
    }
    char **cells = folder->files.cells;
    char **found = folder->files.n_rows ? bsearch(file, cells, folder->files.n_rows,
                                                  2 * sizeof *cells, compare_cells)
                                        : NULL;
    if (found) {
        *size = pt_result_int(&folder->files, (size_t)(found - cells) / 2, 1);
        return PT_OK;
    }
    pt_session *own =
        NULL; /* an object that is not there ends the transaction of the session that asks */
    PT_TRY(pt_session_open(a->engine, &own, err));
    int code = pt_file_size(own, file, size,
                            err); /* some stores write other names into a listing */
    pt_session_close(&own);
    return code;
}

static int missing_file(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                        const char *file, const char *why, pt_error *err) {
    if (a->adrift) {
        return pt_fail(err, PT_E_LAKE,
                       "the data path %s is relative, and there is no such folder here: start "
                       "pintail in the folder where the lake was made",
                       a->adrift);
    }
    t->missing_files++;
    if (t->missing_files > PT_AUDIT_EXAMPLES) {
        return PT_OK;
    }
    bool relative = *file != '/' && !pt_path_is_remote(file);
    pt_finding *f = pt_audit_find(
        a->audit, "missing_file", NULL, NULL, name->label, -1, 1, "%s: %s%s", file, why,
        relative
            ? " (the data path is relative: it counts from the folder in which pintail is started)"
            : "");
    return f ? PT_OK : pt_fail_nomem(err, "a finding");
}

static int look_at_file(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                        remote_folder *folder, const char *file, int64_t size, pt_error *err) {
    int64_t held = -1;
    char why[160];
    if (pt_path_is_remote(file)) {
        PT_TRY(look_remote(a, folder, file, &held, err));
        (void)snprintf(why, sizeof why,
                       "the catalog names this file, the object store does not have it");
    } else {
        struct stat s;
        held = stat(file, &s) == 0 ? (int64_t)s.st_size : -1;
        (void)snprintf(why, sizeof why, "the catalog names this file: %s", strerror(errno));
    }
    if (held < 0) {
        return missing_file(a, name, t, file, why, err);
    }
    if (size > 0 && held != size) {
        (void)snprintf(why, sizeof why, "the file has %" PRId64 " bytes, the catalog says %" PRId64,
                       held, size);
        return missing_file(a, name, t, file, why, err);
    }
    return PT_OK;
}

int pt_audit_table_files(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                         pt_error *err) {
    pt_result files;
    remote_folder folder = {0};
    PT_TRY(load_files(a, name, &files, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < files.n_rows; i++) {
        int64_t size = pt_result_int(&files, i, 1);
        t->files += pt_result_int(&files, i, 2);
        t->bytes += size;
        t->small_files += pt_result_int(&files, i, 2) && size < PT_AUDIT_SMALL_FILE;
        code = look_at_file(a, name, t, &folder, pt_result_cell(&files, i, 0), size, err);
    }
    free(folder.path);
    pt_result_clear(&folder.files);
    pt_result_clear(&files);
    if (code == PT_OK && t->missing_files > PT_AUDIT_EXAMPLES &&
        !pt_audit_find(a->audit, "missing_file", NULL, NULL, name->label, -1,
                       t->missing_files - PT_AUDIT_EXAMPLES, "%" PRId64 " more files are missing",
                       t->missing_files - PT_AUDIT_EXAMPLES)) {
        code = pt_fail_nomem(err, "a finding");
    }
    return code;
}

/* ---- the report ---- */

static int latest_rows(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t, pt_error *err) {
    bool time = false, offset = false;
    pt_query sql = {0};
    PT_TRY(pt_audit_table_has(a, name, "ingest_time", &time, err));
    PT_TRY(pt_audit_table_has(a, name, "_kafka_offset", &offset, err));
    t->latest_by = time ? "ingest_time" : "rowid";
    pt_query_addf(
        &sql,
        "SELECT *, to_json(pintail_row)::VARCHAR FROM (SELECT * FROM %s ORDER BY %s LIMIT "
        "5) pintail_row",
        pt_text_get(&name->sql),
        !time    ? "rowid DESC"
        : offset ? "ingest_time DESC NULLS LAST, _kafka_offset DESC"
                 : "ingest_time DESC NULLS LAST");
    return pt_auditor_table(a, &sql, &t->latest, err);
}

/* Of the demo's table, told by its columns: that another one has a product, a quantity and a price
 * does not make it one of orders. */
static int sales(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t, pt_error *err) {
    int64_t n = 0;
    pt_query sql = {0};
    PT_TRY(pt_session_exec_int(
        a->session, &n, err,
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND "
        "table_name = ? AND (lower(column_name) IN ('order_id', 'order_time', 'customer_id', "
        "'product', 'region') OR (lower(column_name) IN ('quantity', 'unit_price') AND (data_type "
        "LIKE '%INT%' OR data_type LIKE 'DECIMAL%' OR data_type IN ('DOUBLE', 'FLOAT'))))",
        PT_VALUES(pt_str(pt_session_alias(a->session)), pt_str(name->schema),
                  pt_str(name->table))));
    if (n < 7) {
        return PT_OK;
    }
    pt_query_addf(
        &sql,
        "SELECT *, to_json(pintail_row)::VARCHAR FROM (SELECT product, count(*) AS count, "
        "sum(quantity * unit_price) AS revenue FROM %s "
        "GROUP BY product ORDER BY revenue DESC NULLS LAST, product LIMIT 20) pintail_row",
        pt_text_get(&name->sql));
    return pt_auditor_table(a, &sql, &t->sales, err);
}

int pt_audit_table_report(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                          pt_error *err) {
    pt_query sql = {0};
    pt_query_addf(&sql, "SELECT count(*) FROM %s", pt_text_get(&name->sql));
    int code = pt_auditor_int(a, &sql, &t->rows, err);
    if (code == PT_OK) {
        code = latest_rows(a, name, t, err);
    }
    if (code == PT_OK) {
        code = sales(a, name, t, err);
    }
    return code == PT_OK ? PT_OK : pt_fail_in(err, "table %s", name->label);
}
