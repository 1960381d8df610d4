#include "duck/attach_failed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/redact.h"
#include "base/text.h"

#define NEWEST_STORAGE 68 /* that the DuckDB of this program reads */

/* ---- the reason ---- */

/* Behind the text that is cited in quotes behind marker, of which cited is the beginning; p where
 * there is no such marker. */
static const char *behind_cited(const char *p, const char *marker, const char *cited,
                                const char *end) {
    const char *at = strstr(p, marker);
    if (!at) {
        return p;
    }
    at += strlen(marker);
    size_t n = strlen(cited);
    at += strncmp(at, cited, n) == 0 ? n : 0; /* it may hold a quote */
    const char *close = strstr(at, end);
    return close ? close + strlen(end) : p;
}

static const char *behind_last(const char *p, const char *text) {
    for (const char *at = p; (at = strstr(at, text)) != NULL;) {
        at += strlen(text);
        p = at;
    }
    return p;
}

/* DuckDB's texts around it cite the connection string up to three times. */
static void find_reason(const pt_lake_options *o, const pt_lake_uri *uri, const char *message,
                        pt_text *out) {
    const char *p = behind_cited(message, "at path + \"", o->lake + strlen("ducklake:"), "\"");
    p = behind_cited(p, "Unable to connect to Postgres at \"", uri->rest, "\": ");
    p = behind_last(p, "Failed to probe DuckLake metadata: ");
    if (strstr(p, "query \"") || strstr(p, "Unable to open database \"")) {
        p = behind_last(p, "\": ");
    }
    const char *hint = strstr(p, "Is the server running");
    size_t n = hint ? (size_t)(hint - p) : strlen(p);
    for (size_t i = 0; i < n; i++) {
        bool space = strchr(" \t\r\n", p[i]) != NULL;
        if (!space || (out->len && out->data[out->len - 1] != ' ')) {
            pt_text_add_n(out, space ? " " : &p[i], 1);
        }
    }
    while (out->len && strchr(" .", out->data[out->len - 1])) {
        out->data[--out->len] = '\0';
    }
}

/* ---- the advice ---- */

typedef struct pt_advice {
    const char *sign; /* in the reason */
    const char *what;
} pt_advice;

static const pt_advice for_servers[] = {
    {"authentication failed", "check the user, and the password in PGPASSWORD or ~/.pgpass"},
    {"no password supplied", "give the password in PGPASSWORD or ~/.pgpass"},
    {"no pg_hba.conf entry", "the server's pg_hba.conf has to let this user in from here"},
    {"FATAL: role", "check user= in --lake"},
    {"FATAL: database",
     "make it with createdb, or check dbname= in --lake; pintail makes the tables in it"},
    {"permission denied",
     "the user needs the right to make tables in the schema, or the tables have to be its own"},
    {"must be owner", "the tables have to be the user's own"},
    {"read-only transaction", "the server, the database or the user may only read (a standby? "
                              "default_transaction_read_only?); name one that may write"},
    {"connection option", "check the connection string behind ducklake:postgres:"},
    {"connection info string", "check the connection string behind ducklake:postgres:, such as "
                               "'dbname=lake host=db user=pintail'"},
    {"could not translate host name", "check the host in --lake"},
    {"Connection refused", "does the PostgreSQL server run there? Check host and port in --lake"},
    {"No such file or directory",
     "does a PostgreSQL server run here? Another machine's takes host= in --lake"},
    {"timeout expired", "check host and port in --lake, and the firewall"},
};

static const char *server_advice(const char *reason) {
    for (size_t i = 0; i < sizeof for_servers / sizeof *for_servers; i++) {
        if (strstr(reason, for_servers[i].sign)) {
            return for_servers[i].what;
        }
    }
    return NULL;
}

/* Bytes 8 to 11 of a DuckDB file. Only looked at when the file could not be attached: to close a
 * file lets go of the locks that this process has on it. */
static bool is_duckdb_file(const char *path) {
    char head[12] = "";
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(head, 1, sizeof head, file) : 0;
    if (file) {
        (void)fclose(file);
    }
    return n == sizeof head && memcmp(head + 8, "DUCK", 4) == 0;
}

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

