/* Ends the process when the catalog never answers. Such a COMMIT blocks for ever, and nothing can
 * interrupt it. The process loses nothing: a COMMIT without an answer has an unknown outcome, and
 * the next start reads in the ledger whether it landed. The watchdog also keeps the promise that
 * SIGTERM has a deadline. Beside main it is the one place that may end the process. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pt_watchdog {
    _Atomic int64_t pulse;      /* for pt_lake_options; begin of the statement under way, 0: none */
    int64_t statement_limit_us; /* for one statement */
    int64_t stop_limit_us;      /* from SIGTERM on */
    pthread_mutex_t lock;       /* guards end */
    pthread_cond_t changed;
    bool end;
    pthread_t thread;
} pt_watchdog;

/* Fill in the limits before. */
int pt_watchdog_start(pt_watchdog *watchdog, pt_error *err) PT_CHECKED;
void pt_watchdog_stop(pt_watchdog *watchdog);
