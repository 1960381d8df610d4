/* DuckDB in this process, with DuckLake's extensions at hand and one lake attached. Threads may
 * share a pt_engine; each works in a session of its own (duck/session.h). */
#pragma once

#include <duckdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pt_engine pt_engine;
typedef struct pt_session pt_session;

typedef enum pt_load {
    PT_LOAD_LAKE,   /* all that a lake may need */
    PT_LOAD_REMOTE, /* no lake, but files on an object store: httpfs, secrets, init_sql; DuckLake,
                       to remove some */
    PT_LOAD_NOTHING /* local files only */
} pt_load;

typedef struct pt_lake_options {
    const char *lake; /* what follows ATTACH, such as ducklake:sqlite:metadata/x.sqlite; NULL: no
                         lake, extensions only */
    const char *data_path; /* NULL: the catalog knows it */
    const char *alias;     /* name of the attached lake, "lake" when NULL */
    bool read_only;        /* ATTACH ... (READ_ONLY) */
    bool create;        /* make a missing catalog and its folders; else a missing one is an error */
    size_t inline_rows; /* an INSERT of so many rows at most stays in the catalog (lake/inlined.h)
                           where the lake has no data_inlining_row_limit of its own; 0: no INSERT */
    uint64_t memory_limit; /* DuckDB's memory_limit in bytes, 0: DuckDB's default */
    unsigned threads;      /* 0: DuckDB's default */
    const char *const
        *init_sql; /* statements run before ATTACH (CREATE SECRET ...), n_init_sql of them */
    size_t n_init_sql;
    pt_load load;
    bool local_time; /* times are shown and read in the zone of the process (pintail sql); else in
                        UTC, so that defaults and partitions are the same on every machine */
    int64_t idle_transaction_us; /* PostgreSQL ends a session that is idle in a transaction for so
                                    long, and frees what waits behind it; 0: server's setting */
    int64_t connect_timeout_us;  /* an attempt to reach a host of PostgreSQL fails after so long, in
                                    whole seconds; 0: when the system gives up */
    _Atomic int64_t *pulse; /* NULL, or where sessions note (monotonic) when the statement under way
                               began, 0 between two: a watchdog reads it */
} pt_lake_options;

/* Opens DuckDB (in memory), finds the extension files relative to the binary (or in
 * PINTAIL_EXTENSIONS), loads what the lake needs, makes an S3 secret from the environment
 * (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL),
 * attaches. Errors: PT_E_USAGE for a bad lake text, PT_E_LAKE(_BUSY, _DOWN) for a catalog or a data
 * path that cannot be used. */
int pt_engine_open(const pt_lake_options *options, pt_engine **out, pt_error *err) PT_CHECKED;

/* Detaches, then closes. All sessions are closed before. An invalid engine is set aside instead: to
 * close it would abort the process. Then a catalog file cannot be opened again in this process, and
 * only a few engines more: pt_engine_open fails with PT_E_LAKE. */
void pt_engine_close(pt_engine **engine);

/* Whether a session has noticed that DuckDB gave itself up after an internal error: nothing but
 * pt_session_close and pt_engine_close makes sense. */
bool pt_engine_invalid(const pt_engine *engine);

/* The catalog's file has been replaced: pt_engine_close is to touch nothing of that name any more.
 * DuckDB, when it is closed, writes its log into a file that it has open, and then removes the log
 * by name, which is the other one's. */
void pt_engine_disown(pt_engine *engine);

/* 1, 2, ...: tells this engine from all others that the process has had. */
uint64_t pt_engine_number(const pt_engine *engine);

const char *pt_engine_alias(const pt_engine *engine);

typedef enum pt_catalog_kind {
    PT_CATALOG_NONE,
    PT_CATALOG_DUCKDB,
    PT_CATALOG_SQLITE,
    PT_CATALOG_POSTGRES,
    PT_CATALOG_MYSQL,
    PT_CATALOG_MOTHERDUCK,
    PT_CATALOG_QUACK
} pt_catalog_kind;
pt_catalog_kind pt_engine_catalog(const pt_engine *engine);

/* The attached lake was made with ENCRYPTED: no record may stand in clear anywhere but in its
 * catalog. DuckDB's temporary files are encrypted then, and errors do not cite statements. */
bool pt_engine_encrypted(const pt_engine *engine);
