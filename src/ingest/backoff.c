#include "ingest/backoff.h"

int64_t pt_backoff_after(pt_backoff *p, int64_t lasted_us) {
    int64_t wait = p->next_us && lasted_us < PT_BACKOFF_GOOD ? p->next_us : PT_BACKOFF_FIRST;
    p->next_us = wait * 2 < PT_BACKOFF_MOST ? wait * 2 : PT_BACKOFF_MOST;
    return wait;
}
