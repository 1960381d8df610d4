/* The catalog of a lake: where a flush becomes a snapshot. Ingest knows this interface and no
 * implementation of it.
 *
 * An implementation is a pt_catalog_ops (lake/catalog_ops.h), and lake/catalogs.c has the table of
 * them. Today there is one, DuckLake through DuckDB (lake/catalog_ducklake*.c). One thread at a
 * time uses a catalog.
 *
 * The rules that make a record land exactly once bind every implementation:
 *
 * - Claim: first raise the epochs of the partitions, in a transaction that conflicts with each
 *   commit that is under way. Then read where the partitions stand. So a commit of an earlier owner
 *   has landed before the read, or never lands.
 * - Commit: one transaction. It reads the epochs first and refuses when one is not ours; then it
 *   writes rows or files, dead letters and ledger rows, all or nothing.
 * - Settle: after a COMMIT without an answer, claim again. Then the ledger says whether the flush
 *   is in (its commit_id), and no later answer can change that.
 *
 * A catalog that writes natively (to MySQL, say) needs no more than that. Claims and the ledger may
 * be plain rows of its own database: the claim locks and raises the epoch rows, the commit reads
 * them for share. Staged files are registered by their path (pt_slice); statistics that it must
 * write itself it reads from the Parquet footer, or a flag of pt_table asks the stager for them
 * (COPY ... RETURN_STATS), as pt_way of a table says today how its rows go in. Its session (see
 * pt_catalog_session) is a DuckDB to which the lake is attached for reading. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "duck/engine.h"
#include "lake/flush.h"
#include "lake/identity.h"
#include "lake/ledger.h"
#include "lake/table.h"
#include "lake/table_open.h"

typedef struct pt_catalog pt_catalog;

/* How an attempt ended. The caller goes by this and by err->code, never by the words. */
typedef enum pt_outcome {
    PT_COMMITTED, /* it is in the lake */
    PT_TRY_AGAIN, /* nothing happened; the same attempt may succeed later: err says what was in the
                     way */
    PT_REFUSED,   /* nothing happened, and waiting does not help. PT_E_LAKE: for a reason that we
                     cannot place; a part of the flush may pass. PT_E_FENCED: a partition is no
                     longer ours. PT_E_LAKE_CHANGED: the catalog went back in time, or a table was
                     altered: what we have read has to be read again. PT_E_RESTART: another process
                     has to go on. Others: the member ends */
    PT_UNKNOWN    /* the catalog is out of reach, or the answer to a COMMIT was lost:
                     pt_catalog_settle comes before any other attempt */
} pt_outcome;

/* ---- open: lake/catalogs.c chooses the implementation by the kind of the lake's catalog ---- */

/* Without a look at the lake. PT_E_USAGE: its text is none, or nothing can be written into such a
 * catalog. */
int pt_catalog_check(const pt_lake_options *options, pt_error *err) PT_CHECKED;
/* Whether the lake can be attached, if there is one (*there); makes nothing. */
int pt_catalog_look(const pt_lake_options *options, bool *there, pt_error *err) PT_CHECKED;
/* Opens the lake and makes pintail's own tables. pipeline and owner are copied; options must
 * outlive the catalog. pipeline may be NULL: its name comes out of the lake, and pt_catalog_name
 * gives it before anything is claimed. */
int pt_catalog_open(const pt_lake_options *options, const char *pipeline, const char *owner,
                    pt_catalog **out, pt_error *err) PT_CHECKED;
int pt_catalog_name(pt_catalog *catalog, const char *pipeline, pt_error *err) PT_CHECKED;
void pt_catalog_close(pt_catalog **catalog);

/* For questions: a DuckDB session to which the lake is attached. NULL: not now, or this catalog has
 * none. An outage replaces it, so ask for it each time. */
pt_session *pt_catalog_session(pt_catalog *catalog);
/* The table pintail.offsets, whose rows are folded like others. NULL: its rows are never folded. */
const pt_table *pt_catalog_ledger(const pt_catalog *catalog);

/* Lets the session take so many bytes of memory from here on; a session that replaces it takes what
 * the options of pt_catalog_open say. */
int pt_catalog_limit_memory(pt_catalog *catalog, uint64_t bytes, pt_error *err) PT_CHECKED;

/* PT_E_USAGE: this catalog commits no flush that takes rows back. */
int pt_catalog_check_erase(const pt_catalog *catalog, pt_error *err) PT_CHECKED;

/* ---- tables: what lake/table.h says of the functions of these names ---- */

/* What pt_catalog_open_table would do. For a table that is missing it adds to *to_make what
 * pt_catalog_make_tables reads: only the catalog knows what stands there. */
int pt_catalog_plan_table(pt_catalog *catalog, const pt_table_options *options,
                          pt_table_planned *out, pt_text *to_make, pt_error *err) PT_CHECKED;
int pt_catalog_make_tables(pt_catalog *catalog, const char *what, pt_text *to_make,
                           pt_error *err) PT_CHECKED;
