/* Opening and closing an engine: extensions, settings, ATTACH. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "duck/attach.h"
#include "duck/engine_internal.h"
#include "duck/object_store.h"
#include "duck/result.h"
#include "duck/uri.h"

#define SET_ASIDE_MAX 8U /* each keeps some 20 MB */

/* ---- engines that cannot be closed ---- */

/* An internal error (DuckDB 1.5 has some when PostgreSQL goes away) invalidates the whole instance.
 * To end a connection that has a transaction open there calls std::terminate: the rollback in its
 * destructor throws. So such an engine is neither rolled back, detached nor closed, but left as it
 * is. */
static _Atomic unsigned n_set_aside, n_files_set_aside;

static void set_aside(const pt_engine *engine) {
    (void)atomic_fetch_add(&n_set_aside, 1U);
    if (engine->is_file) {
        (void)atomic_fetch_add(&n_files_set_aside, 1U);
    }
    if (engine->disowned) {
        return;
    }
    pt_log(
        PT_LOG_WARN,
        PT_EVENT(
            "DuckDB gave itself up after an internal error; it cannot be closed and is set aside"),
        PT_INT("times", atomic_load(&n_set_aside)));
}

/* A catalog file is still held, perhaps locked, by the engine that was set aside: only the end of
 * the process frees it. */
static int may_open_another(const pt_lake_uri *uri, pt_error *err) {
    if (uri->is_file && atomic_load(&n_files_set_aside)) {
        return pt_fail(err, PT_E_RESTART,
                       "DuckDB gave itself up after an internal error and cannot let go of catalog "
                       "file %s; nothing is lost: start pintail again",
                       uri->rest);
    }
    if (atomic_load(&n_set_aside) >= SET_ASIDE_MAX) {
        return pt_fail(err, PT_E_RESTART,
                       "DuckDB gave itself up %u times after internal errors, and each time keeps "
                       "memory; nothing is lost: start pintail again",
                       SET_ASIDE_MAX);
    }
    return PT_OK;
}

/* ---- extensions ---- */

static const char *platform(void) {
    struct utsname u;
    bool arm = uname(&u) == 0 &&
               (strcmp(u.machine, "aarch64") == 0 || strcmp(u.machine, "arm64") == 0);
    return arm ? "linux_arm64" : "linux_amd64";
}

/* <binary's folder>/lib/pintail/extensions (build tree), else ../lib/pintail/extensions (installed
 * tree). */
static int extension_folder(pt_text *out, pt_error *err) {
    const char *named = getenv("PINTAIL_EXTENSIONS");
    if (named && *named) {
        pt_text_add(out, named);
        return pt_text_check(out, err);
    }
    char binary[4096];
    ssize_t n = readlink("/proc/self/exe", binary, sizeof binary - 1);
    if (n <= 0) {
        return pt_fail(err, PT_E_LAKE,
                       "cannot tell where the pintail binary is; set PINTAIL_EXTENSIONS to the "
                       "folder of DuckDB's extensions");
    }
    binary[n] = '\0';
    *strrchr(binary, '/') = '\0';
    static const char *const places[] = {"lib/pintail/extensions", "../lib/pintail/extensions",
                                         "../../lib/pintail/extensions"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        pt_text_clear(out);
        pt_text_addf(out, "%s/%s", binary, places[i]);
        PT_TRY(pt_text_check(out, err));
        if (pt_path_exists(pt_text_get(out))) {
            return PT_OK;
        }
    }
    return pt_fail(err, PT_E_LAKE,
                   "DuckDB's extensions are not at %s/../lib/pintail/extensions; install pintail "
                   "again, or set PINTAIL_EXTENSIONS",
                   binary);
}

