#include "lake/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/path.h"
#include "base/text.h"
#include "lake/file_names.h"
#include "lake/lake_uri.h"
#include "lake/object_store.h"

#define PREFIX "ducklake-"
#define SUFFIX ".parquet"
#define DELETE_SUFFIX "-delete.parquet"
#define UUID_LENGTH 36
#define INLINED "__ducklake_inlined" /* begins the "file" of rows that stay in the catalog */
#define TIME_DIGITS 12 /* of a version 7 UUID: milliseconds */
#define TIME_SLACK PT_SECOND

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
static int name_guard(const pt_target *t, const char *file, char **out, pt_error *err) {
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *uuid = name + strlen(PREFIX);
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(uuid) < UUID_LENGTH || (strcmp(uuid + UUID_LENGTH, SUFFIX) != 0 && strcmp(uuid + UUID_LENGTH, DELETE_SUFFIX) != 0)) {
        return pt_fail(err, PT_E_LAKE, "table %s: DuckLake wrote %s, a name that this version does not know", t->label, file);
    }
    return asprintf(out, "%s" PT_GUARD_PREFIX "%.*s-%08x.pq", t->folder, UUID_LENGTH, uuid, tag()) < 0 ? pt_fail_nomem(err, "a path") : PT_OK;
}

/* Local disks: the bytes of `from` get the name `to` as well; a name that is there is right. Object stores, and some file systems, have no links: a copy. */
static int give_name(pt_session *session, const char *from, const char *to, pt_error *err) {
    if (!pt_path_is_remote(from)) {
        if (link(from, to) == 0 || errno == EEXIST) {
            return PT_OK;
        }
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) {
            return pt_fail(err, PT_E_IO, "hard link from %s to %s: %s", from, to, strerror(errno));
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

static int guard_file(pt_session *session, const pt_target *t, const char *file, pt_error *err) {
    char *guard = NULL;
    PT_TRY(sync_file(file, err));
    PT_TRY(name_guard(t, file, &guard, err));
    int code = give_name(session, file, guard, err);
    free(guard);
    return code;
}

/* *restored is counted up when the file was gone. */
static int restore_file(pt_session *session, const char *guard, const char *file, uint64_t *restored, pt_error *err) {
    int64_t size;
    PT_TRY(pt_file_size(session, file, &size, err));
    if (size >= 0) {
        return PT_OK;
    }
    PT_TRY(pt_file_size(session, guard, &size, err));
    if (size < 0) { /* its owner may have brought it back in between */
        PT_TRY(pt_file_size(session, file, &size, err));
        return size >= 0 ? PT_OK : pt_fail(err, PT_E_LAKE, "data file %s is gone though its rows are committed, and so is its copy %s", file, guard);
    }
    PT_TRY(give_name(session, guard, file, err));
    ++*restored;
    return sync_file(file, err);
}

/* pintail's own tables have the column, too. */
static bool has_ingest_time(const pt_target *t) {
    for (size_t i = 0; i < t->n_columns; i++) {
        if (strcmp(t->names[i], "ingest_time") == 0) {
            return true;
        }
    }
    return false;
}

/* Rows of this transaction have no snapshot yet. The bound on ingest_time spares DuckLake the files of all earlier flushes. */
static int list_files(pt_engine *engine, pt_session *session, const pt_part *part, size_t slot, pt_table *out, pt_error *err) {
    const pt_target *t = part->target;
    pt_text sql = {0};
    char *first = NULL;
    int code = PT_OK;
    if (has_ingest_time(t)) {
        pt_text_addf(&sql, "SELECT epoch_us(min(ingest_time)) FROM pintail_rows(%zu)", slot);
        code = pt_session_text(session, pt_text_get(&sql), &first, err);
        pt_text_clear(&sql);
    }
    pt_text_add(&sql, "SELECT DISTINCT filename FROM ");
    pt_target_add_sql_name(t, engine, &sql);
    pt_text_add(&sql, " WHERE snapshot_id IS NULL");
    if (first) {
        pt_text_addf(&sql, " AND ingest_time >= make_timestamptz(%s)", first);
    }
    if (code == PT_OK) {
        code = pt_text_check(&sql, err);
    }
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), out, err);
    }
    free(first);
    pt_text_free(&sql);
    return code;
}

/* Names of all guards of the flush, malloc'd each; *n of them. */
static char **name_guards(const pt_flush *flush, size_t *n) {
    size_t most = 0;
    *n = 0;
    for (size_t i = 0; i < flush->n_parts; i++) {
        most += flush->parts[i].n_guarded;
    }
    char **guards = calloc(most + 1, sizeof *guards);
    for (size_t i = 0; guards && i < flush->n_parts; i++) {
        for (size_t k = 0; k < flush->parts[i].n_guarded; k++) {
            *n += name_guard(flush->parts[i].target, flush->parts[i].guarded[k], &guards[*n], NULL) == PT_OK;
        }
    }
    return guards;
}