/* Opens the table, makes it when it is missing. */
int pt_catalog_open_table(pt_catalog *catalog, const pt_table_options *options, pt_table **out,
                          pt_error *err) PT_CHECKED;
/* A table of pintail's own. */
int pt_catalog_open_own(pt_catalog *catalog, const char *name, const char *schema_text,
                        pt_table **out, pt_error *err) PT_CHECKED;
/* A table that nothing is written into. */
int pt_catalog_open_place(pt_catalog *catalog, const char *schema, const char *name, pt_table **out,
                          pt_error *err) PT_CHECKED;
/* Fills table->has_rows. */
int pt_catalog_look_for_rows(pt_catalog *catalog, pt_table *table, pt_error *err) PT_CHECKED;

/* ---- partitions ---- */

typedef struct pt_claiming {
    pt_claim *claims; /* [n] their epochs and where they stand are filled in */
    size_t n;
    const pt_ledger_starts *starts; /* of topics that are new to the pipeline; NULL: their first
                                       offsets */
    const pt_identities *tables; /* which tables the pipeline fills, to be noted; NULL: they are */
} pt_claiming;

/* Fences earlier owners, reads where the partitions stand, and remembers the claims until they are
 * released. PT_E_LAKE_DOWN: try again. */
int pt_catalog_claim(pt_catalog *catalog, const pt_claiming *what, pt_error *err) PT_CHECKED;
/* Forgets a partition that was revoked; a flush that still has it is refused from here on. */
void pt_catalog_release(pt_catalog *catalog, const char *topic, int32_t partition);
/* Whether we own any partition. Without one there is nothing to claim, and so nothing that settles
 * a COMMIT of unknown outcome: no upkeep that commits then. */
bool pt_catalog_owns(const pt_catalog *catalog);
/* While nothing is flushed: whether our last commit and all claims still stand. PT_E_LAKE_CHANGED,
 * PT_E_FENCED, PT_E_RESTART: they do not. PT_E_LAKE_DOWN: pt_catalog_settle without a flush may
 * tell. PT_E_LAKE_BUSY: ask later. */
int pt_catalog_look_back(pt_catalog *catalog, pt_error *err) PT_CHECKED;

/* ---- flushes ---- */

/* One attempt to commit the flush, in one transaction. A flush that takes rows back (erasing) is
 * refused with PT_E_USAGE by a catalog that pt_catalog_check_erase refuses. */
pt_outcome pt_catalog_commit(pt_catalog *catalog, pt_flush *flush, pt_error *err) PT_CHECKED;

/* After PT_UNKNOWN, until it returns another outcome. PT_COMMITTED: the flush is in the lake, and
 * its files are there. PT_TRY_AGAIN: it is not, and the attempt cannot land any more. PT_UNKNOWN:
 * the catalog is still out of reach. PT_REFUSED: we cannot know it any more, err says why (another
 * process owns a partition): the next claim reads it from the ledger, and staged files must stay.
 * flush NULL: of the last upkeep; or nothing is unknown, and the catalog was out of reach. */
pt_outcome pt_catalog_settle(pt_catalog *catalog, pt_flush *flush, pt_error *err) PT_CHECKED;

/* After a commit: whether the catalog keeps the files of the flush as it should. An error: the
 * flush is in the lake, and nothing more may be committed. */
int pt_catalog_inspect(pt_catalog *catalog, const pt_flush *flush, pt_error *err) PT_CHECKED;

/* How many commits had to be tried again for other writers so far. */
uint64_t pt_catalog_conflicts(const pt_catalog *catalog);

/* ---- upkeep: changes no row ---- */

typedef enum pt_upkeep_kind {
    PT_UPKEEP_COUNT,   /* n: rows of the table that the catalog holds, deleted ones included */
    PT_UPKEEP_FOLD,    /* rows of the table that the catalog holds go to files (lake/inlined.h); n:
                          how many rows */
    PT_UPKEEP_RESTORE, /* brings back data files of the table that a commit of unknown outcome lost
                          (lake/guard.h); n: files */
    PT_UPKEEP_ORPHANS, /* removes staged files of the table that no snapshot knows and that are
                          older than age_us (lake/orphans.h); n: files */
    PT_UPKEEP_FIT,     /* before the first commit into a table: rows that the catalog itself would
                          spoil are not kept there (lake/inlined.h) */
    PT_UPKEEP_TEND     /* what the catalog has put off until some time after a commit */
} pt_upkeep_kind;

typedef struct pt_upkeep {
    pt_upkeep_kind kind;
    const pt_table *table;
    int64_t age_us;
    int64_t n; /* out */
} pt_upkeep;

/* One attempt. PT_REFUSED: it failed before its COMMIT, and may be tried again later (err says
 * why). PT_UNKNOWN: pt_catalog_settle without a flush. */
pt_outcome pt_catalog_upkeep(pt_catalog *catalog, pt_upkeep *what, pt_error *err) PT_CHECKED;
/* When PT_UPKEEP_TEND is due (monotonic); INT64_MAX: not for now. */
int64_t pt_catalog_tend_at(const pt_catalog *catalog);