static int load_extension(pt_session *session, const char *folder, const char *name,
                          pt_error *err) {
    char file[4500];
    (void)snprintf(file, sizeof file, "%s/%s/%s/%s.duckdb_extension", folder,
                   duckdb_library_version(), platform(), name);
    bool shipped = strcmp(name, "motherduck") != 0 && strcmp(name, "quack") != 0;
    if (!pt_path_exists(file) && !shipped) {
        return pt_fail(err, PT_E_LAKE,
                       "a lake of this kind needs DuckDB's extension %s, which pintail does not "
                       "bring: put that of DuckDB %s at %s, or use a "
                       "PostgreSQL, SQLite or DuckDB-file catalog",
                       name, duckdb_library_version(), file);
    }
    if (!pt_path_exists(file)) {
        return pt_fail(
            err, PT_E_LAKE,
            "extension file %s is missing; run make again, or install pintail with its lib folder",
            file);
    }
    pt_error why;
    if (pt_session_runf(session, &why, "LOAD %s", name) != PT_OK) {
        return pt_fail(err, PT_E_LAKE,
                       "extension file %s cannot be loaded (it must be of DuckDB %s exactly): %s",
                       file, duckdb_library_version(), why.text);
    }
    return PT_OK;
}

static const char *catalog_extension(pt_catalog_kind catalog) {
    switch (catalog) {
    case PT_CATALOG_SQLITE: return "sqlite_scanner";
    case PT_CATALOG_POSTGRES: return "postgres_scanner";
    case PT_CATALOG_MYSQL: return "mysql_scanner";
    case PT_CATALOG_MOTHERDUCK: return "motherduck";
    case PT_CATALOG_QUACK: return "quack";
    case PT_CATALOG_NONE:
    case PT_CATALOG_DUCKDB: break;
    }
    return NULL;
}

/* Rows in memory may go to DuckDB's temporary files, which are in clear by default. */
static int look_for_encryption(pt_engine *engine, pt_session *session, pt_error *err) {
    int64_t n = 0;
    pt_text sql = {0};
    pt_text_addf(&sql,
                 "SELECT count(*) FROM \"__ducklake_metadata_%s\".ducklake_metadata WHERE key = "
                 "'encrypted' AND scope IS NULL AND value = 'true'",
                 engine->alias);
    int code = pt_statement_int(session, &sql, &n, err);
    PT_TRY(code);
    engine->encrypted = n > 0;
    return n ? pt_session_run(session, "SET GLOBAL temp_file_encryption = true", err) : PT_OK;
}

static int set_up(pt_engine *engine, const pt_lake_options *o, const char *folder, pt_error *err) {
    pt_lake_uri uri = {0};
    if (o->lake) {
        PT_TRY(pt_lake_uri_parse(o->lake, &uri, err));
        PT_TRY(pt_attach_check(o, err));
    }
    engine->catalog = uri.catalog;
    engine->is_file = uri.is_file;
    PT_TRY(may_open_another(&uri, err));
    if (o->load == PT_LOAD_NOTHING) {
        return PT_OK;
    }
    pt_session *session = NULL;
    PT_TRY(pt_session_open(engine, &session, err));
    int code = load_extension(session, folder, "httpfs",
                              err); /* before ducklake: DuckLake looks for it when it loads */
    if (code == PT_OK) {
        code = load_extension(session, folder, "ducklake", err);
    }
    if (code == PT_OK && catalog_extension(uri.catalog)) {
        code = load_extension(session, folder, catalog_extension(uri.catalog), err);
    }
    if (code == PT_OK) {
        code = pt_session_run(session, "SET allow_unsigned_extensions = false",
                              err); /* before anything of a user's; nobody can undo it */
    }
    if (code == PT_OK && !o->local_time) {
        code = pt_session_run(session, "SET GLOBAL TimeZone = 'UTC'", err);
    }
    if (code == PT_OK) {
        code = pt_object_store_login(session, err);
    }
    for (size_t i = 0; code == PT_OK && i < o->n_init_sql; i++) {
        code = pt_object_store_run_secret(session, o->init_sql[i], err);
        if (code != PT_OK) {
            code = pt_fail_in(err, "init SQL statement %zu", i + 1);
        }
    }
    if (code == PT_OK && o->lake) {
        code = pt_attach(session, engine->alias, o, &uri, err);
        engine->attached = code == PT_OK;
    }
    if (engine->attached) {
        code = look_for_encryption(engine, session, err);
    }
    pt_session_close(&session);
    return code;
}

