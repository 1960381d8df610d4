/* The routes of a reader. */
#include <string.h>

#include "ingest/reader.h"

pt_route *pt_reader_route(pt_reader *r, const char *topic) {
    for (size_t i = 0; i < r->n_routes; i++) {
        if (strcmp(r->routes[i].topic, topic) == 0) {
            return &r->routes[i];
        }
    }
    return NULL;
}

pt_partition *pt_reader_partition(pt_reader *r, const char *topic, int32_t partition) {
    return pt_route_partition(pt_reader_route(r, topic), partition);
}

void pt_reader_unverify(pt_reader *r) {
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t k = 0; k < r->routes[i].n_partitions; k++) {
            r->routes[i].partitions[k].verified = PT_UNVERIFIED;
        }
    }
}

void pt_reader_use(pt_reader *r, pt_plan *plan) {
    for (size_t i = 0; i < r->n_routes; i++) {
        r->routes[i].table = plan->routes[i].table;
        r->routes[i].slice = plan->routes[i].slice;
        r->routes[i].decoder = plan->routes[i].decoder;
    }
    pt_batches_use(r->batches, plan);
}
