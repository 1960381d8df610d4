/* What the lake's catalog says: every SELECT on DuckLake's own tables (ducklake_*) that opening,
 * checking and cleaning up a table needs. The catalog may be SQLite, PostgreSQL or a DuckDB file.
 *
 * Only rows that are alive are meant (end_snapshot IS NULL), unless a function says otherwise. A
 * result is ended with pt_result_clear; a text is malloc'd, NULL where there is none. */
#pragma once

#include "duck/result.h"
#include "duck/session.h"

/* ---- the lake ---- */

/* Of the newest snapshot: it rises with every DDL. */
int pt_metadata_schema_version(pt_session *session, int64_t *out, pt_error *err) PT_CHECKED;

/* key, value, scope, scope_id of all settings; and of each table that is sorted a row with this
 * key.
 */
#define PT_METADATA_SORT "sort"
int pt_metadata_settings(pt_session *session, pt_result *out, pt_error *err) PT_CHECKED;

/* The lake's data path, as the catalog spells it; malloc'd, NULL: it has none. */
int pt_metadata_data_path(pt_session *session, char **out, pt_error *err) PT_CHECKED;
/* The same of a lake that has pintail's own tables; of others NULL. */
int pt_metadata_own_data_path(pt_session *session, char **out, pt_error *err) PT_CHECKED;

/* How many rows at most an INSERT may leave in the catalog, for a new table of this schema (which
 * may be new, too). */
int pt_metadata_inline_limit(pt_session *session, const char *schema, int64_t *out,
                             pt_error *err) PT_CHECKED;

/* How many such limits schema pintail has of its own. */
int pt_metadata_own_inline_limits(pt_session *session, int64_t *out, pt_error *err) PT_CHECKED;

/* ---- names ---- */

/* schema, table or view ("": the schema itself), whether it has rows. Out of the catalog's tables:
 * DuckDB's list of a lake's tables looks at the statistics of each one. */
int pt_metadata_names(pt_session *session, pt_result *out, pt_error *err) PT_CHECKED;

int pt_metadata_table_label(pt_session *session, int64_t table_id, char **out,
                            pt_error *err) PT_CHECKED;
int pt_metadata_schema_name(pt_session *session, int64_t schema_id, char **out,
                            pt_error *err) PT_CHECKED;

/* ---- one table ---- */

/* The snapshot that made the table with this id, which may be gone; 0: there was none. */
int pt_metadata_table_made(pt_session *session, int64_t table_id, int64_t *out,
                           pt_error *err) PT_CHECKED;

int pt_metadata_table_uuid(pt_session *session, const char *schema, const char *table, char **out,
                           pt_error *err) PT_CHECKED;

/* schema, name, begin_snapshot of the table with this uuid: as it is, or (first) as it was made,
 * even if it was dropped since. A schema has its name for life. */
int pt_metadata_table_named(pt_session *session, const char *uuid, bool first, pt_result *out,
                            pt_error *err) PT_CHECKED;

/* table_id, the snapshot of its newest shape, schema, name, uuid: of one table, or of several (ids:
 * numbers with commas between them). */
int pt_metadata_shape(pt_session *session, const char *schema, const char *table, pt_result *out,
                      pt_error *err) PT_CHECKED;
int pt_metadata_shapes(pt_session *session, const char *ids, pt_result *out,
                       pt_error *err) PT_CHECKED;

/* folder, partition keys (count), its data_inlining_row_limit (or NULL), DuckLake's default for
 * that, table_id, schema_id */
int pt_metadata_folder(pt_session *session, const char *schema, const char *table, pt_result *out,
                       pt_error *err) PT_CHECKED;

/* column, whether hive_file_pattern is off: of each column that the table is partitioned by as it
 * is (identity). */
int pt_metadata_partition_columns(pt_session *session, const char *schema, const char *table,
                                  pt_result *out, pt_error *err) PT_CHECKED;

/* ---- files ---- */

/* path, data_path, whether it is among the newest, the table's folder: the newest files, the oldest
 * ones, and the newest of each table. */
int pt_metadata_some_files(pt_session *session, int64_t newest, int64_t oldest, int64_t tables,
                           pt_result *out, pt_error *err) PT_CHECKED;

/* Files of a pattern that the catalog does not know, neither as data nor as to be deleted. A file
 * that is committed while this runs may be among them. */
int pt_metadata_unknown_files(pt_session *session, const char *pattern, pt_result *out,
                              pt_error *err) PT_CHECKED;

/* A part of a file's name, by its first and last character (from 1). */
typedef struct pt_name_part {
    const char *pattern; /* of the files */
    size_t first, last;
} pt_name_part;

/* guard, file: pairs whose parts are the same, and of whose files the catalog knows nothing. */
int pt_metadata_unfinished_files(pt_session *session, const pt_name_part *guards,
                                 const pt_name_part *files, pt_result *out,
                                 pt_error *err) PT_CHECKED;

/* guard, file: each guard and the file of the catalog that it guards, by the UUID in both names. A
 * relative path counts from the folder. */
int pt_metadata_guarded_files(pt_session *session, const pt_name_part *guards, const char *folder,
                              pt_result *out, pt_error *err) PT_CHECKED;

/* Files of a pattern whose names no data file and no delete file of the catalog has. */
int pt_metadata_uncommitted_files(pt_session *session, const char *pattern, pt_result *out,
                                  pt_error *err) PT_CHECKED;

/* ---- rows in the catalog ---- */

/* Rows of the table that the catalog holds (inlined), deleted ones included. */
int pt_metadata_inlined_rows(pt_session *session, const char *schema, const char *table,
                             int64_t *rows, pt_error *err) PT_CHECKED;
