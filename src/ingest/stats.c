#include "ingest/stats.h"

#include <stdatomic.h>

const pt_counter_info pt_counter_infos[PT_COUNTERS_N] = {
#define PT_COUNTER_INFO(id, name, unit, help) [PT_COUNT_##id] = {name, unit, help},
    PT_COUNTERS(PT_COUNTER_INFO)
#undef PT_COUNTER_INFO
};

void pt_stats_add(pt_stats *s, pt_counter counter, uint64_t n) {
    (void)atomic_fetch_add_explicit(&s->counters[counter], n, memory_order_relaxed);
}

uint64_t pt_stats_get(const pt_stats *s, pt_counter counter) {
    return atomic_load_explicit(&s->counters[counter], memory_order_relaxed);
}
