#include "ingest/backoff.h"

int64_t pt_patience_after(pt_patience *p, int64_t lasted_us) {
    int64_t wait = p->next_us && lasted_us < PT_PATIENCE_GOOD ? p->next_us : PT_PATIENCE_FIRST;
    p->next_us = wait * 2 < PT_PATIENCE_MOST ? wait * 2 : PT_PATIENCE_MOST;
    return wait;
}
