#include "lake/guard_internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/path.h"
#include "base/text.h"
#include "duck/failure.h"
#include "duck/file_names.h"
#include "duck/http_failure.h"
#include "duck/object_store.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "lake/file_mark.h"
#include "lake/metadata.h"

#define UUID_LENGTH  36
#define TIME_DIGITS  12                   /* of a version 7 UUID: milliseconds */
#define TAKEN_WITHIN (60 * PT_SECOND)     /* after it was made */
#define INLINED      "__ducklake_inlined" /* begins the "file" of rows that stay in the catalog */

/* Of this process; a guard is made and dropped in one thread. */
static uint32_t tag(void) {
    static uint32_t own;
    while (own == 0) {
        if (getrandom(&own, sizeof own, 0) != (ssize_t)sizeof own) {
            own = (uint32_t)getpid();
        }
    }
    return own;
}

/* Path of the guard for a data file, malloc'd. */
int pt_guard_name(const pt_table *t, const char *file, char **out, pt_error *err) {
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *uuid = name + strlen(PT_FILE_PREFIX);
    if (strncmp(name, PT_FILE_PREFIX, strlen(PT_FILE_PREFIX)) != 0 || strlen(uuid) < UUID_LENGTH ||
        (strcmp(uuid + UUID_LENGTH, PT_FILE_SUFFIX) != 0 &&
         strcmp(uuid + UUID_LENGTH, PT_DELETE_SUFFIX) != 0)) {
        return pt_fail(err, PT_E_LAKE,
                       "table %s: DuckLake wrote %s, a name that this version does not know",
                       t->label, file);
    }
    char mark[PT_MARK_DIGITS + 1];
    pt_file_mark(t, mark);
    return asprintf(out, "%s" PT_GUARD_PREFIX "%.*s-%s-%08x.pq", t->folder, UUID_LENGTH, uuid, mark,
                    tag()) < 0
               ? pt_fail_nomem(err, "a path")
               : PT_OK;
}

/* A guard is never wrong: when its name is there already it is a link to this very file, or what
 * another attempt with this name has left. */
static bool same_file(const char *a, const char *b) {
    struct stat x;
    struct stat y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Local disks: the bytes of `from` get the name `to` as well. Object stores, and some file systems,
 * have no links: a copy. */
static int give_name(pt_session *session, const char *from, const char *to, pt_error *err) {
    if (!pt_path_is_remote(from)) {
        if (link(from, to) == 0 ||
            (errno == EEXIST &&
             (same_file(from, to) || (unlink(to) == 0 && link(from, to) == 0)))) {
            return PT_OK;
        }
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) {
            bool gone = errno == ENOENT;
            return pt_fail_why(err, gone ? PT_E_LAKE_BUSY : PT_E_IO,
                               gone ? PT_WHY_NO_FILE : PT_WHY_NONE, "hard link from %s to %s: %s",
                               from, to, strerror(errno));
        }
    }
    return pt_file_copy(session, from, to, err);
}

/* And its place in its folder, which is a partition's. */
static int sync_file(const char *file, pt_error *err) {
    if (pt_path_is_remote(file)) {
        return PT_OK;
    }
    PT_TRY(pt_sync_file(file, err));
    const char *slash = strrchr(file, '/');
    char *folder = slash ? strndup(file, (size_t)(slash - file)) : strdup(".");
    int code = folder ? pt_sync_folder(folder, err) : pt_fail_nomem(err, "a path");
    free(folder);
    return code;
}

/* ---- files that somebody takes away ---- */

/* Whether the error is about a data file that was made a moment ago: then it was taken for an
 * orphan before its rows were committed. */
static bool tells_of_a_young_file(const pt_error *err) {
    const char *name = pt_failure_names_file(err->text, PT_FILE_PREFIX);
    char digits[TIME_DIGITS + 1] = "";
    if (!name || !pt_error_is(err, PT_WHY_NO_FILE | PT_WHY_NO_OBJECT)) {
        return false;
    }
    for (size_t n = 0; n < TIME_DIGITS && (isxdigit((unsigned char)*name) || *name == '-');
         name++) {
        if (*name != '-') {
            digits[n++] = *name;
        }
    }
    int64_t made_us = (int64_t)strtoull(digits, NULL, 16) * 1000;
    return pt_now_us() - made_us < TAKEN_WITHIN;
}

int pt_guard_taken(const pt_table *t, pt_error *err) {
    if (tells_of_a_young_file(err)) {
        return pt_fail(err, PT_E_LAKE_BUSY,
                       "table %s: a data file is gone before its rows are committed; does somebody "
                       "call delete_orphaned_files(cleanup_all => true)?",
                       t->label);
    }
    return (int)err->code;
}

