/* What the workers' files share: workers.c starts and stops them, stager.c and committing.c are the
 * two threads, folding.c is a part of the committer's. */
#pragma once

#include "ingest/workers.h"

/* The threads: arg is the pt_workers. */
void *pt_stager_main(void *arg);
void *pt_committer_main(void *arg);

/* Before another attempt; not at all when the line is abandoned. */
void pt_workers_wait(pt_line *line, unsigned attempt);

/* pt_catalog_settle until the catalog answers again. err: why the outcome is unknown. PT_UNKNOWN:
 * the line was abandoned before. The committer's thread. */
pt_outcome pt_workers_settle(pt_workers *workers, pt_flush *flush, pt_error *err);

/* What follows the commit of a flush or a piece of one. The committer's thread. */
void pt_workers_landed(pt_workers *workers, const pt_flush *flush);

/* ---- folding: what small parts left in the catalog goes to files. The committer's thread ---- */

/* Counts what the catalog holds: what a run leaves there when it ends, the next one finds.
 * workers->inlined is freed by pt_workers_stop. */
int pt_fold_open(pt_workers *workers, pt_error *err) PT_CHECKED;

/* Whether the part was inserted, and is of so few rows that DuckLake keeps them in the catalog. */
bool pt_fold_keeps(const pt_slice *slice);

/* After a commit. */
void pt_fold_note(pt_workers *workers, const pt_flush *flush);

/* The table that is to be folded now; SIZE_MAX: none, *next_us (monotonic) says when to look again.
 */
size_t pt_fold_next(const pt_workers *workers, int64_t *next_us);

/* Tells the line whether a fold is due, before anybody can think that nothing is left to do. */
void pt_fold_set_due(pt_workers *workers);

/* Folds the table; what fails is tried again later. */
void pt_fold_run(pt_workers *workers, size_t table);

/* With new partitions: what had to wait waits no longer. */
void pt_fold_retry(pt_workers *workers);
