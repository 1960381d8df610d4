/* The job that folds: rows that small flushes left in the catalog go to files. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "ingest/job.h"
#include "lake/catalog.h"
#include "lake/flush.h"

/* What the catalog holds of a table (lake/inlined.h). */
typedef struct pt_inlined {
    int64_t rows, bytes;
    int64_t since_us;      /* monotonic, when the first of them came; 0: none */
    int64_t not_before_us; /* monotonic; after a failure */
    unsigned failures;     /* since the last success */
} pt_inlined;

/* The committer's thread has it. */
typedef struct pt_fold {
    pt_catalog *catalog;
    pt_table *const *tables; /* [n_tables]; after the last one comes the ledger */
    size_t n_tables;
    int64_t interval_us; /* rows do not stay in the catalog for longer */
    pt_inlined *inlined; /* [n_tables + 1] owned */
    size_t unsettled;    /* the table of the run whose outcome is unknown */
} pt_fold;

/* Fill in the first four before. Counts what the catalog holds: the next run finds what this one
 * leaves. */
int pt_fold_open(pt_fold *fold, pt_error *err) PT_CHECKED;
void pt_fold_close(pt_fold *fold);
pt_job pt_fold_job(pt_fold *fold);

/* Whether the slice was inserted, and is of so few rows that DuckLake keeps them in the catalog. */
bool pt_fold_keeps(const pt_slice *slice);
/* After a commit. */
void pt_fold_note(pt_fold *fold, const pt_flush *flush);
/* With new partitions: what had to wait waits no longer. */
void pt_fold_retry(pt_fold *fold);