static int guard_it(pt_session *session, const pt_table *t, const char *file, pt_error *err) {
    char *guard = NULL;
    PT_TRY(sync_file(file, err));
    PT_TRY(pt_guard_name(t, file, &guard, err));
    int code = give_name(session, file, guard, err);
    free(guard);
    return code;
}

int pt_guarded_begin(pt_guarded *guarded, size_t n, pt_error *err) {
    pt_guarded_clear(guarded);
    guarded->files = calloc(n + 1, sizeof *guarded->files);
    return guarded->files ? PT_OK : pt_fail_nomem(err, "a list of data files");
}

int pt_guarded_sync(const pt_table *t, const pt_guarded *guarded, pt_error *err) {
    return guarded->n && !pt_path_is_remote(t->folder) ? pt_sync_folder(t->folder, err) : PT_OK;
}

int pt_guard_add(pt_session *session, const pt_table *t, const char *file, pt_guarded *guarded,
                 pt_error *err) {
    char *copy = strdup(file);
    if (!copy) {
        return pt_fail_nomem(err, "a path");
    }
    guarded->files[guarded->n++] = copy;
    int code = guard_it(session, t, file, err);
    if (code == PT_OK) {
        (void)pt_failpoint("guard.made");
    }
    return code == PT_OK ? PT_OK : pt_guard_taken(t, err);
}

/* ---- and back ---- */

int pt_guard_restore(pt_session *session, const char *guard, const char *file, uint64_t *restored,
                     pt_error *err) {
    int64_t size;
    int64_t wanted;
    PT_TRY(pt_file_size(session, file, &size, err));
    PT_TRY(pt_file_size(session, guard, &wanted, err));
    if (size >= 0 && (size == wanted || wanted < 0)) {
        return PT_OK;
    }
    if (wanted < 0) { /* its owner may have brought it back in between */
        PT_TRY(pt_file_size(session, file, &size, err));
        return size >= 0 ? PT_OK
                         : pt_fail(err, PT_E_LAKE,
                                   "data file %s is gone though its rows are committed, and so is "
                                   "its copy %s",
                                   file, guard);
    }
    PT_TRY(give_name(session, guard, file, err));
    ++*restored;
    return sync_file(file, err);
}

/* pintail's own tables have the column, too. */
static bool has_ingest_time(const pt_table *t) {
    for (size_t i = 0; i < t->n_columns; i++) {
        if (strcmp(t->names[i], "ingest_time") == 0) {
            return true;
        }
    }
    return false;
}

/* Rows of this transaction have no snapshot yet. The bound on ingest_time spares DuckLake the files
 * of all earlier flushes. */
static int list_files(pt_session *session, const pt_table *t, size_t slot, pt_result *out,
                      pt_error *err) {
    pt_text sql = {0};
    bool bounded = has_ingest_time(t);
    int64_t first = 0;
    if (bounded) {
        PT_TRY(pt_session_exec_int(session, &first, err,
                                   "SELECT epoch_us(min(ingest_time)) FROM pintail_rows(?)",
                                   PT_VALUES(pt_int((int64_t)slot))));
    }
    pt_text_add(&sql, "SELECT DISTINCT filename FROM ");
    pt_table_add_sql_name(t, session, &sql);
    pt_text_addf(&sql, " WHERE snapshot_id IS NULL%s",
                 bounded ? " AND ingest_time >= make_timestamptz(?)" : "");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_exec(session, out, err, pt_text_get(&sql),
                               bounded ? PT_VALUES(pt_int(first)) : PT_NO_VALUES);
    }
    pt_text_free(&sql);
    return code;
}

/* PostgreSQL ends a session that is idle in a transaction (duck/attach.h). There are two:
 * DuckLake's own, which its function reaches, and the one of our looks at the metadata
 * (lake/gate.h). */
int pt_guard_awake(pt_session *session, const char *file, pt_error *err) {
    if (!pt_path_is_remote(file) ||
        pt_engine_catalog(pt_session_engine(session)) != PT_CATALOG_POSTGRES) {
        return PT_OK;
    }
    const char *alias = pt_session_alias(session);
    PT_TRY(
        pt_session_exec(session, NULL, err, "FROM ducklake_options(?)", PT_VALUES(pt_str(alias))));
    /* To postgres_execute the name of the database is a text, which has to be constant. */
    return pt_session_runf(session, err,
                           "CALL postgres_execute('__ducklake_metadata_%s', 'SELECT 1')", alias);
}

