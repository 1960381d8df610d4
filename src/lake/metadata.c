#include "lake/metadata.h"

/* A setting of the table counts before one of its schema, that before one of the lake. */
#define CLOSEST "arg_max(value, CASE scope WHEN 'table' THEN 2 WHEN 'schema' THEN 1 ELSE 0 END)"
#define OF_TABLE                                                                                \
    "(scope IS NULL OR scope = 'global' OR scope_id = CASE scope WHEN 'table' THEN t.table_id " \
    "ELSE t.schema_id END)"

/* ---- the lake ---- */

int pt_metadata_schema_version(pt_session *session, int64_t *out, pt_error *err) {
    return pt_session_exec_int(session, out, err,
                               "SELECT schema_version FROM @meta.ducklake_snapshot ORDER BY "
                               "snapshot_id DESC LIMIT 1",
                               PT_NO_VALUES);
}

int pt_metadata_settings(pt_session *session, pt_result *out, pt_error *err) {
    return pt_session_exec(session, out, err,
                           "SELECT key, value, scope, scope_id FROM @meta.ducklake_metadata UNION "
                           "ALL SELECT '" PT_METADATA_SORT "', sort_id::VARCHAR, 'table', table_id "
                           "FROM @meta.ducklake_sort_info WHERE end_snapshot IS NULL",
                           PT_NO_VALUES);
}

int pt_metadata_data_path(pt_session *session, char **out, pt_error *err) {
    return pt_session_exec_text(
        session, out, err,
        "SELECT value FROM @meta.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL",
        PT_NO_VALUES);
}

int pt_metadata_own_data_path(pt_session *session, char **out, pt_error *err) {
    return pt_session_exec_text(session, out, err,
                                "SELECT value FROM @meta.ducklake_metadata WHERE key = 'data_path' "
                                "AND scope IS NULL AND EXISTS (SELECT 1 FROM duckdb_tables() WHERE "
                                "schema_name = 'pintail' AND database_name = ?)",
                                PT_VALUES(pt_str(pt_session_alias(session))));
}

int pt_metadata_inline_limit(pt_session *session, const char *schema, int64_t *out, pt_error *err) {
    return pt_session_exec_int(
        session, out, err,
        "SELECT coalesce((SELECT arg_max(value, CASE scope WHEN 'schema' THEN 1 ELSE 0 "
        "END)::BIGINT FROM @meta.ducklake_metadata WHERE key = 'data_inlining_row_limit' AND "
        "(scope IS NULL OR scope = 'global' OR (scope = 'schema' AND scope_id IN (SELECT schema_id "
        "FROM @meta.ducklake_schema WHERE end_snapshot IS NULL AND schema_name = ?)))), "
        "current_setting('ducklake_default_data_inlining_row_limit')::BIGINT)",
        PT_VALUES(pt_str(schema)));
}

int pt_metadata_own_inline_limits(pt_session *session, int64_t *out, pt_error *err) {
    return pt_session_exec_int(session, out, err,
                               "SELECT count(*) FROM @meta.ducklake_metadata WHERE key = "
                               "'data_inlining_row_limit' AND scope = 'schema' AND scope_id IN "
                               "(SELECT schema_id FROM @meta.ducklake_schema WHERE schema_name = "
                               "'pintail' AND end_snapshot IS NULL)",
                               PT_NO_VALUES);
}

/* ---- names ---- */

int pt_metadata_names(pt_session *session, pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "WITH s AS (SELECT schema_id, schema_name FROM @meta.ducklake_schema WHERE end_snapshot IS "
        "NULL) SELECT schema_name, '', 0 FROM s "
        "UNION ALL SELECT schema_name, table_name, coalesce(record_count > 0, false)::INTEGER FROM "
        "@meta.ducklake_table JOIN s USING (schema_id) LEFT JOIN @meta.ducklake_table_stats USING "
        "(table_id) WHERE end_snapshot IS NULL "
        "UNION ALL SELECT schema_name, view_name, 0 FROM @meta.ducklake_view JOIN s USING "
        "(schema_id) WHERE end_snapshot IS NULL",
        PT_NO_VALUES);
}