static int configure(duckdb_config config, const pt_lake_options *o, const char *folder,
                     pt_error *err) {
    char number[64];
    bool bad = duckdb_set_config(config, "extension_directory", folder) == DuckDBError;
    bad |= duckdb_set_config(config, "autoinstall_known_extensions", "false") ==
           DuckDBError; /* nothing is fetched behind the user's back */
    /* While it loads the files that came with it, which are as good as the program itself: to check
     * a signature costs 0.1 s of CPU a file. */
    bad |= o->load != PT_LOAD_NOTHING &&
           duckdb_set_config(config, "allow_unsigned_extensions", "true") == DuckDBError;
    if (o->memory_limit) {
        (void)snprintf(number, sizeof number, "%" PRIu64 "B", o->memory_limit);
        bad |= duckdb_set_config(config, "memory_limit", number) == DuckDBError;
    }
    if (o->threads) {
        (void)snprintf(number, sizeof number, "%u", o->threads);
        bad |= duckdb_set_config(config, "threads", number) == DuckDBError;
    }
    return bad ? pt_fail(err, PT_E_USAGE, "DuckDB refused its memory limit or threads setting")
               : PT_OK;
}

static _Atomic uint64_t n_opened;

int pt_engine_open(const pt_lake_options *options, pt_engine **out, pt_error *err) {
    *out = NULL;
    pt_text folder = {0};
    duckdb_config config = NULL;
    char *message = NULL;
    pt_engine *engine = calloc(1, sizeof *engine);
    int code = engine && (engine->alias = strdup(options->alias ? options->alias : "lake"))
                   ? PT_OK
                   : pt_fail_nomem(err, "the engine");
    if (code == PT_OK) {
        engine->pulse = options->pulse;
        engine->number = atomic_fetch_add(&n_opened, 1U) + 1;
        code = extension_folder(&folder, err);
    }
    if (code == PT_OK && duckdb_create_config(&config) == DuckDBError) {
        code = pt_fail_nomem(err, "DuckDB's configuration");
    }
    if (code == PT_OK) {
        code = configure(config, options, pt_text_get(&folder), err);
    }
    if (code == PT_OK &&
        duckdb_open_ext(NULL, &engine->database, config, &message) == DuckDBError) {
        code = pt_fail(err, PT_E_LAKE, "DuckDB cannot start: %s",
                       message ? message : "no reason given");
        duckdb_free(message);
    }
    if (code == PT_OK) {
        code = set_up(engine, options, pt_text_get(&folder), err);
    }
    duckdb_destroy_config(&config);
    pt_text_free(&folder);
    if (code != PT_OK) {
        pt_engine_close(&engine);
    }
    *out = engine;
    return code;
}

static void detach_lake(pt_engine *e) {
    pt_session *session = NULL;
    if (!pt_engine_invalid(e) && pt_session_open(e, &session, NULL) == PT_OK) {
        int ignored = pt_session_runf(session, NULL, "DETACH \"%s\"", e->alias);
        (void)ignored; /* closing anyway */
        pt_session_close(&session);
    }
}

void pt_engine_close(pt_engine **engine) {
    pt_engine *e = *engine;
    if (!e) {
        return;
    }
    if (e->attached) {
        detach_lake(e);
    }
    if (pt_engine_invalid(e)) {
        set_aside(e);
    } else if (e->database) {
        duckdb_close(&e->database);
    }
    free(e->alias);
    free(e);
    *engine = NULL;
}
