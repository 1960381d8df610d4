#include "lake/table.h"
#include "lake/partition.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/text.h"
#include "columns/vectors.h"
#include "duck/file_names.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "lake/history.h"
#include "lake/identity.h"
#include "lake/metadata.h"
#include "lake/partition.h"
#include "lake/seen.h"
#include "lake/shape.h"
#include "lake/table_internal.h"
#include "lake/table_name.h"

#define INLINE_VECTORS \
    200 /* columns, those below nested ones included, of a table whose rows are inlined */

void pt_table_add_sql_name(const pt_table *t, const pt_engine *engine, pt_text *sql) {
    pt_text_add_sql_name(sql, pt_engine_alias(engine));
    pt_text_add(sql, ".");
    pt_text_add_sql_name(sql, t->schema_name);
    pt_text_add(sql, ".");
    pt_text_add_sql_name(sql, t->name);
}

/* ---- what the table has ---- */

static int read_columns(pt_engine *engine, pt_session *session, const pt_table *t, pt_result *out,
                        pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT column_name, data_type, is_nullable, column_default, (database_name, "
                      "schema_name, table_name) IN "
                      "(SELECT (database_name, schema_name, view_name) FROM duckdb_views()) FROM "
                      "duckdb_columns() WHERE database_name = ");
    pt_text_add_sql_string(&sql, pt_engine_alias(engine));
    pt_text_add(&sql, " AND schema_name = ");
    pt_text_add_sql_string(&sql, t->schema_name);
    pt_text_add(&sql, " AND table_name = ");
    pt_text_add_sql_string(&sql, t->name);
    pt_text_add(&sql, " ORDER BY column_index");
    return pt_statement_result(session, &sql, out, err);
}

/* now: it was seen a moment ago; else a table that was not there may have been made since. */
static int know_columns(pt_engine *engine, pt_session *session, const pt_seen *seen, bool now,
                        const pt_table *t, pt_result *out, pt_error *err) {
    *out = (pt_result){0};
    if (seen) {
        PT_TRY(pt_seen_columns(seen, t->schema_name, t->name, out, err));
    }
    if (out->n_rows || (seen && now)) {
        return PT_OK;
    }
    pt_result_clear(out);
    return read_columns(engine, session, t, out, err);
}

/* DuckDB's names are the same in any case, its lists of them are not: the table's and the schema's
 * names as the catalog has them, if it has them. */
static int take_spelling(pt_engine *engine, pt_session *session, pt_table *t, pt_error *err) {
    static const char *const lists[][2] = {{"duckdb_tables()", "table_name"},
                                           {"duckdb_views()", "view_name"},
                                           {"duckdb_schemas()", NULL}};
    pt_text sql = {0};
    pt_result found = {0};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        pt_text_addf(&sql, "%sSELECT schema_name, %s AS name FROM %s WHERE database_name = ",
                     i ? " UNION ALL " : "", lists[i][1] ? lists[i][1] : "''", lists[i][0]);
        pt_text_add_sql_string(&sql, pt_engine_alias(engine));
        pt_text_add(&sql, " AND ");
        pt_table_name_add_sql_is(&sql, "schema_name", t->schema_name);
        if (lists[i][1]) {
            pt_text_add(&sql, " AND ");
            pt_table_name_add_sql_is(&sql, lists[i][1], t->name);
        }
    }
    pt_text_add(&sql, " ORDER BY name DESC LIMIT 1"); /* the table's row, else the schema's */
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), &found, err);
    }
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
    pt_text_free(&sql);
    return code;
}