int pt_metadata_table_label(pt_session *session, int64_t table_id, char **out, pt_error *err) {
    return pt_session_exec_text(
        session, out, err,
        "SELECT any_value(CASE s.schema_name WHEN 'main' THEN '' ELSE s.schema_name || '.' END || "
        "t.table_name) FROM @meta.ducklake_table t JOIN @meta.ducklake_schema s USING (schema_id) "
        "WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND t.table_id = ?",
        PT_VALUES(pt_int(table_id)));
}

int pt_metadata_schema_name(pt_session *session, int64_t schema_id, char **out, pt_error *err) {
    return pt_session_exec_text(session, out, err,
                                "SELECT any_value(schema_name) FROM @meta.ducklake_schema WHERE "
                                "end_snapshot IS NULL AND schema_id = ?",
                                PT_VALUES(pt_int(schema_id)));
}

/* ---- one table ---- */

int pt_metadata_table_made(pt_session *session, int64_t table_id, int64_t *out, pt_error *err) {
    return pt_session_exec_int(
        session, out, err,
        "SELECT min(begin_snapshot) FROM @meta.ducklake_table WHERE table_id = ?",
        PT_VALUES(pt_int(table_id)));
}

int pt_metadata_table_uuid(pt_session *session, const char *schema, const char *table, char **out,
                           pt_error *err) {
    return pt_session_exec_text(
        session, out, err,
        "SELECT t.table_uuid::VARCHAR FROM @meta.ducklake_table t JOIN @meta.ducklake_schema s "
        "USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND "
        "s.schema_name = ? AND t.table_name = ?",
        PT_VALUES(pt_str(schema), pt_str(table)));
}

#define TABLE_NAMED                                                                           \
    "SELECT (SELECT any_value(schema_name) FROM @meta.ducklake_schema s WHERE s.schema_id = " \
    "t.schema_id), table_name, begin_snapshot FROM @meta.ducklake_table t WHERE "             \
    "table_uuid::VARCHAR = ?"

int pt_metadata_table_named(pt_session *session, const char *uuid, bool first, pt_result *out,
                            pt_error *err) {
    return pt_session_exec(session, out, err,
                           first ? TABLE_NAMED " ORDER BY begin_snapshot LIMIT 1"
                                 : TABLE_NAMED " AND end_snapshot IS NULL LIMIT 1",
                           PT_VALUES(pt_str(uuid)));
}

#define SHAPE                                                                                 \
    "SELECT t.table_id, (SELECT max(v.begin_snapshot) FROM @meta.ducklake_schema_versions v " \
    "WHERE v.table_id = t.table_id), s.schema_name, t.table_name, t.table_uuid::VARCHAR "     \
    "FROM @meta.ducklake_table t JOIN @meta.ducklake_schema s USING (schema_id) WHERE "       \
    "t.end_snapshot IS NULL AND s.end_snapshot IS NULL"

int pt_metadata_shape(pt_session *session, const char *schema, const char *table, pt_result *out,
                      pt_error *err) {
    return pt_session_exec(session, out, err, SHAPE " AND t.table_name = ? AND s.schema_name = ?",
                           PT_VALUES(pt_str(table), pt_str(schema)));
}

int pt_metadata_shapes(pt_session *session, const char *ids, pt_result *out, pt_error *err) {
    return pt_session_exec(session, out, err,
                           SHAPE " AND list_contains(string_split(?, ',')::BIGINT[], t.table_id)",
                           PT_VALUES(pt_str(ids)));
}

