/* What an engine is opened with, and the kinds of catalogs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pt_engine pt_engine;   /* duck/engine.h */
typedef struct pt_session pt_session; /* duck/session.h */

typedef enum pt_catalog_kind {
    PT_CATALOG_NONE,
    PT_CATALOG_DUCKDB,
    PT_CATALOG_SQLITE,
    PT_CATALOG_POSTGRES,
    PT_CATALOG_MYSQL,
    PT_CATALOG_MOTHERDUCK,
    PT_CATALOG_QUACK
} pt_catalog_kind;

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
