/* What the committer does besides what it is asked for: folding first; merging, expiring and
 * cleaning up when they come.
 *
 * A job runs in the committer's thread, between two batches. One run does one piece of work, so
 * that a claim or a batch does not wait for long. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lake/catalog.h"

typedef struct pt_job {
    const char *name; /* of the committer's state meanwhile: "folding" */
    bool awaited;     /* a run of ingest does not end while it is due */
    /* When it is to run (monotonic); INT64_MAX: there is nothing to do. */
    int64_t (*due)(void *arg);
    /* One piece of work. PT_COMMITTED: done. PT_TRY_AGAIN: it failed, and `due` says when to try
     * again. PT_REFUSED: the member must end, err says why. PT_UNKNOWN: the committer settles what
     * is unknown with the catalog, then calls settle. */
    pt_outcome (*run)(void *arg, pt_error *err);
    /* The outcome of the run that was unknown is settled: the job looks at what is there. */
    void (*settle)(void *arg);
    void *arg;
} pt_job;

/* The job that is due first, and when; NULL: there is none. */
const pt_job *pt_jobs_first(const pt_job *jobs, size_t n, int64_t *due_us);
/* Whether one that a run of ingest does not end without is due. */
bool pt_jobs_awaited(const pt_job *jobs, size_t n);
