/* What the files of the DuckLake catalog share. */
#pragma once

#include <sys/types.h>

#include "duck/scan.h"
#include "lake/catalog_ops.h"
#include "lake/guard_keep.h"
#include "lake/turnstile.h"

typedef struct pt_ducklake {
    pt_catalog base; /* first */
    const pt_lake_options *options;
    pt_lake_options again; /* after the first ATTACH: a lake that is gone is not made again */
    bool opened;           /* it has been attached */
    pt_engine *engine;
    pt_session *session; /* NULL: not attached since the catalog failed */
    pt_scan *scan;
    pt_turnstile *turnstile; /* used from the first conflict on: a single writer does not need it */
    unsigned commits;        /* since DuckDB was opened */
    bool answers; /* the last COMMIT of unknown outcome failed for a reason that the catalog gave,
                     so it is there: settling needs no new connection */
    int64_t last_snapshot; /* of our last commit, as far as the claims are not newer; -1: none */
    char last_id[PT_UUID_SIZE];
    bool all_stood;         /* the epochs of all claims did at the last check */
    int64_t schema_version; /* of the lake when the tables were as we know them; -1: not known */
    dev_t file_device;      /* of the catalog's file; inode 0: it is none */
    ino_t file_inode;
    /* Slice i of a flush -> so many rows of an INSERT were seen to stay in the catalog, and so will
     * fewer: DuckLake reads a lake's limits when it attaches it. A look at what an INSERT has done
     * costs half a commit. */
    size_t inlines[PT_SCAN_SLOTS];
    uint64_t *seen; /* [n_seen] slice i -> the engine (pt_engine_number) by which a file of the
                       table was last seen to be registered well */
    size_t n_seen;
    pt_keep keep; /* guards of files that are committed */
    struct {
        const pt_table *table; /* NULL: there is none */
        pt_guarded guarded;
    } fold; /* the last one, while its outcome is not known */
} pt_ducklake;

static inline pt_ducklake *pt_ducklake_of(pt_catalog *catalog) {
    return (pt_ducklake *)catalog;
}

/* Opens another DuckDB and attaches the lake to it; detach first. */
int pt_ducklake_attach(pt_ducklake *c, pt_error *err) PT_CHECKED;
/* The session is NULL then. */
void pt_ducklake_detach(pt_ducklake *c);
/* PT_E_LAKE_DOWN when there is no session. */
int pt_ducklake_check_attached(const pt_ducklake *c, pt_error *err) PT_CHECKED;
/* Attaches anew when it is time for that; nothing may be under way. */
int pt_ducklake_renew(pt_ducklake *c, pt_error *err) PT_CHECKED;

/* Raises the epochs of the claims, then reads where their partitions stand. */
int pt_ducklake_raise_and_read(pt_ducklake *c, const pt_claiming *what, pt_error *err) PT_CHECKED;

/* Between two commits: looks after data files that were committed a while ago (lake/guard_keep.h);
 * all: of all, before a stop. */
void pt_ducklake_tend_guards(pt_ducklake *c, bool all);

/* The outcome of the flush is known: its guards go. */
void pt_ducklake_drop_guards(pt_ducklake *c, pt_flush *flush);

/* One attempt at PT_UPKEEP_FOLD. */
pt_outcome pt_ducklake_fold(pt_ducklake *c, pt_upkeep *what, pt_error *err) PT_CHECKED;
/* Brings back files of the fold that the catalog names and that are gone. */
int pt_ducklake_restore_fold(pt_ducklake *c, pt_error *err) PT_CHECKED;

/* Of pt_catalog_ops. */
int pt_ducklake_limit_memory(pt_catalog *catalog, uint64_t bytes, pt_error *err) PT_CHECKED;
int pt_ducklake_plan_table(pt_catalog *catalog, const pt_table_options *options,
                           pt_table_planned *out, pt_text *to_make, pt_error *err) PT_CHECKED;
int pt_ducklake_make_tables(pt_catalog *catalog, const char *what, pt_text *to_make,
                            pt_error *err) PT_CHECKED;
int pt_ducklake_open_table(pt_catalog *catalog, const pt_table_options *options, pt_table **out,
                           pt_error *err) PT_CHECKED;
int pt_ducklake_open_own(pt_catalog *catalog, const char *name, const char *schema_text,
                         pt_table **out, pt_error *err) PT_CHECKED;
int pt_ducklake_open_place(pt_catalog *catalog, const char *schema, const char *name,
                           pt_table **out, pt_error *err) PT_CHECKED;
int pt_ducklake_look_for_rows(pt_catalog *catalog, pt_table *table, pt_error *err) PT_CHECKED;
int pt_ducklake_look_back(pt_catalog *catalog, pt_error *err) PT_CHECKED;
pt_outcome pt_ducklake_commit(pt_catalog *catalog, pt_flush *flush, pt_error *err) PT_CHECKED;
pt_outcome pt_ducklake_settle(pt_catalog *catalog, pt_flush *flush, pt_error *err) PT_CHECKED;
int pt_ducklake_inspect(pt_catalog *catalog, const pt_flush *flush, pt_error *err) PT_CHECKED;
