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
#include "duck/object_store.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "lake/file_mark.h"

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

int pt_guard_add(pt_session *session, pt_slice *slice, const char *file, pt_error *err) {
    char *copy = strdup(file);
    if (!copy) {
        return pt_fail_nomem(err, "a path");
    }
    slice->guarded[slice->n_guarded++] = copy;
    int code = guard_it(session, slice->table, file, err);
    if (code == PT_OK) {
        (void)pt_failpoint("guard.made");
    }
    return code == PT_OK ? PT_OK : pt_guard_taken(slice->table, err);
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
static int list_files(pt_engine *engine, pt_session *session, const pt_slice *slice, size_t slot,
                      pt_result *out, pt_error *err) {
    const pt_table *t = slice->table;
    pt_text sql = {0};
    char *first = NULL;
    int code = PT_OK;
    if (has_ingest_time(t)) {
        pt_text_addf(&sql, "SELECT epoch_us(min(ingest_time)) FROM pintail_rows(%zu)", slot);
        code = pt_session_text(session, pt_text_get(&sql), &first, err);
        pt_text_clear(&sql);
    }
    pt_text_add(&sql, "SELECT DISTINCT filename FROM ");
    pt_table_add_sql_name(t, engine, &sql);
    pt_text_add(&sql, " WHERE snapshot_id IS NULL");
    if (first) {
        pt_text_addf(&sql, " AND ingest_time >= make_timestamptz(%s)", first);
    }
    if (code == PT_OK) {
        code = pt_text_check(&sql, err);
    }
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), out, err);
    }
    free(first);
    pt_text_free(&sql);
    return code;
}

/* Names of all guards of the flush, malloc'd each; *n of them. */
static char **name_guards(const pt_flush *flush, size_t *n) {
    size_t most = 0;
    *n = 0;
    for (size_t i = 0; i < flush->n_slices; i++) {
        most += flush->slices[i].n_guarded;
    }
    char **guards = calloc(most + 1, sizeof *guards);
    for (size_t i = 0; guards && i < flush->n_slices; i++) {
        for (size_t k = 0; k < flush->slices[i].n_guarded; k++) {
            *n += pt_guard_name(flush->slices[i].table, flush->slices[i].guarded[k], &guards[*n],
                                NULL) == PT_OK;
        }
    }
    return guards;
}

/* PostgreSQL ends a session that is idle in a transaction (duck/attach.h). There are two:
 * DuckLake's own, which its function reaches, and the one of our looks at the metadata
 * (lake/gate.h). */
int pt_guard_awake(pt_engine *engine, pt_session *session, const char *file, pt_error *err) {
    const char *alias = pt_engine_alias(engine);
    if (!pt_path_is_remote(file) || pt_engine_catalog(engine) != PT_CATALOG_POSTGRES) {
        return PT_OK;
    }
    PT_TRY(pt_session_runf(session, err, "FROM ducklake_options('%s')", alias));
    return pt_session_runf(session, err,
                           "CALL postgres_execute('__ducklake_metadata_%s', 'SELECT 1')", alias);
}

static int guard_files(pt_engine *engine, pt_session *session, pt_slice *slice,
                       const pt_result *files, pt_error *err) {
    int code = PT_OK;
    slice->guarded = calloc(files->n_rows + 1, sizeof *slice->guarded);
    if (!slice->guarded) {
        code = pt_fail_nomem(err, "the files of an INSERT");
    }
    for (size_t i = 0; code == PT_OK && i < files->n_rows; i++) {
        const char *file = pt_result_cell(files, i, 0);
        if (strncmp(file, INLINED, strlen(INLINED)) != 0) {
            code = pt_guard_add(session, slice, file, err);
            code = code == PT_OK ? pt_guard_awake(engine, session, file, err) : code;
        }
    }
    bool sync = code == PT_OK && slice->n_guarded && !pt_path_is_remote(slice->table->folder);
    return sync ? pt_sync_folder(slice->table->folder, err) : code;
}

int pt_guard_slice(pt_engine *engine, pt_session *session, pt_slice *slice, size_t slot,
                   pt_error *err) {
    pt_result files = {0};
    pt_slice_forget_guards(slice);
    if (list_files(engine, session, slice, slot, &files, err) != PT_OK) {
        return pt_guard_taken(slice->table, err);
    }
    int code = files.n_rows ? guard_files(engine, session, slice, &files, err)
                            : pt_fail(err, PT_E_LAKE,
                                      "table %s: DuckLake does not show the files of an INSERT",
                                      slice->table->label);
    pt_result_clear(&files);
    return code;
}