static int guard_files(pt_session *session, const pt_table *t, const pt_result *files,
                       pt_guarded *guarded, pt_error *err) {
    PT_TRY(pt_guarded_begin(guarded, files->n_rows, err));
    for (size_t i = 0; i < files->n_rows; i++) {
        const char *file = pt_result_cell(files, i, 0);
        if (strncmp(file, INLINED, strlen(INLINED)) != 0) {
            PT_TRY(pt_guard_add(session, t, file, guarded, err));
            PT_TRY(pt_guard_awake(session, file, err));
        }
    }
    return pt_guarded_sync(t, guarded, err);
}

int pt_guard_insert(pt_session *session, const pt_table *t, size_t slot, pt_guarded *guarded,
                    pt_error *err) {
    pt_result files = {0};
    pt_guarded_clear(guarded);
    if (list_files(session, t, slot, &files, err) != PT_OK) {
        return pt_guard_taken(t, err);
    }
    int code = files.n_rows
                   ? guard_files(session, t, &files, guarded, err)
                   : pt_fail(err, PT_E_LAKE,
                             "table %s: DuckLake does not show the files of an INSERT", t->label);
    pt_result_clear(&files);
    return code;
}

/* ---- afterwards ---- */

int pt_guards_restore(pt_session *session, const pt_table *t, const pt_guarded *guarded,
                      pt_error *err) {
    uint64_t restored = 0;
    for (size_t i = 0; i < guarded->n; i++) {
        char *guard = NULL;
        PT_TRY(pt_guard_name(t, guarded->files[i], &guard, err));
        int code = pt_guard_restore(session, guard, guarded->files[i], &restored, err);
        free(guard);
        PT_TRY(code);
    }
    return PT_OK;
}

void pt_guards_drop(pt_session *session, const pt_table *t, pt_guarded *guarded) {
    char **guards = guarded->n ? calloc(guarded->n, sizeof *guards) : NULL;
    size_t n = 0;
    for (size_t i = 0; guards && i < guarded->n; i++) {
        n += pt_guard_name(t, guarded->files[i], &guards[n], NULL) == PT_OK;
    }
    if (n) {
        int ignored = pt_files_remove(session, (const char *const *)guards, n,
                                      NULL); /* one that stays is an orphan */
        (void)ignored;
    }
    for (size_t i = 0; i < n; i++) {
        free(guards[i]);
    }
    free(guards);
    pt_guarded_clear(guarded);
}

/* glob's pattern for all guards in the folder of the table; malloc'd, NULL without memory. */
static char *guards_of(const pt_table *t) {
    pt_text pattern = {0};
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_add(&pattern, PT_GUARD_PREFIX "*.pq");
    char *all = pattern.failed ? NULL : strdup(pt_text_get(&pattern));
    pt_text_free(&pattern);
    return all;
}

/* Mostly there are none; then the catalog's list of files, which may be long, is not read. */
static int count_guards(pt_session *session, const pt_table *t, const char *guards, int64_t *n,
                        pt_error *err) {
    int code = pt_session_exec_int(session, n, err, "SELECT count(*) FROM glob(?)",
                                   PT_VALUES(pt_str(guards)));
    return code == PT_OK ? PT_OK
                         : pt_fail_in(err, "looking for data files of table %s in %s%s", t->label,
                                      t->folder, pt_object_store_advice(err->text));
}

static int restore_found(pt_session *session, const pt_result *found, uint64_t *restored,
                         pt_error *err) {
    for (size_t i = 0; i < found->n_rows; i++) {
        PT_TRY(pt_guard_restore(session, pt_result_cell(found, i, 0), pt_result_cell(found, i, 1),
                                restored, err));
    }
    return PT_OK;
}

int pt_guards_restore_table(pt_session *session, const pt_table *t, uint64_t *restored,
                            pt_error *err) {
    pt_result found = {0};
    int64_t n = 0;
    char *guards = guards_of(t);
    *restored = 0;
    int code = guards ? count_guards(session, t, guards, &n, err) : pt_fail_nomem(err, "a path");
    if (code == PT_OK && n > 0) {
        const pt_name_part uuid = {guards, strlen(PT_GUARD_PREFIX) + 1,
                                   strlen(PT_GUARD_PREFIX) + UUID_LENGTH};
        code = pt_metadata_guarded_files(session, &uuid, t->folder, &found, err);
    }
    if (code == PT_OK) {
        code = restore_found(session, &found, restored, err);
    }
    pt_result_clear(&found);
    free(guards);
    return code;
}
