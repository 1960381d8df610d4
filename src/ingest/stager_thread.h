/* The thread that writes batches to files and hands them to the committer. */
#pragma once

#include <pthread.h>

#include "base/error.h"
#include "ingest/batches.h"
#include "ingest/inbox.h"
#include "kafka/consumer.h"
#include "lake/stage.h"

typedef struct pt_stager_thread {
    pt_batches *batches;
    pt_inbox *inbox;
    /* Its topics must be as they were when the consumer was opened, or a staged batch is not
     * committed; NULL: not asked. */
    const pt_consumer *consumer;
    pt_stager *stager;    /* under the mutex `turn` */
    pthread_mutex_t turn; /* who has the stager: this thread, or the committer's for a piece of a
                             flush */
    pt_wait wait;         /* for a disk or an object store */
    pthread_t thread;
} pt_stager_thread;

/* Fill in batches, inbox, consumer and stager before. */
int pt_stager_thread_start(pt_stager_thread *thread, pt_error *err) PT_CHECKED;
/* Waits for its end; call pt_monitor_end before. */
void pt_stager_thread_join(pt_stager_thread *thread);

/* Of a piece of a flush, for the committer's thread. */
int pt_stager_thread_stage(pt_stager_thread *thread, pt_flush *piece, pt_error *err) PT_CHECKED;
void pt_stager_thread_unstage(pt_stager_thread *thread, pt_flush *flush);
