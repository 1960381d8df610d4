#include "lake/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "lake/lake_uri.h"
#include "lake/object_store.h"

#define PREFIX "ducklake-"
#define SUFFIX ".parquet"
#define UUID_LENGTH 36

/* Path of the guard for a data file, malloc'd. */
static int name_guard(const pt_target *t, const char *file, char **out, pt_error *err) {
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *uuid = name + strlen(PREFIX);
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(uuid) != UUID_LENGTH + strlen(SUFFIX) || strcmp(uuid + UUID_LENGTH, SUFFIX) != 0) {
        return pt_fail(err, PT_E_LAKE, "table %s: the INSERT wrote %s, a name that this version does not know", t->label, file);
    }
    return asprintf(out, "%s%.*s.pq", t->folder, UUID_LENGTH, uuid) < 0 ? pt_fail_nomem(err, "a path") : PT_OK;
}

/* Local disks: the bytes of `from` get the name `to` as well; a name that is there is right. Object stores have no links: a copy, byte for byte. */
static int give_name(pt_session *session, const char *from, const char *to, pt_error *err) {
    if (!pt_path_is_remote(from)) {
        if (link(from, to) != 0 && errno != EEXIST) {
            return pt_fail(err, PT_E_IO, "hard link from %s to %s: %s; the data path of a partitioned table has to be on a file system with hard links", from, to,
                           strerror(errno));
        }
        return PT_OK;
    }
    pt_text sql = {0};
    pt_text_add(&sql, "COPY (SELECT content FROM read_blob(");
    pt_text_add_sql_string(&sql, from);
    pt_text_add(&sql, ")) TO ");
    pt_text_add_sql_string(&sql, to);
    pt_text_add(&sql, " (FORMAT blob)");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK && pt_session_run(session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "copying %s", from);
    }
    pt_text_free(&sql);
    return code;
}

static int sync_file(const char *file, pt_error *err) {
    return pt_path_is_remote(file) ? PT_OK : pt_sync_file(file, err);
}

/* httpfs looks only where a star is; it takes any other name for there. */
static int exists(pt_session *session, const char *file, bool *out, pt_error *err) {
    if (!pt_path_is_remote(file)) {
        *out = pt_path_exists(file);
        return PT_OK;
    }
    pt_text pattern = {0};
    pt_text sql = {0};
    pt_table found = {0};
    pt_text_addf(&pattern, "%s*", file);
    pt_text_add(&sql, "SELECT file FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_add(&sql, ")");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), &found, err);
    }
    *out = code == PT_OK && found.n_rows > 0;
    pt_table_clear(&found);
    pt_text_free(&sql);
    pt_text_free(&pattern);
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
    bool there;
    PT_TRY(exists(session, file, &there, err));
    if (there) {
        return PT_OK;
    }
    PT_TRY(exists(session, guard, &there, err));
    if (!there) {
        return pt_fail(err, PT_E_LAKE, "data file %s is gone though its rows are committed, and so is its copy %s", file, guard);
    }
    PT_TRY(give_name(session, guard, file, err));
    ++*restored;
    return sync_file(file, err);
}

/* Rows of this transaction have no snapshot yet. The bound on ingest_time spares DuckLake the files of all earlier flushes. */
static int list_files(pt_engine *engine, pt_session *session, const pt_part *part, size_t slot, pt_table *out, pt_error *err) {
    const pt_target *t = part->target;
    pt_text sql = {0};
    char *first = NULL;
    int code = PT_OK;
    if (t->meta_at[PT_META_INGEST_TIME] != SIZE_MAX) {
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

/* Copies of objects may take long all together, and PostgreSQL ends a session that is idle in a transaction (lake/attach.h). */
static int keep_awake(pt_engine *engine, pt_session *session, const char *file, pt_error *err) {
    if (!pt_path_is_remote(file) || pt_engine_catalog(engine) != PT_CATALOG_POSTGRES) {
        return PT_OK;
    }
    return pt_session_runf(session, err, "CALL postgres_execute('__ducklake_metadata_%s', 'SELECT 1')", pt_engine_alias(engine));
}

int pt_guard_part(pt_engine *engine, pt_session *session, pt_part *part, size_t slot, pt_error *err) {
    pt_table files = {0};
    pt_part_forget_guards(part);
    PT_TRY(list_files(engine, session, part, slot, &files, err));
    int code = files.n_rows ? PT_OK : pt_fail(err, PT_E_LAKE, "table %s: DuckLake does not show the files of an INSERT", part->target->label);
    part->guarded = calloc(files.n_rows + 1, sizeof *part->guarded);
    if (!part->guarded) {
        code = pt_fail_nomem(err, "the files of an INSERT");
    }
    for (size_t i = 0; code == PT_OK && i < files.n_rows; i++) {
        char *file = strdup(pt_table_cell(&files, i, 0));
        if (!file) {
            code = pt_fail_nomem(err, "a path");
        } else {
            part->guarded[part->n_guarded++] = file;
            code = guard_file(session, part->target, file, err);
        }
        if (code == PT_OK) {
            code = keep_awake(engine, session, file, err);
        }
    }
    pt_table_clear(&files);
    return code == PT_OK && !pt_path_is_remote(part->target->folder) ? pt_sync_folder(part->target->folder, err) : code;
}

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
    pt_text_addf(&pattern, "%s*.pq", t->folder);
    pt_text_add(&sql, "SELECT file, CASE WHEN path_is_relative THEN ");
    pt_text_add_sql_string(&sql, t->folder);
    pt_text_add(&sql, " || path ELSE path END FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_addf(&sql, ") JOIN \"__ducklake_metadata_%s\".ducklake_data_file ON parse_filename(path) = '" PREFIX "' || parse_filename(file, true) || '" SUFFIX "'",
                 pt_engine_alias(engine));
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), out, err);
    }
    pt_text_free(&pattern);
    pt_text_free(&sql);
    return code;
}

int pt_guards_mend(pt_engine *engine, pt_session *session, const pt_target *target, uint64_t *restored, pt_error *err) {
    pt_table found = {0};
    *restored = 0;
    PT_TRY(match_guards(engine, session, target, &found, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < found.n_rows; i++) {
        code = restore_file(session, pt_table_cell(&found, i, 0), pt_table_cell(&found, i, 1), restored, err);
    }
    pt_table_clear(&found);
    return code;
}
