/* The thread that has the catalog: it claims partitions, commits batches and, in between, does the
 * jobs. All that is asked of it goes through its inbox. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "ingest/fold.h"
#include "ingest/inbox.h"
#include "ingest/job.h"
#include "ingest/reader.h"
#include "ingest/stager_thread.h"
#include "ingest/stats.h"
#include "kafka/consumer.h"
#include "lake/catalog.h"

#define PT_JOBS_MAX 8

typedef struct pt_committer_thread {
    pt_inbox inbox;
    pt_batches *batches;
    pt_catalog *catalog; /* this thread's from start to join */
    pt_stager_thread *stager;
    pt_consumer *consumer; /* learns how far the lake is; NULL: nobody does */
    pt_stats *stats;
    const char *pipeline;
    pt_table *const *tables; /* [n_tables] as the slices of a flush */
    size_t n_tables;
    const pt_route *routes; /* [n_routes] their topics, slices and tallies */
    size_t n_routes;
    const pt_identities *identities; /* for the first claim; NULL: they are noted */
    pt_job jobs[PT_JOBS_MAX];
    size_t n_jobs;
    pt_fold fold;
    int64_t looked_us;   /* monotonic; when this thread last saw the lake as it knows it */
    unsigned busy_looks; /* in a row, the last one among them */
    uint64_t conflicts;  /* of the catalog, as far as they are counted */
    pthread_t thread;
} pt_committer_thread;

/* Adds the jobs that every run has: folding, the look back, what the catalog has put off. Counts
 * what the catalog holds to be folded. fold_interval_us: rows do not stay in the catalog longer. */
int pt_committer_jobs(pt_committer_thread *thread, int64_t fold_interval_us,
                      pt_error *err) PT_CHECKED;
/* Fill in the rest before, and pt_inbox_init. */
int pt_committer_thread_start(pt_committer_thread *thread, pt_error *err) PT_CHECKED;
/* Waits for its end; the monitor says that it is to end. What is under way is committed first
 * unless the member has failed. */
void pt_committer_thread_join(pt_committer_thread *thread);

/* ---- for the parts of its work, in its thread ---- */

/* Rests before another attempt; serves releases meanwhile. */
void pt_committer_rest(pt_committer_thread *thread, unsigned attempt);
/* Until the outcome of the flush is known, or (flush NULL) of a job. PT_UNKNOWN: the member ends
 * before. */
pt_outcome pt_committer_settle(pt_committer_thread *thread, pt_flush *flush, pt_error *err);
/* What follows the commit of a flush or of a piece of one. */
void pt_committer_landed(pt_committer_thread *thread, const pt_flush *flush);
/* ingest/committer_commit.c: commits the batch, or gives it up. */
void pt_committer_commit(pt_committer_thread *thread, pt_batch *batch);
/* ingest/committer_claim.c: answers an ask, or puts a claim back for another attempt. */
void pt_committer_serve(pt_committer_thread *thread, pt_ask *ask);
