/* How long to wait before the next life in the group: each life that ends soon costs all members a
 * rebalance. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

#define PT_BACKOFF_FIRST PT_SECOND
#define PT_BACKOFF_MOST  (60 * PT_SECOND)
#define PT_BACKOFF_GOOD  (60 * PT_SECOND) /* a life that lasted so long was a good one */

typedef struct pt_backoff {
    int64_t next_us; /* 0: the first wait */
} pt_backoff;

/* Microseconds to wait after a life that lasted so long: doubles from one life to the next, up to
 * PT_BACKOFF_MOST, and begins anew after a good one. */
int64_t pt_backoff_after(pt_backoff *patience, int64_t lasted_us);