/* Copies of objects may take long all together, and PostgreSQL ends a session that is idle in a transaction (lake/attach.h). There are two: DuckLake's own, which its
 * function reaches, and the one of our look at the metadata, if there was one. */
static int keep_awake(pt_engine *engine, pt_session *session, const char *file, bool looked, pt_error *err) {
    const char *alias = pt_engine_alias(engine);
    if (!pt_path_is_remote(file) || pt_engine_catalog(engine) != PT_CATALOG_POSTGRES) {
        return PT_OK;
    }
    PT_TRY(pt_session_runf(session, err, "FROM ducklake_options('%s')", alias));
    return looked ? pt_session_runf(session, err, "CALL postgres_execute('__ducklake_metadata_%s', 'SELECT 1')", alias) : PT_OK;
}

static int guard_files(pt_engine *engine, pt_session *session, pt_part *part, const pt_table *files, bool looked, pt_error *err) {
    int code = PT_OK;
    part->guarded = calloc(files->n_rows + 1, sizeof *part->guarded);
    if (!part->guarded) {
        code = pt_fail_nomem(err, "the files of an INSERT");
    }
    for (size_t i = 0; code == PT_OK && i < files->n_rows; i++) {
        const char *name = pt_table_cell(files, i, 0);
        if (strncmp(name, INLINED, strlen(INLINED)) == 0) {
            continue;
        }
        char *file = strdup(name);
        if (!file) {
            code = pt_fail_nomem(err, "a path");
        } else {
            part->guarded[part->n_guarded++] = file;
            code = guard_file(session, part->target, file, err);
        }
        if (code == PT_OK) {
            (void)pt_failpoint("guard.made");
            code = keep_awake(engine, session, file, looked, err);
        }
    }
    bool sync = code == PT_OK && part->n_guarded && !pt_path_is_remote(part->target->folder);
    return sync ? pt_sync_folder(part->target->folder, err) : code;
}

int pt_guard_part(pt_engine *engine, pt_session *session, pt_part *part, size_t slot, pt_error *err) {
    pt_table files = {0};
    pt_part_forget_guards(part);
    PT_TRY(list_files(engine, session, part, slot, &files, err));
    int code = files.n_rows ? guard_files(engine, session, part, &files, false, err)
                            : pt_fail(err, PT_E_LAKE, "table %s: DuckLake does not show the files of an INSERT", part->target->label);
    pt_table_clear(&files);
    return code;
}

/* ---- files of folding ---------------------------------------------------------------------------------- */

/* How the names of files made from start_us until now begin: the digits that the times in their UUIDs share. An object store looks for no others. */
static void name_begins(int64_t start_us, char out[TIME_DIGITS + 2]) {
    char first[TIME_DIGITS + 1];
    char last[TIME_DIGITS + 1];
    size_t n = 0;
    (void)snprintf(first, sizeof first, "%012" PRIx64, (uint64_t)((start_us - TIME_SLACK) / 1000));
    (void)snprintf(last, sizeof last, "%012" PRIx64, (uint64_t)((pt_now_us() + TIME_SLACK) / 1000));
    for (size_t i = 0; i < TIME_DIGITS && first[i] == last[i]; i++) {
        if (i == 8) {
            out[n++] = '-';
        }
        out[n++] = first[i];
    }
    out[n] = '\0';
}

/* Rows that were folded still have their snapshots, so nothing tells which rows of the table are of this transaction. What was written lies in the folder, under a young name, and
 * no snapshot knows it. Files of another process may be among them: they get a second name for a while. */
static int list_folded(pt_engine *engine, pt_session *session, const pt_target *t, int64_t start_us, pt_table *out, pt_error *err) {
    pt_text sql = {0};
    pt_text pattern = {0};
    char begins[TIME_DIGITS + 2];
    const char *alias = pt_engine_alias(engine);
    name_begins(start_us, begins);
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_addf(&pattern, "%s" PREFIX "%s*" SUFFIX, t->stage ? "" : "**/", begins);
    pt_text_add(&sql, "SELECT file FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_addf(&sql,
                 ") ANTI JOIN (SELECT path FROM \"__ducklake_metadata_%s\".ducklake_data_file UNION ALL SELECT path FROM \"__ducklake_metadata_%s\".ducklake_delete_file) k "
                 "ON parse_filename(file) = parse_filename(k.path)",
                 alias, alias);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), out, err);
    }
    pt_text_free(&pattern);
    pt_text_free(&sql);
    return code;
}

