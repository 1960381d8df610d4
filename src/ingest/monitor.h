/* One lock for what the threads of a member share, and why they end.
 *
 * The reader, the stager and the committer share batches (ingest/batches.h) and the committer's
 * inbox (ingest/inbox.h). Both are guarded by this lock. Each thread takes it a few times for each
 * batch, never for a record. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pt_monitor {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something that the lock guards has changed; CLOCK_MONOTONIC */
    bool end;               /* the threads return when nothing is left to do */
    bool abandon;           /* the threads give up what they have and return batches uncommitted */
    int code;               /* why the member must end; the first reason stays */
    pt_error why;
} pt_monitor;

void pt_monitor_init(pt_monitor *monitor);
void pt_monitor_clear(pt_monitor *monitor);

/* ---- under the lock ---- */

void pt_monitor_signal(pt_monitor *monitor);
/* Waits for a change until the deadline (monotonic); false when it has passed. */
bool pt_monitor_wait(pt_monitor *monitor, int64_t deadline_us);

/* ---- without the lock ---- */

/* The member must end, for this reason or an earlier one. */
void pt_monitor_fail(pt_monitor *monitor, const pt_error *why);
/* PT_OK, or the code with its reason in *err. */
int pt_monitor_failed(pt_monitor *monitor, pt_error *err);
/* Whether a thread is to give up what it has: the member has failed, or its work is abandoned. */
bool pt_monitor_given_up(pt_monitor *monitor);
void pt_monitor_end(pt_monitor *monitor);

/* What a thread waits for. It logs the begin and the end of a wait, once each. */
typedef struct pt_wait {
    pt_monitor *monitor;
    const char *what; /* NULL: nothing */
} pt_wait;

void pt_wait_begin(pt_wait *wait, const char *what, const pt_error *why);
void pt_wait_over(pt_wait *wait);
bool pt_waits(const pt_wait *wait);
