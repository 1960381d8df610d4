/* The thread that has the catalog: it claims partitions, commits batches and, in between, does the
 * jobs. All that is asked of it goes through its inbox. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "ingest/committer.h"

/* Adds the jobs that every run has: folding, the look back, what the catalog has put off. Counts
 * what the catalog holds to be folded. fold_interval_us: rows do not stay in the catalog longer. */
int pt_committer_jobs(pt_committer *committer, int64_t fold_interval_us, pt_error *err) PT_CHECKED;
/* Fill in the rest before, and pt_inbox_init. */
int pt_committer_start(pt_committer *committer, pt_error *err) PT_CHECKED;
/* Waits for its end; call pt_monitor_end before. The thread first commits what is under way, unless
 * the member has failed. */
void pt_committer_join(pt_committer *committer);
