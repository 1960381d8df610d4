/* The stager and the committer threads of a line. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "lake/commit.h"
#include "lake/stage.h"
#include "pipeline/line.h"

typedef struct pt_workers {
    pt_line *line;
    pt_stager *stager;       /* the stager thread's */
    pt_committer *committer; /* the committer thread's from start to stop */
    /* Before a staged flush may be committed, in the stager thread; an error ends the run. */
    int (*checked)(void *arg, pt_error *err);
    /* After a claim, in the committer thread: no commit of whoever had the partitions can land any more. */
    int (*claimed)(void *arg, pt_error *err);
    /* After a commit, in the committer thread. */
    void (*committed)(void *arg, const pt_flush *flush);
    void *arg;
    pthread_t stager_thread, committer_thread;
    uint64_t commits; /* the committer thread's */
} pt_workers;

int pt_workers_start(pt_workers *workers, pt_error *err) PT_CHECKED;
/* Waits for both; what is still under way is staged and committed first unless the line has failed or is abandoned. */
void pt_workers_stop(pt_workers *workers);