int pt_metadata_folder(pt_session *session, const char *schema, const char *table, pt_result *out,
                       pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "WITH d AS (SELECT value AS p FROM @meta.ducklake_metadata WHERE key = 'data_path' AND "
        "scope IS NULL), s AS (SELECT schema_id, CASE WHEN path_is_relative THEN (SELECT p FROM d) "
        "|| path ELSE path END AS p FROM @meta.ducklake_schema WHERE end_snapshot IS NULL AND "
        "schema_name = ?) SELECT CASE WHEN t.path_is_relative THEN s.p || t.path ELSE t.path END, "
        "(SELECT count(*) FROM @meta.ducklake_partition_info i WHERE i.table_id = t.table_id AND "
        "i.end_snapshot IS NULL), (SELECT " CLOSEST " FROM @meta.ducklake_metadata WHERE key = "
        "'data_inlining_row_limit' AND " OF_TABLE "), "
        "current_setting('ducklake_default_data_inlining_row_limit'), t.table_id, s.schema_id FROM "
        "@meta.ducklake_table t JOIN s USING (schema_id) WHERE t.end_snapshot IS NULL AND "
        "t.table_name = ?",
        PT_VALUES(pt_str(schema), pt_str(table)));
}

int pt_metadata_partition_columns(pt_session *session, const char *schema, const char *table,
                                  pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT c.column_name, (SELECT coalesce(lower(" CLOSEST "), '') IN ('false', '0') FROM "
        "@meta.ducklake_metadata WHERE key = 'hive_file_pattern' AND " OF_TABLE ")::INTEGER FROM "
        "@meta.ducklake_table t JOIN @meta.ducklake_schema s USING (schema_id) "
        "JOIN @meta.ducklake_partition_info i USING (table_id) "
        "JOIN @meta.ducklake_partition_column k USING (partition_id) "
        "JOIN @meta.ducklake_column c ON c.table_id = t.table_id AND c.column_id = k.column_id "
        "WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND i.end_snapshot IS NULL AND "
        "c.end_snapshot IS NULL AND k.transform = 'identity' AND t.table_name = ? AND "
        "s.schema_name = ?",
        PT_VALUES(pt_str(table), pt_str(schema)));
}

/* ---- files ---- */

int pt_metadata_some_files(pt_session *session, int64_t newest, int64_t oldest, int64_t tables,
                           pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "WITH d AS (SELECT value AS p FROM @meta.ducklake_metadata WHERE key = 'data_path' AND "
        "scope IS NULL), "
        "l AS MATERIALIZED (SELECT data_file_id AS id, table_id FROM @meta.ducklake_data_file "
        "WHERE end_snapshot IS NULL), "
        "n AS (SELECT id FROM l ORDER BY id DESC LIMIT ?), "
        "c AS (FROM n UNION (SELECT id FROM l ORDER BY id LIMIT ?) UNION (SELECT max(id) FROM l "
        "GROUP BY table_id ORDER BY 1 DESC LIMIT ?)), "
        "f AS (SELECT data_file_id, table_id, path, path_is_relative FROM @meta.ducklake_data_file "
        "WHERE data_file_id IN (FROM c)), "
        "s AS (SELECT schema_id, CASE WHEN path_is_relative THEN (SELECT p FROM d) || path ELSE "
        "path END AS p FROM @meta.ducklake_schema WHERE end_snapshot IS NULL), "
        "t AS (SELECT table_id, CASE WHEN path_is_relative THEN s.p || path ELSE path END AS p "
        "FROM @meta.ducklake_table t JOIN s USING (schema_id) WHERE end_snapshot IS NULL) "
        "SELECT CASE WHEN path_is_relative THEN t.p || path ELSE path END, (SELECT p FROM d), "
        "(data_file_id IN (FROM n))::INTEGER, t.p FROM f JOIN t USING (table_id) ORDER BY "
        "data_file_id DESC",
        PT_VALUES(pt_int(newest), pt_int(oldest), pt_int(tables)));
}

