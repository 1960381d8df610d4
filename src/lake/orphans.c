#include "lake/orphans.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "duck/file_names.h"
#include "duck/object_store.h"
#include "duck/result.h"
#include "lake/file_mark.h"
#include "lake/guard.h"
#include "lake/metadata.h"

#define UUID_LENGTH 36
#define MARK_LENGTH (1 + PT_MARK_DIGITS)

static bool is_guard(const char *name) {
    return strncmp(name, PT_GUARD_PREFIX, strlen(PT_GUARD_PREFIX)) == 0;
}

/* Microseconds since the epoch out of a version 7 UUID; -1 when the name is none that we gave to a
 * file of this table. */
static int64_t time_of_name(const pt_table *t, const char *name) {
    int64_t ms = 0;
    size_t tag = 0;
    char mark[PT_MARK_DIGITS + 1];
    if (is_guard(name)) {
        name += strlen(PT_GUARD_PREFIX);
        tag = PT_GUARD_TAG;
    }
    pt_file_mark(t, mark);
    if (strlen(name) != UUID_LENGTH + MARK_LENGTH + tag + strlen(".pq") ||
        strcmp(name + UUID_LENGTH + MARK_LENGTH + tag, ".pq") != 0 || name[14] != '7' ||
        name[UUID_LENGTH] != '-' || strncmp(name + UUID_LENGTH + 1, mark, PT_MARK_DIGITS) != 0) {
        return -1;
    }
    for (int i = 0; i < UUID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? name[i] != '-' : !isxdigit((unsigned char)name[i])) {
            return -1;
        }
    }
    for (int i = 0; i < 13; i++) {
        if (name[i] != '-') {
            char digit[2] = {name[i], '\0'};
            ms = ms * 16 + strtol(digit, NULL, 16);
        }
    }
    return ms * 1000;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Files in the table's folder whose name no snapshot has and that do not wait for DuckLake's own
 * cleanup. A file that is committed while this runs may be among them; its age tells. */
static int list_unknown(pt_session *session, const pt_table *t, pt_result *out, pt_error *err) {
    pt_text pattern = {0};
    pt_file_names_add_pattern(&pattern, t->folder);
    pt_text_add(&pattern, "*.pq");
    int code = pt_text_check(&pattern, err);
    if (code == PT_OK) {
        code = pt_metadata_unknown_files(session, pt_text_get(&pattern), out, err);
    }
    pt_text_free(&pattern);
    return code;
}

/* Guards and what they guard, where the catalog does not know the latter: its transaction never
 * ended. */
static int list_unfinished(pt_session *session, const pt_table *t, pt_result *out, pt_error *err) {
    pt_text guards = {0};
    pt_text files = {0};
    pt_file_names_add_pattern(&guards, t->folder);
    pt_text_add(&guards, PT_GUARD_PREFIX "*.pq");
    pt_file_names_add_pattern(&files, t->folder);
    pt_text_addf(&files, "%sducklake-*.parquet", pt_table_has_subfolders(t) ? "**/" : "");
    int code = pt_text_check(&guards, err) == PT_OK ? pt_text_check(&files, err) : PT_E_NOMEM;
    if (code == PT_OK) { /* a guard's name has the UUID of the file that it guards */
        const pt_name_part guard = {pt_text_get(&guards), strlen(PT_GUARD_PREFIX) + 1,
                                    strlen(PT_GUARD_PREFIX) + UUID_LENGTH};
        const pt_name_part file = {pt_text_get(&files), strlen("ducklake-") + 1,
                                   strlen("ducklake-") + UUID_LENGTH};
        code = pt_metadata_unfinished_files(session, &guard, &file, out, err);
    }
    pt_text_free(&guards);
    pt_text_free(&files);
    return code;
}

static bool is_old(const pt_table *t, const char *path, int64_t now_us, int64_t max_age_us) {
    int64_t made = path ? time_of_name(t, name_of(path)) : -1;
    return made >= 0 && now_us - made >= max_age_us;
}

int pt_orphans_remove(pt_session *session, const pt_table *t, int64_t max_age_us, uint64_t *removed,
                      pt_error *err) {
    pt_result files = {0};
    pt_result unfinished = {0};
    int64_t now = pt_now_us();
    bool guards = false;
    *removed = 0;
    int code = list_unknown(session, t, &files, err);
    for (size_t i = 0; code == PT_OK && i < files.n_rows; i++) {
        guards |= is_guard(name_of(pt_result_cell(&files, i, 0)));
    }
    if (guards) { /* an object store lists the whole folder for it */
        code = list_unfinished(session, t, &unfinished, err);
    }
    const char **old = calloc(files.n_rows + unfinished.n_rows + 1, sizeof *old);
    size_t n = 0;
    if (code == PT_OK && !old) {
        code = pt_fail_nomem(err, "a list of files");
    }
    for (size_t i = 0; code == PT_OK && i < unfinished.n_rows;
         i++) { /* before their guards, without which they would not be found again */
        if (is_old(t, pt_result_cell(&unfinished, i, 0), now, max_age_us)) {
            old[n++] = pt_result_cell(&unfinished, i, 1);
        }
    }
    for (size_t i = 0; code == PT_OK && i < files.n_rows; i++) {
        if (is_old(t, pt_result_cell(&files, i, 0), now, max_age_us)) {
            old[n++] = pt_result_cell(&files, i, 0);
        }
    }
    if (code == PT_OK && n) {
        code = pt_files_remove(session, old, n, err);
    }
    *removed = code == PT_OK ? n : 0;
    free(old);
    pt_result_clear(&files);
    pt_result_clear(&unfinished);
    return code;
}
