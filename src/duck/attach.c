#include "duck/attach.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/redact.h"
#include "base/text.h"
#include "duck/attach_failed.h"
#include "duck/file_names.h"
#include "duck/session.h"

#define ALIAS_MAX 100

static int prepare_folders(const pt_lake_options *o, const pt_lake_uri *uri, pt_error *err) {
    if (uri->is_file) {
        struct stat st;
        if (stat(uri->rest, &st) == 0 && S_ISDIR(st.st_mode)) {
            return pt_fail(err, PT_E_USAGE,
                           "catalog %s is a folder: name a file in it, such as --lake "
                           "ducklake:sqlite:%s/lake.sqlite",
                           uri->rest, uri->rest);
        }
        if (!o->create && !pt_path_exists(uri->rest)) {
            return pt_fail_why(err, PT_E_LAKE, PT_WHY_NO_LAKE | PT_WHY_NO_CATALOG_FILE,
                               "catalog file %s does not exist; check --lake and the working "
                               "directory",
                               uri->rest);
        }
        char *folder = pt_folder_of(uri->rest);
        if (!folder) {
            return pt_fail_nomem(err, "a path");
        }
        int code = PT_OK;
        if (o->create && !o->data_path && uri->catalog != PT_CATALOG_DUCKDB &&
            !pt_path_exists(uri->rest)) { /* as DuckLake would say, when the folder is there */
            code = pt_attach_no_data_path(o, err);
        }
        if (code == PT_OK && o->create) {
            code = pt_make_folders(folder, err);
        }
        if (code == PT_OK && !o->read_only && !pt_path_exists(uri->rest)) {
            code = pt_folder_writable(folder, err);
        }
        free(folder);
        if (code == PT_E_USAGE) {
            return code;
        }
        if (code != PT_OK) {
            return pt_fail_in(err, "catalog");
        }
    }
    if (o->create && o->data_path && !pt_path_is_remote(o->data_path)) {
        if (pt_folder_can_be(o->data_path, err) !=
            PT_OK) { /* it is made when the first file comes: an ATTACH that is refused must leave
                        none behind */
            return pt_fail_in(err, "data path %s", o->data_path);
        }
    }
    return PT_OK;
}

/* Whether a parameter of libpq is set already, in the connection string or in the environment: then
 * it stays as it is. */
static bool has_parameter(const char *connection, const char *name, const char *variable) {
    size_t n = strlen(name);
    const char *environment = getenv(variable);
    for (const char *p = connection; (p = strstr(p, name)) != NULL; p++) {
        bool begins = p == connection || strchr(" ?&", p[-1]);
        if (begins && p[n + strspn(p + n, " ")] == '=') {
            return true;
        }
    }
    return environment && *environment;
}

/* name=value behind what the connection string has, in its own way of writing. */
static void add_parameter(pt_text *lake, const pt_lake_uri *uri, const char *name,
                          const char *value) {
    bool is_uri = strncmp(uri->rest, "//", 2) == 0 || strstr(uri->rest, "://");
    const char *separator = !is_uri ? " " : strchr(pt_text_get(lake), '?') ? "&" : "?";
    pt_text_addf(lake, "%s%s=", separator, name);
    for (const char *p = value; *p; p++) {
        if (is_uri && *p == '=') {
            pt_text_add(lake, "%3D");
        } else {
            pt_text_add_n(lake, p, 1);
        }
    }
}

/* A host that drops packets would keep the attempt waiting for minutes, which looks like a
 * statement that is never answered. libpq takes 1 for 2. */
static void add_connect_timeout(pt_text *lake, const pt_lake_uri *uri, int64_t limit_us) {
    char seconds[24];
    if (limit_us > 0 && !has_parameter(uri->rest, "connect_timeout", "PGCONNECT_TIMEOUT")) {
        (void)snprintf(seconds, sizeof seconds, "%" PRId64,
                       limit_us < 2000000 ? 2 : limit_us / 1000000);
        add_parameter(lake, uri, "connect_timeout", seconds);
    }
}

/* A limit for sessions that are idle in a transaction: the postgres extension's own setting for it
 * has no effect there. */
