/* How long to wait before something is tried again: one clock for each cause. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

typedef enum pt_backoff_cause {
    PT_BACKOFF_ATTEMPT,      /* a statement on the lake, a file: other writers, or out of reach */
    PT_BACKOFF_JOB_CONFLICT, /* a job that other writers were in the way of */
    PT_BACKOFF_JOB_FAILED,   /* a job that failed for another reason */
    PT_BACKOFF_MEMBER,       /* the next member: each that ends soon costs all a rebalance */
    PT_BACKOFF_CAUSES
} pt_backoff_cause;

/* Microseconds to wait after so many failures in a row (1 or more): doubles from one to the next,
 * up to a limit. Of an attempt it is a random time below that, so that writers do not meet again.
 */
int64_t pt_backoff_us(pt_backoff_cause cause, unsigned failures);

#define PT_BACKOFF_GOOD (60 * PT_SECOND) /* a member that lasted so long was a good one */

/* How many members in a row ended soon. */
typedef struct pt_backoff {
    unsigned failures;
} pt_backoff;

/* Microseconds to wait after a member that lasted so long. After a good one the wait is short
 * again. */
int64_t pt_backoff_after(pt_backoff *backoff, int64_t lasted_us);
