#include "ingest/backoff.h"

#include <stdbool.h>
#include <sys/random.h>

typedef struct backoff_clock {
    int64_t first, most;
    bool random; /* any time below, a millisecond at least */
} backoff_clock;

static const backoff_clock clocks[PT_BACKOFF_CAUSES] = {
    [PT_BACKOFF_ATTEMPT] = {PT_SECOND / 100, PT_SECOND, true},
    [PT_BACKOFF_JOB_CONFLICT] = {PT_SECOND, 256 * PT_SECOND, false},
    [PT_BACKOFF_JOB_FAILED] = {10 * PT_SECOND, 600 * PT_SECOND, false},
    [PT_BACKOFF_MEMBER] = {PT_SECOND, 60 * PT_SECOND, false},
};

static int64_t random_below(int64_t ceiling) {
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = 0x80000000U;
    }
    return 1000 + (int64_t)((double)ceiling * ((double)random / 4294967296.0));
}

int64_t pt_backoff_us(pt_backoff_cause cause, unsigned failures) {
    const backoff_clock *c = &clocks[cause];
    unsigned doublings = failures > 1 ? failures - 1 : 0;
    int64_t wait = c->first << (doublings < 16 ? doublings : 16);
    wait = wait < c->most ? wait : c->most;
    return c->random ? random_below(wait) : wait;
}

int64_t pt_backoff_after(pt_backoff *p, int64_t lasted_us) {
    p->failures = lasted_us < PT_BACKOFF_GOOD ? p->failures + 1 : 1;
    return pt_backoff_us(PT_BACKOFF_MEMBER, p->failures);
}