/* ---- afterwards ---- */

int pt_guards_restore(pt_session *session, const pt_flush *flush, pt_error *err) {
    uint64_t restored = 0;
    for (size_t i = 0; i < flush->n_slices; i++) {
        const pt_slice *slice = &flush->slices[i];
        for (size_t k = 0; k < slice->n_guarded; k++) {
            char *guard = NULL;
            PT_TRY(pt_guard_name(slice->table, slice->guarded[k], &guard, err));
            int code = pt_guard_restore(session, guard, slice->guarded[k], &restored, err);
            free(guard);
            PT_TRY(code);
        }
    }
    return PT_OK;
}

void pt_guards_drop(pt_session *session, pt_flush *flush) {
    size_t n;
    char **guards = name_guards(flush, &n);
    if (guards && n) {
        int ignored = pt_files_remove(session, (const char *const *)guards, n,
                                      NULL); /* one that stays is a leftover */
        (void)ignored;
    }
    for (size_t i = 0; guards && i < n; i++) {
        free(guards[i]);
    }
    free(guards);
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_slice_forget_guards(&flush->slices[i]);
    }
}

static int match_guards(pt_engine *engine, pt_session *session, const pt_table *t, pt_result *out,
                        pt_error *err) {
    pt_text sql = {0};
    pt_text pattern = {0};
    const char *alias = pt_engine_alias(engine);
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_add(&pattern, PT_GUARD_PREFIX "*.pq");
    pt_text_add(&sql, "SELECT file, CASE WHEN path_is_relative THEN ");
    pt_text_add_sql_string(&sql, t->folder);
    pt_text_add(&sql, " || path ELSE path END FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_addf(
        &sql,
        ") JOIN (SELECT path, path_is_relative FROM \"__ducklake_metadata_%s\".ducklake_data_file "
        "UNION ALL SELECT path, path_is_relative FROM "
        "\"__ducklake_metadata_%s\".ducklake_delete_file) "
        "ON parse_filename(path) IN ('" PT_FILE_PREFIX
        "' || parse_filename(file)[%zu:%zu] || '" PT_FILE_SUFFIX "', '" PT_FILE_PREFIX
        "' || parse_filename(file)[%zu:%zu] || '" PT_DELETE_SUFFIX "')",
        alias, alias, strlen(PT_GUARD_PREFIX) + 1, strlen(PT_GUARD_PREFIX) + UUID_LENGTH,
        strlen(PT_GUARD_PREFIX) + 1, strlen(PT_GUARD_PREFIX) + UUID_LENGTH);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), out, err);
    }
    pt_text_free(&pattern);
    pt_text_free(&sql);
    return code;
}

/* Mostly there are none; then the catalog's list of files, which may be long, is not read. */
static int count_guards(pt_session *session, const pt_table *t, int64_t *n, pt_error *err) {
    pt_text sql = {0};
    pt_text pattern = {0};
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_add(&pattern, PT_GUARD_PREFIX "*.pq");
    pt_text_add(&sql, "SELECT count(*) FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_add(&sql, ")");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(&sql), n, err);
    }
    if (code != PT_OK) {
        code = pt_fail_in(err, "looking for data files of table %s in %s%s", t->label, t->folder,
                          pt_object_store_advice(err->text));
    }
    pt_text_free(&pattern);
    pt_text_free(&sql);
    return code;
}

int pt_guards_restore_table(pt_engine *engine, pt_session *session, const pt_table *table,
                            uint64_t *restored, pt_error *err) {
    pt_result found = {0};
    int64_t guards = 0;
    *restored = 0;
    PT_TRY(count_guards(session, table, &guards, err));
    if (guards == 0) {
        return PT_OK;
    }
    PT_TRY(match_guards(engine, session, table, &found, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < found.n_rows; i++) {
        code = pt_guard_restore(session, pt_result_cell(&found, i, 0), pt_result_cell(&found, i, 1),
                                restored, err);
    }
    pt_result_clear(&found);
    return code;
}
