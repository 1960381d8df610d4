/* What the committer has, and what all its work shares: a rest between two attempts, the way back
 * after an unknown outcome, the books after a commit. The thread alone uses it
 * (ingest/committer_thread.h). */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "ingest/batches.h"
#include "ingest/fold.h"
#include "ingest/inbox.h"
#include "ingest/job.h"
#include "ingest/route.h"
#include "ingest/stager_thread.h"
#include "ingest/stats.h"
#include "kafka/consumer.h"
#include "lake/catalog.h"

#define PT_JOBS_MAX 8

typedef struct pt_committer {
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
} pt_committer;

/* Rests before another attempt; serves releases meanwhile. */
void pt_committer_rest(pt_committer *committer, unsigned attempt);
/* Until the outcome of the flush is known, or (flush NULL) of a job. PT_UNKNOWN: the member ends
 * before. */
pt_outcome pt_committer_settle(pt_committer *committer, pt_flush *flush, pt_error *err);
/* What follows the commit of a flush or of a piece of one. */
void pt_committer_landed(pt_committer *committer, const pt_flush *flush);
/* Answers a release. */
void pt_committer_release(pt_committer *committer, pt_ask *ask);
