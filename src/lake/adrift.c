#include "lake/adrift.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "lake/guard.h"
#include "lake/lake_uri.h"
#include "lake/table.h"

#define LOOKED_AT "8" /* files */
#define OF_DUCKLAKE "ducklake-"
#define UUID_LENGTH 36

/* A file that a lost answer to a COMMIT has cost is brought back by its guard: it is not adrift. */
static bool has_guard(const char *path) {
    const char *name = strrchr(path, '/');
    char *folder = pt_folder_of(path);
    DIR *dir = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    bool found = false;
    name = name ? name + 1 : path;
    if (strncmp(name, OF_DUCKLAKE, strlen(OF_DUCKLAKE)) == 0) {
        name += strlen(OF_DUCKLAKE);
        while (dir && !found && (entry = readdir(dir))) {
            found = strncmp(entry->d_name, PT_GUARD_PREFIX, strlen(PT_GUARD_PREFIX)) == 0 && strncmp(entry->d_name + strlen(PT_GUARD_PREFIX), name, UUID_LENGTH) == 0;
        }
    }
    if (dir) {
        (void)closedir(dir);
    }
    free(folder);
    return found;
}

static int fail_adrift(const char *data_path, const char *file, pt_error *err) {
    char here[PATH_MAX] = "?";
    if (!getcwd(here, sizeof here)) {
        (void)strcpy(here, "?");
    }
    if (*file == '/') {
        return pt_fail(err, PT_E_USAGE, "the lake's files are not there: %s, which its catalog names, does not exist (data_path in the catalog: %s). Is its disk mounted, and this the right "
                       "catalog? Nothing was written", file, data_path);
    }
    return pt_fail(err, PT_E_USAGE, "the lake's files are not there: its catalog says data_path %s, which counts from the working directory, and %s/%s, which it names, does not exist. Start "
                   "pintail in the folder that the lake was made from; nothing was written", data_path, here, file);
}

int pt_adrift_check(pt_engine *engine, pt_session *session, pt_error *err) {
    pt_text sql = {0};
    pt_table files = {0};
    const char *a = pt_engine_alias(engine);
    pt_text_addf(&sql,
                 "WITH d AS (SELECT value AS p FROM \"__ducklake_metadata_%s\".ducklake_metadata WHERE key = 'data_path' AND scope IS NULL), "
                 "f AS (SELECT table_id, path, path_is_relative FROM \"__ducklake_metadata_%s\".ducklake_data_file WHERE end_snapshot IS NULL LIMIT " LOOKED_AT "), "
                 "s AS (SELECT schema_id, CASE WHEN path_is_relative THEN (SELECT p FROM d) || path ELSE path END AS p FROM \"__ducklake_metadata_%s\".ducklake_schema WHERE end_snapshot IS NULL), "
                 "t AS (SELECT table_id, CASE WHEN path_is_relative THEN s.p || path ELSE path END AS p FROM \"__ducklake_metadata_%s\".ducklake_table t JOIN s USING (schema_id) "
                 "WHERE end_snapshot IS NULL) "
                 "SELECT CASE WHEN path_is_relative THEN t.p || path ELSE path END, (SELECT p FROM d) FROM f JOIN t USING (table_id)",
                 a, a, a, a);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), &files, err);
    }
    bool found = false;
    for (size_t i = 0; code == PT_OK && !found && i < files.n_rows; i++) {
        const char *path = pt_table_cell(&files, i, 0);
        found = !path || pt_path_is_remote(path) || pt_path_exists(path) || has_guard(path);
    }
    if (code == PT_OK && files.n_rows && !found) {
        const char *data_path = pt_table_cell(&files, 0, 1);
        code = fail_adrift(data_path ? data_path : "?", pt_table_cell(&files, 0, 0), err);
    }
    pt_table_clear(&files);
    pt_text_free(&sql);
    return code;
}
