#include "duck/file_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "duck/result.h"
#include "duck/uri.h"

/* read_blob has no option against hive keys, and a folder named size=5 or content=x takes the place
 * of its own column, which ends DuckDB. It looks for keys only where all files have the same: this
 * one, which is everywhere, has none. */
#define KEYLESS "/proc/version"

int pt_file_names_check(const char *folder, pt_error *err) {
    if (pt_path_is_remote(folder)) {
        const char *bad = strpbrk(folder, "?\\");
        return bad ? pt_fail(err, PT_E_USAGE,
                             "data path %s: DuckDB cannot write objects with '%c' in their names; "
                             "use a prefix without it",
                             folder, *bad)
                   : PT_OK;
    }
    if (*folder == '~') {
        return pt_fail(err, PT_E_USAGE,
                       "data path %s: no shell has put the home folder in the place of ~; write "
                       "the whole path",
                       folder);
    }
    return strchr(folder, '\\') ? pt_fail(err, PT_E_USAGE,
                                          "data path %s: DuckDB takes a backslash for a separator "
                                          "of folders; use a path without it",
                                          folder)
                                : PT_OK;
}

void pt_file_names_add_pattern(pt_text *pattern, const char *path) {
    for (const char *p = path; *p; p++) {
        bool special = *p == '*' || *p == '?' || *p == '[';
        pt_text_add(pattern, special ? "[" : "");
        pt_text_add_n(pattern, p, 1);
        pt_text_add(pattern, special ? "]" : "");
    }
}

void pt_file_names_add_sql(pt_text *sql, const char *path) {
    pt_text pattern = {0};
    pt_file_names_add_pattern(&pattern, path);
    pt_text_add_sql_string(sql, pt_text_get(&pattern));
    sql->failed |= pattern.failed;
    pt_text_free(&pattern);
}

void pt_file_names_add_read_blob(pt_text *sql, const char *pattern) {
    pt_text_add(sql, "FROM (SELECT filename, size, content FROM read_blob(['" KEYLESS "', ");
    pt_text_add_sql_string(sql, pattern);
    pt_text_add(sql, "]) WHERE filename <> '" KEYLESS "')");
}

static int object_size(pt_session *session, const char *path, int64_t *size, pt_error *err) {
    pt_text name = {0};
    pt_text sql = {0};
    pt_result found = {0};
    pt_file_names_add_pattern(&name, path);
    pt_text_add(&sql, "SELECT size ");
    pt_file_names_add_read_blob(&sql, pt_text_get(&name));
    int code = name.failed ? pt_fail_nomem(err, "a statement") : pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), &found, err);
    }
    *size = code == PT_OK && found.n_rows ? pt_result_int(&found, 0, 0) : -1;
    if (code != PT_OK && pt_error_is(err, PT_WHY_NO_OBJECT)) {
        code = PT_OK;
    }
    pt_result_clear(&found);
    pt_text_free(&sql);
    pt_text_free(&name);
    return code;
}

int pt_file_size(pt_session *session, const char *path, int64_t *size, pt_error *err) {
    struct stat s;
    if (pt_path_is_remote(path)) {
        pt_error why = {0}; /* the caller may want none */
        int code = object_size(session, path, size, &why);
        if (code != PT_OK && err) {
            *err = why;
        }
        return code;
    }
    *size = stat(path, &s) == 0 ? (int64_t)s.st_size : -1;
    return PT_OK;
}

static int copy_object(pt_session *session, const char *from, const char *to, pt_error *err) {
    pt_text name = {0};
    pt_text sql = {0};
    pt_file_names_add_pattern(&name, from);
    pt_text_add(&sql, "COPY (SELECT content ");
    pt_file_names_add_read_blob(&sql, pt_text_get(&name));
    pt_text_add(&sql, ") TO ");
    pt_text_add_sql_string(&sql, to);
    pt_text_add(&sql, " (FORMAT blob)");
    int code = name.failed ? pt_fail_nomem(err, "a statement") : pt_text_check(&sql, err);
    if (code == PT_OK && pt_session_run(session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "copying %s", from);
    }
    pt_text_free(&sql);
    pt_text_free(&name);
    return code;
}

int pt_file_copy(pt_session *session, const char *from, const char *to, pt_error *err) {
    return pt_path_is_remote(from) ? copy_object(session, from, to, err)
                                   : pt_copy_file(from, to, err);
}
