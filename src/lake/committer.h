/* The one place that writes to the lake: a flush becomes one DuckLake transaction.
 *
 * A pt_committer has the DuckDB to which the lake is attached, and is used by one thread at a time.
 */
#pragma once

#include "lake/flush.h"
#include "lake/identity.h"
#include "lake/ledger.h"
#include "lake/table.h"

typedef struct pt_committer pt_committer;

/* Without a look at the lake. PT_E_USAGE: its text is none, or nothing can be written into such a
 * catalog. */
int pt_committer_check(const pt_lake_options *options, pt_error *err) PT_CHECKED;

/* Whether the lake can be attached, if there is one (*there); makes nothing. */
int pt_committer_look(const pt_lake_options *options, bool *there, pt_error *err) PT_CHECKED;

/* Attaches the lake and makes pintail's own tables. pipeline and owner are copied; options must
 * outlive the committer. pipeline may be NULL: its name comes out of the lake, and
 * pt_committer_name gives it before anything is claimed. */
int pt_committer_open(const pt_lake_options *options, const char *pipeline, const char *owner,
                      pt_committer **out, pt_error *err) PT_CHECKED;
int pt_committer_name(pt_committer *committer, const char *pipeline, pt_error *err) PT_CHECKED;
void pt_committer_close(pt_committer **committer);
pt_engine *pt_committer_engine(pt_committer *committer);
pt_session *pt_committer_session(pt_committer *committer);

/* What the claims that follow record of topics that are new to the pipeline (lake/ledger.h); not
 * copied. NULL: nothing. */
void pt_committer_begin_at(pt_committer *committer, const pt_ledger_starts *starts);
/* What the next claim that succeeds records of tables (lake/identity.h); not copied. */
void pt_committer_note_tables(pt_committer *committer, const pt_identities *tables);
/* Takes partitions over (see pt_ledger_raise) and remembers them with their epochs until they are
 * released. */
int pt_committer_claim(pt_committer *committer, pt_claim *claims, size_t n_claims,
                       pt_error *err) PT_CHECKED;
/* Forgets a partition that was revoked; a flush that still has it is refused from here on. */
void pt_committer_release(pt_committer *committer, const char *topic, int32_t partition);

/* While nothing is flushed: whether our last commit and all claims still stand. PT_E_LAKE_CHANGED,
 * PT_E_FENCED: they do not. PT_E_LAKE_DOWN: pt_committer_recover, with a flush of nothing, may
 * tell. */
int pt_committer_look_back(pt_committer *committer, pt_error *err) PT_CHECKED;

/* One attempt: BEGIN, the epochs are still ours, files and rows and ledger, COMMIT.
 * PT_E_LAKE_BUSY: nothing happened, try again. PT_E_FENCED: a partition of the flush is not ours
 * (any more); nothing happened and never will. PT_E_LAKE_CHANGED: the catalog went back in time, or
 * a table of the flush was altered; nothing happened, and what was read has to be read again from
 * where the lake stands. PT_E_LAKE_DOWN, or any code of which pt_transaction_unknown says so: the
 * outcome may be unknown, call pt_committer_recover before anything else. */
int pt_commit(pt_committer *committer, pt_flush *flush, pt_error *err) PT_CHECKED;

/* After an unknown outcome: attaches again, fences (so that a COMMIT still under way cannot land
 * later), reads the ledger, and says in *committed whether the flush had landed; if so, brings back
 * files of INSERTs that DuckLake deleted. PT_E_LAKE_DOWN: still out of reach, call again.
 * PT_E_FENCED: another process owns a partition by now. */
int pt_committer_recover(pt_committer *committer, pt_flush *flush, bool *committed,
                         pt_error *err) PT_CHECKED;

/* The same without attaching again, where the catalog gave a reason and so is there: a tenth of the
 * time. Whatever it returns but PT_OK, pt_committer_recover has to follow. */
int pt_committer_settle(pt_committer *committer, pt_flush *flush, bool *committed,
                        pt_error *err) PT_CHECKED;

/* Whether it owns any partition. Without one there is nothing to claim, and so nothing that settles
 * a COMMIT of unknown outcome: no fold then. */
bool pt_committer_owns(const pt_committer *committer);

/* One attempt to write the rows that the catalog holds of the table (lake/inlined.h) to files. fold
 * is a flush of one part, without rows and entries. *rows: how many. Nothing happened when it
 * fails, but for an outcome that may be unknown (pt_transaction_unknown):
 * pt_committer_recover(fold) then, whatever *committed says. */
int pt_committer_fold(pt_committer *committer, pt_flush *fold, int64_t *rows,
                      pt_error *err) PT_CHECKED;

/* The table pintail.offsets, to be folded like others. */
const pt_table *pt_committer_ledger(const pt_committer *committer);

/* How many attempts ended in PT_E_LAKE_BUSY so far. */
uint64_t pt_committer_conflicts(const pt_committer *committer);

/* Between two commits: looks after data files that were committed a while ago (lake/guard_keep.h);
 * all: of all, before a stop. */
void pt_committer_tend_guards(pt_committer *committer, bool all);
/* When it is to be called again (monotonic), or `latest` if that is sooner. */
int64_t pt_committer_tend_at(const pt_committer *committer, int64_t latest_us);