/* Of a catalog that is a file, with what to do; PT_OK: nothing is known about this one. */
static int file_failed(const pt_lake_uri *uri, const char *reason, pt_error *err) {
    const char *path = uri->rest;
    bool sqlite = uri->catalog == PT_CATALOG_SQLITE;
    if (has(reason, "for SQLite Attach")) {
        return pt_fail(err, PT_E_USAGE,
                       "catalog file %s is an SQLite file: write --lake ducklake:sqlite:%s", path,
                       path);
    }
    if (sqlite && has(reason, "not a database") && is_duckdb_file(path)) {
        return pt_fail(err, PT_E_USAGE,
                       "catalog file %s is a DuckDB file: write --lake ducklake:%s", path, path);
    }
    if (!sqlite && has(reason, "if this was meant to be a path") &&
        (!pt_path_exists(path) || is_duckdb_file(path))) {
        return pt_fail(err, PT_E_USAGE,
                       "DuckLake takes '%s', which has no extension, for a name in DuckDB: write "
                       "--lake ducklake:duckdb:%s",
                       path, path);
    }
    if (has(reason, "not a database") || has(reason, "not a valid DuckDB database") ||
        has(reason, "if this was meant to be a path")) {
        return pt_fail(
            err, PT_E_LAKE,
            "catalog file %s is no %s database; check --lake (ducklake:sqlite:FILE, ducklake:FILE)",
            path, sqlite ? "SQLite" : "DuckDB");
    }
    if (sqlite &&
        (has(reason, "readonly database") || has(reason, "unable to open database file"))) {
        return pt_fail(err, PT_E_LAKE,
                       "catalog file %s cannot be used by this user: %s; SQLite's readers, too, "
                       "write to %s-wal and %s-shm: give the user the right to write to the "
                       "file and its folder, or use a PostgreSQL catalog",
                       path, reason, path, path);
    }
    if (has(reason, "Permission denied")) {
        return pt_fail(err, PT_E_LAKE,
                       "catalog file %s cannot be opened: Permission denied; give this user the "
                       "right to read it, and to write it unless it is attached "
                       "read-only",
                       path);
    }
    return PT_OK;
}

/* ---- versions ---- */

/* The version behind marker, as far as it has digits, letters, dots and dashes. */
static void version_behind(const char *text, const char *marker, char *out, size_t size) {
    const char *at = strstr(text, marker);
    at = at ? at + strlen(marker) : "?";
    size_t n = strcspn(at, ",; ");
    while (n && at[n - 1] == '.') {
        n--;
    }
    (void)snprintf(out, size, "%.*s", (int)n, at);
}

/* DuckLake's own advice would migrate the lake, which cannot be undone and keeps everybody else
 * out. */
static int version_differs(const pt_lake_options *o, const char *message, pt_error *err) {
    char found[32];
    char spoken[32];
    version_behind(message, "catalog version is ", found, sizeof found);
    version_behind(message, "requires version ", spoken, sizeof spoken);
    const char *lake = pt_redacted(o->lake).text;
    if (strtod(found, NULL) < strtod(spoken, NULL)) {
        return pt_fail_why(
            err, PT_E_LAKE, PT_WHY_OTHER_VERSION,
            "lake %s is of DuckLake version %s, and this program speaks %s: attach it "
            "once in DuckDB with AUTOMATIC_MIGRATION true, which cannot be undone: "
            "take a backup of the catalog first",
            lake, found, spoken);
    }
    return pt_fail_why(
        err, PT_E_LAKE, PT_WHY_OTHER_VERSION,
        "lake %s is of DuckLake version %s, and this program speaks %s: put a backup of "
        "the catalog back, or make the lake anew, with DUCKLAKE_VERSION '%s' at the "
        "ATTACH of the newer DuckDB and without AUTOMATIC_MIGRATION",
        lake, found, spoken, spoken);
}

/* Bytes 12 to 19 of a DuckDB file, little-endian; 0: it is none. */
static uint64_t storage_version(const char *path) {
    unsigned char head[20] = {0};
    uint64_t version = 0;
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(head, 1, sizeof head, file) : 0;
    if (file) {
        (void)fclose(file);
    }
    for (size_t i = 8; n == sizeof head && memcmp(head + 8, "DUCK", 4) == 0 && i > 0; i--) {
        version = version << 8 | head[11 + i];
    }
    return version;
}

static int storage_differs(const pt_lake_uri *uri, uint64_t version, pt_error *err) {
    return pt_fail(err, PT_E_LAKE,
                   "catalog file %s is of storage version %" PRIu64
                   " of a newer DuckDB, and this program reads up to %d: copy it there into a file "
                   "that was attached with "
                   "STORAGE_VERSION 'v1.5.0', and keep it at DUCKLAKE_VERSION '1.0'; or use an "
                   "SQLite or PostgreSQL catalog",
                   uri->rest, version, NEWEST_STORAGE);
}