static void add_idle_limit(pt_text *lake, const pt_lake_uri *uri, int64_t limit_us) {
    char option[80];
    if (limit_us > 0 && !has_parameter(uri->rest, "options", "PGOPTIONS")) {
        (void)snprintf(option, sizeof option, "-cidle_in_transaction_session_timeout=%" PRId64,
                       limit_us / 1000);
        add_parameter(lake, uri, "options", option);
    }
}

/* The lake's text as given, with what a PostgreSQL catalog needs. */
static int add_lake(pt_text *sql, const pt_lake_options *o, const pt_lake_uri *uri, pt_error *err) {
    pt_text lake = {0};
    pt_text_add(&lake, o->lake);
    if (uri->catalog == PT_CATALOG_POSTGRES) {
        add_connect_timeout(&lake, uri, o->connect_timeout_us);
        add_idle_limit(&lake, uri, o->idle_transaction_us);
    }
    int code = pt_text_check(&lake, err);
    if (code == PT_OK) {
        pt_text_add_sql_string(sql, pt_text_get(&lake));
    }
    pt_text_free(&lake);
    return code;
}

static int add_attach(pt_text *sql, const pt_lake_options *o, const pt_lake_uri *uri,
                      const char *alias, pt_error *err) {
    const char *separator = " (";
    pt_text_add(sql, "ATTACH ");
    PT_TRY(add_lake(sql, o, uri, err));
    pt_text_add(sql, " AS ");
    pt_text_add_sql_name(sql, alias);
    if (o->data_path) {
        pt_text_addf(sql, "%sDATA_PATH ", separator);
        pt_text_add_sql_string(sql, o->data_path);
        separator = ", ";
    }
    if (!o->create) {
        pt_text_addf(sql, "%sCREATE_IF_NOT_EXISTS false", separator);
        separator = ", ";
    }
    if (o->read_only) {
        pt_text_addf(sql, "%sREAD_ONLY", separator);
        separator = ", ";
    }
    if (uri->catalog == PT_CATALOG_SQLITE) {
        pt_text_addf(sql, "%sMETA_BUSY_TIMEOUT 5000%s", separator,
                     o->read_only ? "" : ", META_JOURNAL_MODE 'WAL'");
        separator = ", ";
    }
    if (strcmp(separator, ", ") == 0) {
        pt_text_add(sql, ")");
    }
    return pt_text_check(sql, err);
}

/* ---- what can be said of the options before anything is opened ---- */

int pt_attach_check(const pt_lake_options *o, pt_error *err) {
    static const char *const taken[] = {
        "memory", "main", "temp", "system", "information_schema", "pg_catalog", "pintail_scratch"};
    const char *alias = o->alias ? o->alias : "lake";
    if (!*alias) {
        return pt_fail(err, PT_E_USAGE, "--alias is empty; write a name, or leave it out (lake)");
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcasecmp(alias, taken[i]) == 0) {
            return pt_fail(
                err, PT_E_USAGE,
                "--alias %s: DuckDB needs that name itself; write another, or leave it out (lake)",
                alias);
        }
    }
    for (const char *p = alias; *p; p++) {
        if (*p == '"' || *p == '\'' || (unsigned char)*p < ' ') {
            return pt_fail(err, PT_E_USAGE,
                           "--alias '%s': a name without quotes and control characters is wanted",
                           alias);
        }
    }
    if (strlen(alias) > ALIAS_MAX) {
        return pt_fail(err, PT_E_USAGE, "--alias '%.20s...' is longer than %d characters", alias,
                       ALIAS_MAX);
    }
    if (o->data_path && !*o->data_path) {
        return pt_fail(err, PT_E_USAGE,
                       "--data-path is empty; write a folder or an s3:// prefix, or leave it out "
                       "where the catalog knows it");
    }
    return o->data_path && o->create ? pt_file_names_check(o->data_path, err) : PT_OK;
}

/* ---- all of it ---- */

int pt_attach(pt_session *session, const char *alias, const pt_lake_options *o,
              const pt_lake_uri *uri, pt_error *err) {
    PT_TRY(prepare_folders(o, uri, err));
    pt_text sql = {0};
    int code = add_attach(&sql, o, uri, alias, err);
    if (code == PT_OK) {
        code = pt_session_run(session, pt_text_get(&sql), err);
        if (code != PT_OK) {
            code = pt_attach_failed(o, uri, err);
        }
    }
    pt_text_free(&sql);
    return code;
}
