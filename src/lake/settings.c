#include "lake/settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "lake/metadata.h"
#include "lake/setting_value.h"

#define LIMIT "data_inlining_row_limit"
#define SORT  PT_METADATA_SORT

/* What matters to a writer of files and of inlined rows, and to a fold. */
static const char *const keys[] = {"parquet_compression",
                                   "parquet_compression_level",
                                   "parquet_version",
                                   "parquet_row_group_size",
                                   "parquet_row_group_size_bytes",
                                   "target_file_size",
                                   "per_thread_output",
                                   "hive_file_pattern",
                                   LIMIT,
                                   "sort_on_insert",
                                   "auto_compact",
                                   SORT};

/* 3 of the table, 2 of its schema, 1 of the lake; 0: not of this table. */
static int rank(const pt_result *all, size_t row, const pt_lake_settings *of) {
    const char *scope = pt_result_cell(all, row, 2);
    int64_t id = pt_result_int(all, row, 3);
    if (!scope || strcmp(scope, "global") == 0) {
        return 1;
    }
    return strcmp(scope, "table") == 0 && id == of->table_id     ? 3
           : strcmp(scope, "schema") == 0 && id == of->schema_id ? 2
                                                                 : 0;
}

/* NULL: nothing is said. */
static const char *find(const pt_result *all, const char *key, const pt_lake_settings *of) {
    const char *value = NULL;
    int best = 0;
    for (size_t r = 0; r < all->n_rows; r++) {
        int rank_of = strcmp(pt_result_cell(all, r, 0), key) == 0 ? rank(all, r, of) : 0;
        if (rank_of > best) {
            best = rank_of;
            value = pt_result_cell(all, r, 1);
        }
    }
    return value;
}

/* "of the lake", "of schema s", "of table s.t" */
static void add_scope(pt_session *session, const pt_result *all, size_t row, pt_text *out) {
    const char *scope = pt_result_cell(all, row, 2);
    bool table = scope && strcmp(scope, "table") == 0;
    char *name = NULL;
    pt_error ignored;
    int64_t id = pt_result_int(all, row, 3);
    if (table || (scope && strcmp(scope, "schema") == 0)) {
        int code = table ? pt_metadata_table_label(session, id, &name, &ignored)
                         : pt_metadata_schema_name(session, id, &name, &ignored);
        pt_text_addf(out, "of %s %s", scope, code == PT_OK && name ? name : "?");
    } else {
        pt_text_add(out, "of the lake");
    }
    free(name);
}

static int fail_value(pt_session *session, const pt_result *all, size_t row, const char *has_to_be,
                      pt_error *err) {
    pt_text scope = {0};
    const char *key = pt_result_cell(all, row, 0);
    const char *value = pt_result_cell(all, row, 1);
    add_scope(session, all, row, &scope);
    int code = pt_fail(
        err, PT_E_LAKE,
        "the setting %s %s is '%s' in the catalog (ducklake_metadata), and has to be %s; set it "
        "anew with CALL lake.set_option('%s', ...) for that scope, or delete its row there",
        key, pt_text_get(&scope), value ? value : "NULL", has_to_be, key);
    pt_text_free(&scope);
    return code;
}

/* What is said of the lake, and where `of` is given of its table and schema, is something that can
 * be. */
static int check_values(pt_session *session, const pt_result *all, const pt_lake_settings *of,
                        pt_error *err) {
    for (size_t r = 0; r < all->n_rows; r++) {
        const char *value = pt_result_cell(all, r, 1);
        const char *has_to_be = rank(all, r, of) ? pt_setting_wrong(pt_result_cell(all, r, 0),
                                                                    value ? value : "")
                                                 : NULL;
        if (has_to_be) {
            return fail_value(session, all, r, has_to_be, err);
        }
    }
    const char *level = find(all, "parquet_compression_level", of);
    const char *codec = find(all, "parquet_compression", of);
    if (level &&
        (!codec || strcasecmp(codec, "zstd") !=
                       0)) { /* DuckDB refuses the two, also for rows that stay in the catalog */
        return pt_fail(
            err, PT_E_LAKE,
            "the lake's settings do not go together: parquet_compression_level is %s, which is for "
            "zstd alone, and parquet_compression is %s; set one of them anew with CALL "
            "lake.set_option, or delete the row of the level in ducklake_metadata",
            level, codec ? codec : "not set (snappy)");
    }
    return PT_OK;
}

