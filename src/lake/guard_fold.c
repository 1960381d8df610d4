/* The files of a fold, and of a DELETE. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "duck/file_names.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "lake/guard_internal.h"
#include "lake/metadata.h"

#define TIME_DIGITS 12 /* of a version 7 UUID: milliseconds */
#define TIME_SLACK  PT_SECOND

/* What lies in the table's folder under a young name and is in no snapshot, and what of it is ours.
 */
typedef struct folded {
    pt_result young; /* path */
    pt_result own;   /* path, rows: those that the transaction sees */
    int64_t rows;    /* in them */
    size_t deletes;  /* of the young ones: delete files */
} folded;

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text);
    return n >= strlen(end) && strcmp(text + n - strlen(end), end) == 0;
}

/* How the names of files made from start_us until now begin: the digits that the times in their
 * UUIDs share. An object store looks for no others. */
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

/* Files of another process may be among them. */
static int list_young(pt_session *session, const pt_table *t, int64_t start_us, pt_result *out,
                      pt_error *err) {
    pt_text pattern = {0};
    char begins[TIME_DIGITS + 2];
    name_begins(start_us, begins);
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_addf(&pattern, "%s" PT_FILE_PREFIX "%s*" PT_FILE_SUFFIX,
                 pt_table_has_subfolders(t) ? "**/" : "", begins);
    int code = pt_text_check(&pattern, err);
    if (code == PT_OK) {
        code = pt_metadata_uncommitted_files(session, pt_text_get(&pattern), out, err);
    }
    pt_text_free(&pattern);
    return code;
}

/* Rows that were folded still have their snapshots, so these do not tell which files are of this
 * transaction; the names do, and only this transaction sees rows in them. A condition on names
 * spares DuckLake all other files; they stand in the text, as many as there are. Encrypted ones can
 * be read by no other way yet. */
static int see_own(pt_session *session, const pt_table *t, folded *f, pt_error *err) {
    pt_text sql = {0};
    const char *separator = " WHERE parse_filename(filename) IN (";
    pt_text_add(&sql, "SELECT filename, count(*) FROM ");
    pt_table_add_sql_name(t, session, &sql);
    for (size_t i = 0; i < f->young.n_rows; i++) {
        const char *file = pt_result_cell(&f->young, i, 0);
        if (ends_with(file, PT_DELETE_SUFFIX)) {
            f->deletes++;
            continue;
        }
        pt_text_add(&sql, separator);
        pt_text_add_sql_string(&sql, name_of(file));
        separator = ", ";
    }
    pt_text_add(&sql, ") GROUP BY 1");
    if (f->deletes == f->young.n_rows) {
        pt_text_free(&sql);
        return PT_OK;
    }
    int code = pt_statement_result(session, &sql, &f->own, err);
    for (size_t i = 0; i < f->own.n_rows; i++) {
        f->rows += pt_result_int(&f->own, i, 1);
    }
    return code;
}

/* ---- rows that are deleted, too ---- */

static bool is_own(const folded *f, const char *file) {
    for (size_t i = 0; i < f->own.n_rows; i++) {
        if (strcmp(name_of(pt_result_cell(&f->own, i, 0)), name_of(file)) == 0) {
            return true;
        }
    }
    return false;
}

/* By a session of its own: a file of another process may be half written, or gone by now, and that
 * must not end the transaction. */
static int64_t rows_of(pt_session *other, const char *file) {
    pt_text sql = {0};
    int64_t n = 0;
    pt_text_add(&sql, "SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata(");
    pt_file_names_add_sql(&sql, file);
    pt_text_add(&sql, ")");
    int code = sql.failed ? PT_E_NOMEM : pt_session_int(other, pt_text_get(&sql), &n, NULL);
    pt_text_free(&sql);
    return code == PT_OK ? n : 0;
}

/* Deleted rows are folded as well, into data files in which nobody sees them, and into delete
 * files: all that is young is guarded, as far as it can be. *there: the rows in data files. */
