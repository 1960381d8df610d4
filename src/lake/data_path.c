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
#include "lake/metadata.h"

/* Files that are looked at: the newest and the oldest of the lake, and the newest of the tables
 * that were written last. */
#define NEWEST      4
#define OLDEST      4
#define TABLES      8
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
static int look_at_folder(pt_session *session, pt_error *err) {
    char *path = NULL;
    char here[PATH_MAX] = "?";
    int code = pt_metadata_own_data_path(session, &path, err); /* pintail has made that folder */
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
    return code;
}

int pt_data_path_check(pt_session *session, pt_error *err) {
    pt_result files = {0};
    PT_TRY(pt_metadata_some_files(session, NEWEST, OLDEST, TABLES, &files, err));
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
        code = look_at_folder(session, err);
    }
    pt_result_clear(&files);
    return code;
}