int pt_settings_version(const pt_result *all, pt_error *err) {
    static const pt_lake_settings lake = {.table_id = -1, .schema_id = -1};
    const char *version = find(all, "version", &lake);
    if (version && strcmp(version, PT_DUCKLAKE_VERSION) != 0) {
        return pt_fail_why(
            err, PT_E_LAKE, PT_WHY_NO_RECORD,
            "the lake's catalog is of DuckLake version %s, and this program "
            "speaks " PT_DUCKLAKE_VERSION
            ": somebody has migrated it, which cannot be undone; put a backup back, "
            "and keep others from migrating it with DUCKLAKE_VERSION '" PT_DUCKLAKE_VERSION
            "' at their ATTACH, without AUTOMATIC_MIGRATION",
            version);
    }
    return PT_OK;
}

/* Where the lake says at whatever scope how many bytes a row group has, an INSERT of DuckLake's
 * wants to be free in the order of rows: those into pintail's own tables, too. */
int pt_settings_begin(pt_session *session, pt_error *err) {
    static const pt_lake_settings lake = {.table_id = -1, .schema_id = -1};
    pt_result all = {0};
    bool bytes = false;
    int code = pt_metadata_settings(session, &all, err);
    for (size_t r = 0; r < all.n_rows; r++) {
        bytes |= strcmp(pt_result_cell(&all, r, 0), "parquet_row_group_size_bytes") == 0;
    }
    if (code == PT_OK) {
        code = check_values(session, &all, &lake, err);
    }
    if (code == PT_OK && bytes) {
        code = pt_session_run(session, "SET GLOBAL preserve_insertion_order = false", err);
    }
    pt_result_clear(&all);
    return code;
}

int pt_settings_add(const pt_result *all, const pt_lake_settings *of, bool limit, pt_text *out,
                    pt_error *err) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = find(all, keys[i], of);
        if (value && (limit || strcmp(keys[i], LIMIT) != 0)) {
            pt_text_addf(out, "%s%s=%s", out->len ? ", " : "", keys[i], value);
        }
    }
    return pt_text_check(out, err);
}

static bool is_true(const char *value) {
    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static void add_option(pt_text *copy, const char *option, const char *value) {
    if (value) {
        pt_text_addf(copy, ", %s ", option);
        pt_text_add_sql_string(copy, value);
    }
}

int pt_settings_take(pt_session *session, pt_lake_settings *settings, pt_error *err) {
    pt_result all = {0};
    pt_text text = {0};
    pt_text rest = {0};
    pt_text copy = {0};
    pt_lake_settings_clear(settings);
    int code = pt_metadata_settings(session, &all, err);
    if (code == PT_OK) {
        code = pt_settings_version(&all, err);
    }
    if (code == PT_OK) {
        code = check_values(session, &all, settings, err);
    }
    if (code == PT_OK) {
        code = pt_settings_add(&all, settings, true, &text, err);
    }
    if (code == PT_OK) {
        code = pt_settings_add(&all, settings, false, &rest, err);
    }
    if (code == PT_OK) {
        const char *version = find(&all, "parquet_version", settings);
        const char *rows = find(&all, "parquet_row_group_size", settings);
        const char *bytes = find(&all, "parquet_row_group_size_bytes", settings);
        add_option(&copy, "PARQUET_VERSION", version ? version : "V2");
        add_option(&copy, "COMPRESSION", find(&all, "parquet_compression", settings));
        add_option(&copy, "COMPRESSION_LEVEL", find(&all, "parquet_compression_level", settings));
        settings->group_rows = rows ? strtoull(rows, NULL, 10) : PT_ROW_GROUP_ROWS;
        settings->group_bytes = bytes ? strtoull(bytes, NULL, 10) : 0;
        settings->insert = find(&all, "target_file_size", settings) ||
                           is_true(find(&all, "per_thread_output", settings)) ||
                           find(&all, SORT,
                                settings); /* DuckLake 1.0 sorts whatever sort_on_insert says */
        code = pt_text_check(&copy, err);
    }
    if (code == PT_OK) {
        settings->all = strdup(pt_text_get(&text));
        settings->copy = strdup(pt_text_get(&copy));
        settings->rest = strdup(pt_text_get(&rest));
        settings->forbidden = calloc(1, sizeof *settings->forbidden);
        code = settings->all && settings->copy && settings->rest && settings->forbidden
                   ? PT_OK
                   : pt_fail_nomem(err, "the lake's settings");
    }
    pt_result_clear(&all);
    pt_text_free(&text);
    pt_text_free(&rest);
    pt_text_free(&copy);
    return code;
}

void pt_lake_settings_clear(pt_lake_settings *settings) {
    free(settings->all);
    free(settings->rest);
    free(settings->copy);
    free(settings->forbidden);
    settings->all = settings->rest = settings->copy = NULL;
    settings->forbidden = NULL;
}