static int know_spelling(pt_engine *engine, pt_session *session, const pt_seen *seen, pt_table *t,
                         pt_error *err) {
    const char *schema = NULL, *name = NULL;
    if (seen) {
        pt_seen_spelling(seen, t->schema_name, t->name, &schema, &name);
    }
    if (!seen) {
        return take_spelling(engine, session, t, err);
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

/* ---- layout and folder ---- */

static int lay_out(pt_table *t, pt_error *err) {
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

/* Out of find_folder's row: the lake's limit for the table, its schema or all; else what ingest was
 * told. Of pintail's own tables the smaller one: they are all told to inline more, for the ledger's
 * sake. What cannot be staged is inlined as the lake says, whatever ingest was told. */
static size_t inline_rows(const pt_result *found, bool own, bool registers) {
    size_t logged = (size_t)pt_result_int(found, 0, 3);
    if ((logged == 0 && registers) || !pt_result_cell(found, 0, 2)) {
        return logged;
    }
    size_t limit = (size_t)pt_result_int(found, 0, 2);
    return own && logged < limit ? logged : limit;
}

/* And whether it may be staged, and what is inlined. */
static int find_folder(pt_engine *engine, pt_session *session, pt_table *t, bool own,
                       pt_error *err) {
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
        t->encrypted = pt_engine_encrypted(engine);
        bool partitioned = pt_result_int(&found, 0, 1) != 0;
        t->way = partitioned || t->encrypted || t->settings.insert
                     ? PT_WAY_INSERT /* a registered file has no key */
                     : PT_WAY_REGISTER;
        t->shows_files = !hides_virtual_columns(t);
        t->inline_unfit = pt_engine_catalog(engine) != PT_CATALOG_DUCKDB && has_nested(t);
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

bool pt_table_has_subfolders(const pt_table *t) {
    return t->way == PT_WAY_INSERT;
}

bool pt_table_spoils_inlined(const pt_table *t) {
    return t->inline_unfit && t->way == PT_WAY_INSERT && t->inline_rows > 0;
}

int pt_table_look_for_rows(pt_engine *engine, pt_session *session, pt_table *t, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT count(*) FROM (FROM ");
    pt_table_add_sql_name(t, engine, &sql);
    pt_text_add(&sql, " LIMIT 1)");
    int64_t n = 0;
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(&sql), &n, err);
        if (code != PT_OK) {
            code = pt_fail_in(
                err,
                "table %s cannot be read (a relative data path counts from the working directory)",
                t->label);
        }
    }
    t->has_rows = n > 0;
    pt_text_free(&sql);
    return code;
}

/* ---- open ---- */

int pt_table_check(const pt_table_options *options, pt_error *err) {
    pt_schema *asked = NULL;
    char *schema_name = NULL;
    char *name = NULL;
    int code = pt_table_name_split(options->table, &schema_name, &name, err);
    free(schema_name);
    free(name);
    if (code == PT_OK && options->schema_text) {
        code = pt_schema_parse(options->schema_text, &asked, err);
        code = code == PT_OK ? pt_table_check_asked(asked, options->table, false, err)
                             : pt_fail_in(err, "schema of table %s", options->table);
    }
    pt_schema_free(&asked);
    return code;
}

/* The columns of the table, none when it is missing: then it can be made of what is asked. */
static int find_columns(pt_engine *engine, pt_session *session, const pt_seen *seen, bool now,
                        const pt_table *t, pt_schema *asked, pt_result *columns, pt_error *err) {
    PT_TRY(know_columns(engine, session, seen, now, t, columns, err));
    if (columns->n_rows && strcmp(pt_result_cell(columns, 0, 4), "true") == 0) {
        return pt_fail(err, PT_E_USAGE,
                       "%s is a view, and rows go into tables only; give --table another name",
                       t->label);
    }
    if (columns->n_rows) {
        return PT_OK;
    }
    if (!asked) {
        return pt_fail(err, PT_E_USAGE, PT_TARGET_NO_TABLE, t->label,
                       pt_table_name_hint(engine, session, t->label).text);
    }
    return pt_table_check_new(engine, session, t, asked,
                              err); /* one that cannot be used must not leave a table behind */
}

static int parse_asked(const pt_table *t, const char *schema_text, bool own, pt_schema **out,
                       pt_error *err) {
    *out = NULL;
    if (!schema_text) {
        return PT_OK;
    }
    if (pt_schema_parse(schema_text, out, err) != PT_OK) {
        return own ? (int)err->code : pt_fail_in(err, "schema of table %s", t->label);
    }
    return pt_table_check_asked(*out, t->label, own, err);
}

/* One that this version cannot read any more tells nothing. */
static int take_noted(pt_table *t, const char *text, pt_error *err) {
    pt_schema *noted = NULL;
    pt_error why = {0};
    if (pt_schema_parse(text, &noted, &why) != PT_OK) {
        return why.code == PT_E_NOMEM ? pt_fail_nomem(err, "a schema") : PT_OK;
    }
    pt_table_take_noted(t, noted);
    pt_schema_free(&noted);
    return PT_OK;
}

static int open_named(pt_engine *engine, pt_session *session, const pt_seen *seen, pt_table *t,
                      const char *schema_text, const char *noted_text, bool own, pt_metas metas,
                      const char *other_topic, pt_error *err) {
    pt_schema *asked = NULL;
    pt_result columns = {0};
    int code = parse_asked(t, schema_text, own, &asked, err);
    if (code == PT_OK) {
        code = pt_shape_read(session, t, err);
    }
    if (code == PT_OK) {
        code = find_columns(engine, session, seen, false, t, asked, &columns, err);
    }
    if (code == PT_OK && columns.n_rows == 0) {
        pt_result_clear(&columns);
        pt_text sql = {0};
        pt_table_add_create(engine, t, asked, metas, &sql);
        code = pt_tables_make(engine, session, t->label, &sql, err);
        pt_text_free(&sql);
        if (code == PT_OK) {
            code = pt_shape_read(session, t, err);
        }
        if (code == PT_OK) {
            code = read_columns(engine, session, t, &columns, err);
        }
    }
    if (code == PT_OK) {
        code = pt_table_take_columns(t, &columns, asked, own, metas, other_topic, err);
    }
    if (code == PT_OK && !schema_text && noted_text) {
        code = take_noted(t, noted_text, err);
    }
    if (code == PT_OK) {
        code = pt_table_evaluate_defaults(session, t->label, t->schema, err);
    }
    if (code == PT_OK) {
        code = lay_out(t, err);
    }
    if (code == PT_OK) {
        code = find_folder(engine, session, t, own, err);
    }
    if (code == PT_OK && !own && t->way == PT_WAY_INSERT) {
        code = pt_partition_open(engine, session, t, err);
    }
    pt_result_clear(&columns);
    pt_schema_free(&asked);
    return code;
}

static int finish(pt_table *t, int code, pt_table **out) {
    if (code != PT_OK) {
        pt_table_free(&t);
    }
    *out = t;
    return code;
}

static int know_other_topic(pt_engine *engine, pt_session *session, const pt_table_options *options,
                            const char *label, char **other, pt_error *err) {
    const char *seen = options->seen ? pt_seen_other_topic(options->seen, label, options->topic)
                                     : NULL;
    *other = NULL;
    if (!options->seen) {
        return pt_history_other_topic(engine, session, label, options->topic, other, err);
    }
    return !seen || (*other = strdup(seen)) ? PT_OK : pt_fail_nomem(err, "a topic");
}

/* Its names as the lake spells them, and the metadata columns that it gets; *other: the topic
 * because of which it needs _kafka_topic, or NULL. */
static int name_target(pt_engine *engine, pt_session *session, const pt_table_options *options,
                       pt_table *t, pt_metas *metas, char **other, pt_error *err) {
    *other = NULL;
    *metas = PT_METAS_ALWAYS | options->extra;
    PT_TRY(pt_table_name_split(options->table, &t->schema_name, &t->name, err));
    PT_TRY(pt_table_name_refuse_alias(options->table, pt_engine_alias(engine), err));
    PT_TRY(know_spelling(engine, session, options->seen, t, err));
    t->label = pt_table_name_label(t->schema_name, t->name);
    if (!t->label) {
        return pt_fail_nomem(err, "a table's name");
    }
    if (options->topic && !(*metas & (1U << PT_META_TOPIC))) {
        PT_TRY(know_other_topic(engine, session, options, t->label, other, err));
        *metas |= *other ? 1U << PT_META_TOPIC : 0;
    }
    return PT_OK;
}

int pt_table_plan(pt_engine *engine, pt_session *session, const pt_table_options *options,
                  pt_table_planned *out, pt_text *sql, pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    pt_schema *asked = NULL;
    pt_result columns = {0};
    char *other = NULL;
    *out = (pt_table_planned){0};
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    int code = name_target(engine, session, options, t, &out->metas, &other, err);
    if (code == PT_OK) {
        code = parse_asked(t, options->schema_text, false, &asked, err);
    }
    if (code == PT_OK) {
        code = find_columns(engine, session, options->seen, true, t, asked, &columns, err);
    }
    if (code == PT_OK && columns.n_rows == 0) {
        pt_table_add_create(engine, t, asked, out->metas, sql);
        out->missing = t->label;
        t->label = NULL;
    }
    free(other);
    pt_result_clear(&columns);
    pt_schema_free(&asked);
    pt_table_free(&t);
    return code;
}

int pt_table_open(pt_engine *engine, pt_session *session, const pt_table_options *options,
                  pt_table **out, pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    pt_metas metas;
    char *other = NULL;
    *out = NULL;
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    int code = name_target(engine, session, options, t, &metas, &other, err);
    if (code == PT_OK) {
        const char *noted = options->notes && options->topic
                                ? pt_identities_find_schema(options->notes, options->topic,
                                                            t->label)
                                : NULL;
        code = open_named(engine, session, options->seen, t, options->schema_text, noted, false,
                          metas, other, err);
    }
    free(other);
    return finish(t, code, out);
}

int pt_table_open_own(pt_engine *engine, pt_session *session, const char *name,
                      const char *schema_text, pt_table **out, pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    t->schema_name = strdup("pintail");
    t->name = strdup(name);
    t->label = strdup(name);
    t->dead_letters = strcmp(name, "dead_letters") == 0;
    int code = t->schema_name && t->name && t->label ? PT_OK : pt_fail_nomem(err, "a table");
    if (code == PT_OK) {
        code = open_named(engine, session, NULL, t, schema_text, NULL, true, 0, NULL, err);
    }
    return finish(t, code, out);
}

int pt_table_open_place(pt_engine *engine, pt_session *session, const char *schema,
                        const char *name, pt_table **out, pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    t->schema_name = strdup(schema);
    t->name = strdup(name);
    t->label = pt_table_name_label(schema, name);
    int code = t->schema_name && t->name && t->label ? PT_OK : pt_fail_nomem(err, "a table");
    if (code == PT_OK) {
        code = pt_shape_read(session, t, err);
    }
    if (code == PT_OK) {
        code = find_folder(engine, session, t, false, err);
    }
    return finish(t, code, out);
}

void pt_table_free(pt_table **target) {
    pt_table *t = *target;
    if (t) {
        pt_schema_free(&t->schema);
        free(t->types);
        free(t->names);
        free(t->schema_name);
        free(t->name);
        free(t->label);
        free(t->folder);
        free(t->keys);
        pt_lake_settings_clear(&t->settings);
        free(t);
        *target = NULL;
    }
}
