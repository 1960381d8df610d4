#include "lake/leftovers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "lake/object_store.h"
#include "lake/table.h"

#define NAME_LENGTH 39 /* uuid + ".pq" */

/* Microseconds since the epoch out of a version 7 UUID; -1 when the name is none of ours. */
static int64_t time_of_name(const char *name) {
    int64_t ms = 0;
    if (strlen(name) != NAME_LENGTH || strcmp(name + 36, ".pq") != 0 || name[14] != '7') {
        return -1;
    }
    for (int i = 0; i < 36; i++) {
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

/* Files in the table's folder whose name no snapshot has and that do not wait for DuckLake's own cleanup. A file that is committed while this runs may be
 * among them; its age tells. */
static int list_unknown(pt_engine *engine, pt_session *session, const pt_target *t, pt_table *out, pt_error *err) {
    pt_text sql = {0};
    pt_text pattern = {0};
    const char *alias = pt_engine_alias(engine);
    pt_text_addf(&pattern, "%s*.pq", t->folder);
    pt_text_add(&sql, "SELECT file FROM glob(");
    pt_text_add_sql_string(&sql, pt_text_get(&pattern));
    pt_text_addf(&sql,
                 ") ANTI JOIN (SELECT path FROM \"__ducklake_metadata_%s\".ducklake_data_file "
                 "UNION ALL SELECT path FROM \"__ducklake_metadata_%s\".ducklake_files_scheduled_for_deletion) k "
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

int pt_leftovers_remove(pt_engine *engine, pt_session *session, const pt_target *t, int64_t max_age_us, uint64_t *removed, pt_error *err) {
    pt_table files = {0};
    int64_t now = pt_now_us();
    *removed = 0;
    int code = list_unknown(engine, session, t, &files, err);
    const char **old = calloc(files.n_rows + 1, sizeof *old);
    size_t n = 0;
    if (code == PT_OK && !old) {
        code = pt_fail_nomem(err, "a list of files");
    }
    for (size_t i = 0; code == PT_OK && i < files.n_rows; i++) {
        const char *path = pt_table_cell(&files, i, 0);
        int64_t made = path ? time_of_name(name_of(path)) : -1;
        if (made < 0 || now - made < max_age_us) {
            continue;
        }
        old[n++] = path;
    }
    if (code == PT_OK && n) {
        code = pt_files_remove(session, old, n, err);
    }
    *removed = code == PT_OK ? n : 0;
    free(old);
    pt_table_clear(&files);
    return code;
}