/* ---- all of it ---- */

static int data_path_differs(const pt_lake_options *o, const char *message, pt_error *err) {
    static const char marker[] = "existing data path in the catalog \"";
    char path[400] = "";
    const char *at = strstr(message, marker);
    if (at) {
        at += sizeof marker - 1;
        (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(at, "\""), at);
    }
    return pt_fail_why(
        err, PT_E_USAGE, PT_WHY_OTHER_DATA_PATH,
        "lake %s was made with --data-path %s, not %s: leave --data-path out, or give that one; if "
        "it was a slip, and the lake has no rows yet, remove the catalog and start again",
        pt_redacted(o->lake).text, *path ? path : "of another value", o->data_path);
}

static int file_is_held(const pt_lake_uri *uri, const char *message, pt_error *err) {
    char pid[32] = "";
    const char *at = strstr(message, "(PID ");
    if (at) {
        (void)snprintf(pid, sizeof pid, " %.*s", (int)strcspn(at, ")") + 1, at);
    }
    return pt_fail_why(err, PT_E_LAKE_BUSY, PT_WHY_CATALOG_HELD,
                       "catalog file %s is open in another process%s: a DuckDB-file catalog allows "
                       "one process; stop that one, or use an SQLite (ducklake:sqlite:...) or "
                       "PostgreSQL catalog, which many may open",
                       uri->rest, pid);
}

int pt_attach_no_data_path(const pt_lake_options *o, pt_error *err) {
    return pt_fail_why(err, PT_E_USAGE, PT_WHY_NO_DATA_PATH,
                       "lake %s is new, and its catalog does not say where its Parquet files go: "
                       "give --data-path",
                       pt_redacted(o->lake).text);
}

/* Any other reason: the innermost text, and what to do about it. */
static int not_attached(const pt_lake_options *o, const pt_lake_uri *uri, const pt_error *was,
                        pt_error *err) {
    bool raced = was->code == PT_E_LAKE && pt_error_is(was, PT_WHY_CATALOG_RACED);
    pt_text reason = {0};
    find_reason(o, uri, was->text, &reason);
    int code = reason.failed  ? pt_fail_nomem(err, "an error")
               : uri->is_file ? file_failed(uri, pt_text_get(&reason), err)
                              : PT_OK;
    if (code == PT_OK) {
        const char *advice = uri->catalog == PT_CATALOG_POSTGRES
                                 ? server_advice(pt_text_get(&reason))
                                 : NULL;
        raced = raced && !advice; /* it may have failed since another process made the catalog */
        code = pt_fail_why(err, was->code, raced ? PT_WHY_CATALOG_RACED : PT_WHY_NONE,
                           "lake %s cannot be attached: %s%s%s%s", pt_redacted(o->lake).text,
                           pt_text_get(&reason), advice ? "; " : "", advice ? advice : "",
                           raced ? "; another process may be at it" : "");
    }
    pt_text_free(&reason);
    return code;
}

int pt_attach_failed(const pt_lake_options *o, const pt_lake_uri *uri, pt_error *err) {
    const pt_error was = *err;
    if (pt_error_is(&was, PT_WHY_NO_LAKE)) {
        return pt_fail_why(err, PT_E_LAKE, PT_WHY_NO_LAKE,
                           "there is no DuckLake at %s; check --lake (pintail ingest makes one)",
                           pt_redacted(o->lake).text);
    }
    if (pt_error_is(&was, PT_WHY_OTHER_VERSION)) {
        return version_differs(o, was.text, err);
    }
    if (pt_error_is(&was, PT_WHY_CATALOG_HELD)) {
        return file_is_held(uri, was.text, err);
    }
    if (pt_error_is(&was, PT_WHY_NO_DATA_PATH)) {
        return pt_attach_no_data_path(o, err);
    }
    if (pt_error_is(&was, PT_WHY_OTHER_DATA_PATH)) {
        return data_path_differs(o, was.text, err);
    }
    uint64_t storage = uri->catalog == PT_CATALOG_DUCKDB && uri->is_file
                           ? storage_version(uri->rest)
                           : 0;
    return storage > NEWEST_STORAGE ? storage_differs(uri, storage, err)
                                    : not_attached(o, uri, &was, err);
}
