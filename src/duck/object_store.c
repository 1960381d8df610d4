#include "duck/object_store.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/redact.h"
#include "base/text.h"
#include "duck/result.h"
#include "duck/uri.h"

/* ---- keys ---- */

static void add_secret_part(pt_text *sql, const char *key, const char *variable) {
    const char *value = getenv(variable);
    if (value && *value) {
        pt_text_addf(sql, ", %s ", key);
        pt_text_add_sql_string(sql, value);
    }
}

static void add_endpoint(pt_text *sql) {
    const char *url = getenv("AWS_ENDPOINT_URL_S3") ? getenv("AWS_ENDPOINT_URL_S3")
                                                    : getenv("AWS_ENDPOINT_URL");
    if (!url || !*url) {
        return;
    }
    bool plain = strncmp(url, "http://", 7) == 0;
    const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
    char *bare = strndup(host, strcspn(host, "/"));
    pt_text_add(sql, ", ENDPOINT ");
    pt_text_add_sql_string(sql, bare ? bare : host);
    free(bare);
    pt_text_addf(sql, ", URL_STYLE 'path', USE_SSL %s", plain ? "false" : "true");
}

int pt_object_store_login(pt_session *session, pt_error *err) {
    const char *key = getenv("AWS_ACCESS_KEY_ID");
    if (!key || !*key) {
        return PT_OK;
    }
    pt_text sql = {0};
    pt_text_add(&sql, "CREATE SECRET pintail_env (TYPE s3");
    add_secret_part(&sql, "KEY_ID", "AWS_ACCESS_KEY_ID");
    add_secret_part(&sql, "SECRET", "AWS_SECRET_ACCESS_KEY");
    add_secret_part(&sql, "SESSION_TOKEN", "AWS_SESSION_TOKEN");
    add_secret_part(&sql, "REGION", getenv("AWS_REGION") ? "AWS_REGION" : "AWS_DEFAULT_REGION");
    add_endpoint(&sql);
    pt_text_add(&sql, ")");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK && pt_object_store_run_secret(session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "the keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the other "
                               "AWS_ variables cannot be used");
    }
    pt_text_free(&sql);
    return code;
}

/* Stars over every occurrence of the n bytes at value. */
static void hide(char *text, const char *value, size_t n) {
    for (char *p = text; n && (p = memmem(p, strlen(p), value, n)) != NULL; p += n) {
        memset(p, '*', n);
    }
}

int pt_object_store_run_secret(pt_session *session, const char *sql, pt_error *err) {
    int code = pt_session_run(session, sql, err);
    if (code == PT_OK) {
        return PT_OK;
    }
    char *cited = strstr(
        err->text,
        "LINE 1:"); /* DuckDB shows the statement, or a part of it that may begin within a value */
    if (cited) {
        *cited = '\0';
    }
    if (pt_sql_is_secret(sql)) {
        pt_redact_cited(err->text);
    }
    const char *open;
    for (const char *p = sql; (open = strchr(p, '\'')) != NULL;) {
        const char *close = strchr(open + 1, '\'');
        size_t n = close ? (size_t)(close - open - 1) : strlen(open + 1);
        hide(err->text, open + 1, n);
        p = open + 1 + n + (close != NULL);
    }
    return code;
}

/* ---- removing ---- */

#define SCRATCH "pintail_scratch"

static int schedule(pt_session *session, const char *path, size_t id, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql,
                 "INSERT INTO \"__ducklake_metadata_" SCRATCH
                 "\".ducklake_files_scheduled_for_deletion VALUES (%zu, ",
                 id);
    pt_text_add_sql_string(&sql, path);
    pt_text_add(&sql, ", false, now())");
    return pt_statement_run(session, &sql, err);
}

/* DuckDB has no statement that removes a file. DuckLake has one for the files that a catalog has
 * scheduled for deletion; this catalog is in memory and holds nothing else, so that exactly these
 * files go, with whatever keys DuckDB has for them. */
static int remove_objects(pt_session *session, const char *const *paths, size_t n, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "ATTACH 'ducklake::memory:' AS " SCRATCH " (DATA_PATH ");
    pt_text_add_sql_string(&sql, paths[0]);
    pt_text_add(&sql, ")");
    int code = pt_statement_run(session, &sql, err);
    PT_TRY(code);
    for (size_t i = 0; code == PT_OK && i < n; i++) {
        code = schedule(session, paths[i], i + 1, err);
    }
    if (code == PT_OK) {
        code = pt_session_run(session,
                              "CALL ducklake_cleanup_old_files('" SCRATCH "', cleanup_all => true)",
                              err);
    }
    int ignored = pt_session_run(session, "DETACH " SCRATCH, NULL);
    (void)ignored;
    return code;
}

int pt_files_remove(pt_session *session, const char *const *paths, size_t n, pt_error *err) {
    const char **objects = calloc(n + 1, sizeof *objects);
    size_t n_objects = 0;
    if (!objects) {
        return pt_fail_nomem(err, "a list of files");
    }
    int code = PT_OK;
    for (size_t i = 0; i < n; i++) {
        if (pt_path_is_remote(paths[i])) {
            objects[n_objects++] = paths[i];
        } else if (unlink(paths[i]) != 0 && errno != ENOENT) {
            code = pt_fail(err, PT_E_IO, "file %s cannot be removed: %s", paths[i],
                           strerror(errno));
        }
    }
    if (n_objects && !session) {
        code = pt_fail(err, PT_E_LAKE_DOWN, "%zu objects cannot be removed without a DuckDB",
                       n_objects);
    } else if (n_objects) {
        code = remove_objects(session, objects, n_objects, err);
    }
    free(objects);
    return code;
}