int pt_metadata_unknown_files(pt_session *session, const char *pattern, pt_result *out,
                              pt_error *err) {
    return pt_session_exec(session, out, err,
                           "SELECT file FROM glob(?) ANTI JOIN (SELECT path FROM "
                           "@meta.ducklake_data_file UNION ALL SELECT path FROM "
                           "@meta.ducklake_files_scheduled_for_deletion) k "
                           "ON parse_filename(file) = parse_filename(k.path)",
                           PT_VALUES(pt_str(pattern)));
}

int pt_metadata_unfinished_files(pt_session *session, const pt_name_part *guards,
                                 const pt_name_part *files, pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT g.file, f.file FROM glob(?) g JOIN glob(?) f ON parse_filename(g.file)[?:?] = "
        "parse_filename(f.file)[?:?] ANTI JOIN (SELECT path FROM @meta.ducklake_data_file UNION "
        "ALL SELECT path FROM @meta.ducklake_delete_file UNION ALL SELECT path FROM "
        "@meta.ducklake_files_scheduled_for_deletion) k ON parse_filename(f.file) = "
        "parse_filename(k.path)",
        PT_VALUES(pt_str(guards->pattern), pt_str(files->pattern), pt_int((int64_t)guards->first),
                  pt_int((int64_t)guards->last), pt_int((int64_t)files->first),
                  pt_int((int64_t)files->last)));
}

int pt_metadata_guarded_files(pt_session *session, const pt_name_part *guards, const char *folder,
                              pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT file, CASE WHEN path_is_relative THEN $1 || path ELSE path END FROM glob($2) "
        "JOIN (SELECT path, path_is_relative FROM @meta.ducklake_data_file "
        "UNION ALL SELECT path, path_is_relative FROM @meta.ducklake_delete_file) "
        "ON parse_filename(path) IN ('ducklake-' || parse_filename(file)[$3:$4] || '.parquet', "
        "'ducklake-' || parse_filename(file)[$3:$4] || '-delete.parquet')",
        PT_VALUES(pt_str(folder), pt_str(guards->pattern), pt_int((int64_t)guards->first),
                  pt_int((int64_t)guards->last)));
}

int pt_metadata_uncommitted_files(pt_session *session, const char *pattern, pt_result *out,
                                  pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT file FROM glob(?) ANTI JOIN (SELECT path FROM @meta.ducklake_data_file UNION ALL "
        "SELECT path FROM @meta.ducklake_delete_file) k ON parse_filename(file) = "
        "parse_filename(k.path)",
        PT_VALUES(pt_str(pattern)));
}

/* ---- rows in the catalog ---- */

/* A table has one of these for each of its schemas so far. */
static int inlined_tables(pt_session *session, const char *schema, const char *table,
                          pt_result *out, pt_error *err) {
    return pt_session_exec(
        session, out, err,
        "SELECT i.table_name FROM @meta.ducklake_inlined_data_tables i "
        "JOIN @meta.ducklake_table t USING (table_id) "
        "JOIN @meta.ducklake_schema s USING (schema_id) WHERE t.end_snapshot IS NULL AND "
        "s.end_snapshot IS NULL AND t.table_name = ? AND s.schema_name = ?",
        PT_VALUES(pt_str(table), pt_str(schema)));
}

int pt_metadata_inlined_rows(pt_session *session, const char *schema, const char *table,
                             int64_t *rows, pt_error *err) {
    pt_result tables = {0};
    *rows = 0;
    PT_TRY(inlined_tables(session, schema, table, &tables, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < tables.n_rows; i++) {
        pt_text sql = {0};
        int64_t n = 0;
        pt_text_add(&sql, "SELECT count(*) FROM @meta.");
        pt_text_add_sql_name(&sql, pt_result_cell(&tables, i, 0));
        code = pt_text_check(&sql, err);
        if (code == PT_OK) {
            code = pt_session_exec_int(session, &n, err, pt_text_get(&sql), PT_NO_VALUES);
        }
        pt_text_free(&sql);
        *rows += n;
    }
    pt_result_clear(&tables);
    return code;
}
