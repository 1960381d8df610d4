/* The stager and the committer threads of a line. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "ingest/batches.h"
#include "lake/catalog.h"
#include "lake/stage.h"

/* What the catalog holds of a table (lake/inlined.h). */
typedef struct pt_inlined {
    int64_t rows, bytes;
    int64_t since_us;      /* monotonic, when the first of them came; 0: none */
    int64_t not_before_us; /* monotonic; after a failure */
    unsigned failures;     /* since the last success */
} pt_inlined;

typedef struct pt_workers {
    pt_line *line;
    pt_stager *stager;   /* under the mutex `staging` */
    pt_catalog *catalog; /* the committer thread's from start to stop */
    /* Before a staged flush may be committed, in the stager thread; an error ends the run. */
    int (*checked)(void *arg, pt_error *err);
    /* After a claim, in the committer thread: no commit of whoever had the partitions can land any
     * more. */
    int (*claimed)(void *arg, pt_claim *claims, size_t n, pt_error *err);
    /* After a commit, in the committer thread. */
    void (*committed)(void *arg, const pt_flush *flush);
    /* A record that the lake refuses (ingest/halving.h), in the committer thread; passed: others of
     * its flush and table were committed. Fills err: PT_E_REFUSED, or why the run ends. */
    int (*refused)(void *arg, const char *topic, int32_t partition, int64_t offset,
                   const char *words, bool passed, pt_error *err);
    /* A flush has refused records as dead letters of tables of which it has no row; in the
     * committer thread, before its commit. An error ends the run. */
    int (*alone)(void *arg, const pt_flush *flush, pt_error *err);
    void *arg;
    pthread_mutex_t
        staging; /* who has the stager: its thread, or the committer's for a piece of a flush */
    int64_t fold_interval_us; /* rows do not stay in the catalog for longer */
    pthread_t stager_thread, committer_thread;
    const pt_table *const *tables; /* [n_targets] the lake's tables, as the parts of a flush */
    size_t n_tables;
    int64_t looked_us;   /* monotonic; the last time that the committer thread saw the lake as it
                            knows it */
    unsigned busy_looks; /* in a row, the last one among them */
    const pt_identities *identities; /* for the first claim; NULL: they are noted */
    pt_inlined *inlined; /* [n_targets + 1] of each table, and of the ledger; the committer
                            thread's; made by start, ended by stop */
} pt_workers;

/* Reads from the lake what is inlined. */
int pt_workers_start(pt_workers *workers, pt_error *err) PT_CHECKED;
/* Waits for both; what is still under way is staged and committed first unless the line has failed
 * or is abandoned. */
void pt_workers_stop(pt_workers *workers);
