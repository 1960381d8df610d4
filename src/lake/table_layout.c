#include "lake/table_layout.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "columns/vectors.h"
#include "duck/file_names.h"
#include "duck/result.h"
#include "duck/uri.h"
#include "lake/metadata.h"
#include "lake/settings.h"
#include "lake/table_columns.h"

/* Columns, those below nested ones included, of a table whose rows are inlined. */
#define INLINE_VECTORS 200

int pt_table_lay_out(pt_table *t, pt_error *err) {
    size_t n = t->schema->n_columns + PT_META_COUNT;
    t->types = calloc(n, sizeof *t->types);
    t->names = calloc(n, sizeof *t->names);
    if (!t->types || !t->names) {
        return pt_fail_nomem(err, "a table's layout");
    }
    for (size_t i = 0; i < t->schema->n_columns; i++) {
        t->types[i] = t->schema->columns[i].type;
        t->names[i] = t->schema->columns[i].name;
    }
    t->n_columns = t->schema->n_columns;
    for (size_t m = 0; m < PT_META_COUNT; m++) {
        t->meta_at[m] = SIZE_MAX;
        if (t->metas & (1U << m)) {
            t->meta_at[m] = t->n_columns;
            t->types[t->n_columns] = pt_meta_columns[m].type;
            t->names[t->n_columns++] = pt_meta_columns[m].name;
        }
    }
    return PT_OK;
}

/* A column of such a name hides DuckLake's own, by which the files of an INSERT are found. */
static bool hides_virtual_columns(const pt_table *t) {
    for (size_t i = 0; i < t->n_columns; i++) {
        if (strcasecmp(t->names[i], "filename") == 0 ||
            strcasecmp(t->names[i], "snapshot_id") == 0) {
            return true;
        }
    }
    return false;
}

/* DuckLake's inlining takes some 40 KB a column for its statistics, however few the rows are. */
static bool is_wide(const pt_table *t) {
    size_t vectors = 0;
    for (size_t i = 0; i < t->n_columns; i++) {
        vectors += pt_shape_count(&t->types[i]);
    }
    return vectors > INLINE_VECTORS;
}

/* But in a DuckDB catalog DuckLake 1.0 keeps nested values as text, and cannot read a quote or a
 * backslash in them back: the whole table cannot be read then. */
static bool has_nested(const pt_table *t) {
    for (size_t i = 0; i < t->n_columns; i++) {
        if (pt_shape_count(&t->types[i]) > 1) {
            return true;
        }
    }
    return false;
}

/* Out of the catalog's row (pt_metadata_folder): the lake's limit for the table, its schema or all;
 * else what ingest was told. Of pintail's own tables the smaller one: they are all told to inline
 * more, for the ledger's sake. What cannot be staged is inlined as the lake says, whatever ingest
 * was told. */
static size_t inline_rows(const pt_result *found, bool own, bool registers) {
    size_t logged = (size_t)pt_result_int(found, 0, 3);
    if ((logged == 0 && registers) || !pt_result_cell(found, 0, 2)) {
        return logged;
    }
    size_t limit = (size_t)pt_result_int(found, 0, 2);
    return own && logged < limit ? logged : limit;
}

/* And whether it may be staged, and what is inlined. */
int pt_table_find_folder(pt_session *session, pt_table *t, bool own, pt_error *err) {
    pt_result found = {0};
    int code = pt_metadata_folder(session, t->schema_name, t->name, &found, err);
    if (code == PT_OK && (found.n_rows != 1 || !pt_result_cell(&found, 0, 0))) {
        code = pt_fail(err, PT_E_LAKE, "table %s: the catalog does not say where its files lie",
                       t->label);
    }
    if (code == PT_OK && !(t->folder = strdup(pt_result_cell(&found, 0, 0)))) {
        code = pt_fail_nomem(err, "a path");
    }
    if (code == PT_OK) {
        t->settings.table_id = pt_result_int(&found, 0, 4);
        t->settings.schema_id = pt_result_int(&found, 0, 5);
        code = pt_settings_take(session, &t->settings, err);
    }
    if (code == PT_OK) {
        t->encrypted = pt_engine_encrypted(pt_session_engine(session));
        bool partitioned = pt_result_int(&found, 0, 1) != 0;
        t->way = partitioned || t->encrypted || t->settings.insert
                     ? PT_WAY_INSERT /* a registered file has no key */
                     : PT_WAY_REGISTER;
        t->shows_files = !hides_virtual_columns(t);
        t->inline_unfit = pt_engine_catalog(pt_session_engine(session)) != PT_CATALOG_DUCKDB &&
                          has_nested(t);
        bool registers = t->way == PT_WAY_REGISTER;
        t->inline_rows = registers && (is_wide(t) || t->inline_unfit)
                             ? 0
                             : inline_rows(&found, own, registers);
    }
    pt_result_clear(&found);
    if (code == PT_OK) {
        code = pt_file_names_check(t->folder, err);
    }
    if (code == PT_OK && !pt_path_is_remote(t->folder)) {
        code = pt_make_folders(t->folder, err);
        if (code == PT_OK) {
            code = pt_folder_writable(t->folder, err);
        }
        if (code != PT_OK) {
            code = pt_fail_in(err, "data path of table %s", t->label);
        }
    }
    return code;
}
