#include "lake/data_path.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "duck/result.h"
#include "duck/uri.h"
#include "lake/guard.h"

/* Files that are looked at: the newest and the oldest of the lake, and the newest of the tables
 * that were written last. */
#define NEWEST      "4"
#define OLDEST      "4"
#define TABLES      "8"
#define OF_DUCKLAKE "ducklake-"
#define UUID_LENGTH 36

/* A file that a lost answer to a COMMIT has cost is brought back by its guard, which lies in the
 * table's folder: it is not adrift. */
static bool has_guard(const char *table_folder, const char *path) {
    const char *name = strrchr(path, '/');
    DIR *dir = opendir(table_folder);
    const struct dirent *entry;
    bool found = false;
    name = name ? name + 1 : path;
    if (strncmp(name, OF_DUCKLAKE, strlen(OF_DUCKLAKE)) == 0) {
        name += strlen(OF_DUCKLAKE);
        while (dir && !found && (entry = readdir(dir))) {
            found = strncmp(entry->d_name, PT_GUARD_PREFIX, strlen(PT_GUARD_PREFIX)) == 0 &&
                    strncmp(entry->d_name + strlen(PT_GUARD_PREFIX), name, UUID_LENGTH) == 0;
        }
    }
    if (dir) {
        (void)closedir(dir);
    }
    return found;
}

static int fail_adrift(const char *data_path, const char *file, pt_error *err) {
    char here[PATH_MAX] = "?";
    if (!getcwd(here, sizeof here)) {
        (void)snprintf(here, sizeof here, "?");
    }
    if (*file == '/') {
        return pt_fail(
            err, PT_E_USAGE,
            "the lake's files are not there: %s, which its catalog names, does not exist "
            "(data_path in the catalog: %s). Is its disk mounted, and this the right "
            "catalog? Nothing was written",
            file, data_path);
    }
    return pt_fail(err, PT_E_USAGE,
                   "the lake's files are not there: its catalog says data_path %s, which counts "
                   "from the working directory, and %s/%s, which it names, does not exist. Start "
                   "pintail in the folder that the lake was made from; nothing was written",
                   data_path, here, file);
}

/* path, data_path, whether it is among the newest, the table's folder */
static int choose_files(pt_engine *engine, pt_session *session, pt_result *out, pt_error *err) {
    pt_text sql = {0};
    const char *a = pt_engine_alias(engine);
    pt_text_addf(&sql,
                 "WITH d AS (SELECT value AS p FROM \"__ducklake_metadata_%s\".ducklake_metadata "
                 "WHERE key = 'data_path' AND scope IS NULL), "
                 "l AS MATERIALIZED (SELECT data_file_id AS id, table_id FROM "
                 "\"__ducklake_metadata_%s\".ducklake_data_file WHERE end_snapshot IS NULL), "
                 "n AS (SELECT id FROM l ORDER BY id DESC LIMIT " NEWEST "), "
                 "c AS (FROM n UNION (SELECT id FROM l ORDER BY id LIMIT " OLDEST
                 ") UNION (SELECT max(id) FROM l GROUP BY table_id ORDER BY 1 DESC LIMIT " TABLES
                 ")), "
                 "f AS (SELECT data_file_id, table_id, path, path_is_relative FROM "
                 "\"__ducklake_metadata_%s\".ducklake_data_file WHERE data_file_id IN (FROM c)), "
                 "s AS (SELECT schema_id, CASE WHEN path_is_relative THEN (SELECT p FROM d) || "
                 "path ELSE path END AS p FROM \"__ducklake_metadata_%s\".ducklake_schema WHERE "
                 "end_snapshot IS NULL), "
                 "t AS (SELECT table_id, CASE WHEN path_is_relative THEN s.p || path ELSE path END "
                 "AS p FROM \"__ducklake_metadata_%s\".ducklake_table t JOIN s USING (schema_id) "
                 "WHERE end_snapshot IS NULL) "
                 "SELECT CASE WHEN path_is_relative THEN t.p || path ELSE path END, (SELECT p FROM "
                 "d), (data_file_id IN (FROM n))::INTEGER, t.p FROM f JOIN t USING (table_id) "
                 "ORDER BY data_file_id DESC",
                 a, a, a, a, a);
    return pt_statement_result(session, &sql, out, err);
}

/* Of the files that were chosen. */
typedef struct looked {
    size_t there, newest_there;
    const char *missing; /* the newest one; NULL: none */
} looked;

static looked look_at(const pt_result *files) {
    looked l = {0};
    for (size_t i = 0; i < files->n_rows; i++) {
        const char *path = pt_result_cell(files, i, 0);
        const char *folder = pt_result_cell(files, i, 3);
        if (!path || pt_path_is_remote(path) || pt_path_exists(path) ||
            has_guard(folder ? folder : ".", path)) {
            l.there++;
            l.newest_there += pt_result_int(files, i, 2) != 0;
        } else if (!l.missing) {
            l.missing = path;
        }
    }
    return l;
}

/* A lake that has no file yet: all rows are in its catalog. An empty folder may be gone for many
 * reasons, so it is told and no more: there is nothing yet that could be split. */
static int look_at_folder(pt_engine *engine, pt_session *session, pt_error *err) {
    pt_text sql = {0};
    char *path = NULL;
    char here[PATH_MAX] = "?";
    const char *a = pt_engine_alias(engine);
    pt_text_addf(
        &sql,
        "SELECT value FROM \"__ducklake_metadata_%s\".ducklake_metadata WHERE key = 'data_path' "
        "AND scope IS NULL AND EXISTS (SELECT 1 FROM duckdb_tables() WHERE schema_name = 'pintail' "
        "AND database_name = ",
        a);
    pt_text_add_sql_string(&sql, a);
    pt_text_add(&sql, ")"); /* pintail has made that folder then */
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_text(session, pt_text_get(&sql), &path, err);
    }
    if (code == PT_OK && path && *path != '/' && !pt_path_is_remote(path) &&
        !pt_path_exists(path)) {
        const char *folder = getcwd(here, sizeof here);
        pt_log(PT_LOG_WARN,
               PT_EVENT("the lake has no files yet, and its data path, which counts from the "
                        "working directory, is not there; if the lake was made from another "
                        "folder, start pintail in that one, "
                        "or it will find the files here missing"),
               PT_STR("data_path", path), PT_STR("folder", folder ? folder : "?"));
    }
    free(path);
    pt_text_free(&sql);
    return code;
}

int pt_data_path_check(pt_engine *engine, pt_session *session, pt_error *err) {
    pt_result files = {0};
    PT_TRY(choose_files(engine, session, &files, err));
    int code = PT_OK;
    if (files.n_rows) {
        looked l = look_at(&files);
        if (!l.newest_there && l.missing) {
            const char *data_path = pt_result_cell(&files, 0, 1);
            code = fail_adrift(data_path ? data_path : "?", l.missing, err);
        } else if (l.missing) {
            pt_log(
                PT_LOG_WARN,
                PT_EVENT(
                    "files that the lake's catalog names are not there; pintail check lists them"),
                PT_INT("missing", files.n_rows - l.there), PT_INT("looked_at", files.n_rows),
                PT_STR("file", l.missing));
        }
    } else {
        code = look_at_folder(engine, session, err);
    }
    pt_result_clear(&files);
    return code;
}