/* None must be missing: the files have as many rows as were folded (more, when another process writes). */
static int check_folded(pt_session *session, const pt_part *part, int64_t rows, pt_error *err) {
    pt_text sql = {0};
    int64_t there = 0;
    pt_text_add(&sql, "SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata([");
    for (size_t i = 0; i < part->n_guarded; i++) {
        pt_text_add(&sql, i ? ", " : "");
        pt_file_names_add_sql(&sql, part->guarded[i]);
    }
    pt_text_add(&sql, "]) WHERE NOT file_name LIKE '%" DELETE_SUFFIX "'");
    int code = part->n_guarded ? pt_text_check(&sql, err) : PT_OK;
    if (code == PT_OK && part->n_guarded) {
        code = pt_session_int(session, pt_text_get(&sql), &there, err);
    }
    pt_text_free(&sql);
    if (code == PT_OK && there < rows) {
        code = pt_fail(err, PT_E_LAKE, "table %s: %" PRId64 " rows were folded, and only files of %" PRId64 " are found", part->target->label, rows, there);
    }
    return code;
}

int pt_guard_fold(pt_engine *engine, pt_session *session, pt_part *part, int64_t start_us, int64_t rows, pt_error *err) {
    pt_table files = {0};
    pt_part_forget_guards(part);
    if (rows == 0) {
        return PT_OK;
    }
    PT_TRY(list_folded(engine, session, part->target, start_us, &files, err));
    int code = guard_files(engine, session, part, &files, true, err);
    pt_table_clear(&files);
    return code == PT_OK ? check_folded(session, part, rows, err) : code;
}

/* ---- afterwards ---------------------------------------------------------------------------------------- */

int pt_guards_restore(pt_session *session, const pt_flush *flush, pt_error *err) {
    uint64_t restored = 0;
    for (size_t i = 0; i < flush->n_parts; i++) {
        const pt_part *part = &flush->parts[i];
        for (size_t k = 0; k < part->n_guarded; k++) {
            char *guard = NULL;
            PT_TRY(name_guard(part->target, part->guarded[k], &guard, err));
            int code = restore_file(session, guard, part->guarded[k], &restored, err);
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
        int ignored = pt_files_remove(session, (const char *const *)guards, n, NULL); /* one that stays is a leftover */
        (void)ignored;
    }
    for (size_t i = 0; guards && i < n; i++) {
        free(guards[i]);
    }
    free(guards);
    for (size_t i = 0; i < flush->n_parts; i++) {
        pt_part_forget_guards(&flush->parts[i]);
    }
}

static int match_guards(pt_engine *engine, pt_session *session, const pt_target *t, pt_table *out, pt_error *err) {
    pt_text sql = {0};
    pt_text pattern = {0};
    const char *alias = pt_engine_alias(engine);
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_add(&pattern, PT_GUARD_PREFIX "*.pq");
    pt_text_add(&sql, "SELECT file, CASE WHEN path_is_relative THEN ");
    pt_text_add_sql_string(&sql, t->folder);
    pt_text_add(&sql, " || path ELSE path END FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_addf(&sql,
                 ") JOIN (SELECT path, path_is_relative FROM \"__ducklake_metadata_%s\".ducklake_data_file "
                 "UNION ALL SELECT path, path_is_relative FROM \"__ducklake_metadata_%s\".ducklake_delete_file) "
                 "ON parse_filename(path) IN ('" PREFIX "' || parse_filename(file)[%zu:%zu] || '" SUFFIX "', '" PREFIX "' || parse_filename(file)[%zu:%zu] || '" DELETE_SUFFIX "')",
                 alias, alias, strlen(PT_GUARD_PREFIX) + 1, strlen(PT_GUARD_PREFIX) + UUID_LENGTH, strlen(PT_GUARD_PREFIX) + 1, strlen(PT_GUARD_PREFIX) + UUID_LENGTH);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), out, err);
    }
    pt_text_free(&pattern);
    pt_text_free(&sql);
    return code;
}

/* Mostly there are none; then the catalog's list of files, which may be long, is not read. */
static int count_guards(pt_session *session, const pt_target *t, int64_t *n, pt_error *err) {
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
        code = pt_fail_in(err, "looking for data files of table %s in %s%s", t->label, t->folder, pt_object_store_advice(err->text));
    }
    pt_text_free(&pattern);
    pt_text_free(&sql);
    return code;
}

int pt_guards_mend(pt_engine *engine, pt_session *session, const pt_target *target, uint64_t *restored, pt_error *err) {
    pt_table found = {0};
    int64_t guards = 0;
    *restored = 0;
    PT_TRY(count_guards(session, target, &guards, err));
    if (guards == 0) {
        return PT_OK;
    }
    PT_TRY(match_guards(engine, session, target, &found, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < found.n_rows; i++) {
        code = restore_file(session, pt_table_cell(&found, i, 0), pt_table_cell(&found, i, 1), restored, err);
    }
    pt_table_clear(&found);
    return code;
}