static int guard_unseen(pt_session *session, const pt_table *t, const folded *f,
                        pt_guarded *guarded, int64_t *there, pt_error *err) {
    pt_engine *engine = pt_session_engine(session);
    pt_session *other = NULL;
    pt_error ignored;
    PT_TRY(pt_session_open(engine, &other, err));
    for (size_t i = 0; i < f->young.n_rows; i++) {
        const char *file = pt_result_cell(&f->young, i, 0);
        size_t n = guarded->n;
        if (!is_own(f, file) && pt_guard_add(other, t, file, guarded, &ignored) != PT_OK) {
            free(guarded->files[n]);
            guarded->n = n;
        } else if (!ends_with(file, PT_DELETE_SUFFIX) && !pt_engine_encrypted(engine)) {
            *there += rows_of(other, file);
        }
    }
    pt_session_close(&other);
    return PT_OK;
}

/* None must be missing. */
static int guard_all(pt_session *session, const pt_table *t, const folded *f, int64_t rows,
                     pt_guarded *guarded, pt_error *err) {
    int64_t there = 0;
    PT_TRY(guard_unseen(session, t, f, guarded, &there, err));
    bool whole = pt_engine_encrypted(pt_session_engine(session)) ? f->deletes > 0 : there >= rows;
    return whole ? PT_OK
                 : pt_fail(err, PT_E_LAKE_BUSY,
                           "table %s: %" PRId64 " rows were folded, and only files of %" PRId64
                           " are found",
                           t->label, rows, there > f->rows ? there : f->rows);
}

/* ---- all of it ---- */

static int guard_own(pt_session *session, const pt_table *t, const folded *f, int64_t rows,
                     pt_guarded *guarded, pt_error *err) {
    PT_TRY(pt_guarded_begin(guarded, f->young.n_rows, err));
    for (size_t i = 0; i < f->own.n_rows; i++) {
        const char *file = pt_result_cell(&f->own, i, 0);
        PT_TRY(pt_guard_add(session, t, file, guarded, err));
        PT_TRY(pt_guard_awake(session, file, err));
    }
    if (f->rows < rows) {
        PT_TRY(guard_all(session, t, f, rows, guarded, err));
    }
    return pt_guarded_sync(t, guarded, err);
}

int pt_guard_fold(pt_session *session, const pt_table *t, int64_t start_us, int64_t rows,
                  pt_guarded *guarded, pt_error *err) {
    folded f = {0};
    pt_guarded_clear(guarded);
    if (rows == 0) {
        return PT_OK;
    }
    int code = list_young(session, t, start_us, &f.young, err);
    if (code == PT_OK && t->shows_files) { /* else a column hides the names */
        code = see_own(session, t, &f, err);
    }
    if (code == PT_OK) {
        code = guard_own(session, t, &f, rows, guarded, err);
    } else {
        code = pt_guard_taken(t, err);
    }
    pt_result_clear(&f.young);
    pt_result_clear(&f.own);
    return code;
}

/* ---- what a DELETE wrote ---- */

static int guard_delete_files(pt_session *session, const pt_table *t, const pt_result *young,
                              pt_guarded *guarded, pt_error *err) {
    PT_TRY(pt_guarded_begin(guarded, young->n_rows, err));
    for (size_t i = 0; i < young->n_rows; i++) {
        const char *file = pt_result_cell(young, i, 0);
        if (ends_with(file, PT_DELETE_SUFFIX)) {
            PT_TRY(pt_guard_add(session, t, file, guarded, err));
            PT_TRY(pt_guard_awake(session, file, err));
        }
    }
    return pt_guarded_sync(t, guarded, err);
}

int pt_guard_deletes(pt_session *session, const pt_table *t, int64_t start_us, pt_guarded *guarded,
                     pt_error *err) {
    pt_result young = {0};
    pt_guarded_clear(guarded);
    int code = list_young(session, t, start_us, &young, err);
    if (code == PT_OK) {
        code = guard_delete_files(session, t, &young, guarded, err);
    }
    pt_result_clear(&young);
    return code;
}
