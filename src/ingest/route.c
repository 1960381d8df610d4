#include "ingest/route.h"

#include <stdlib.h>
#include <string.h>

pt_partition *pt_route_partition(pt_route *route, int32_t partition) {
    if (!route || partition < 0) {
        return NULL;
    }
    if (partition >= route->n_partitions) { /* the topic has grown since the start */
        size_t n = (size_t)partition + 1;
        pt_partition *grown = realloc(route->partitions, n * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        memset(grown + route->n_partitions, 0, (n - (size_t)route->n_partitions) * sizeof *grown);
        route->partitions = grown;
        for (size_t i = (size_t)route->n_partitions; i < n; i++) {
            grown[i].end = grown[i].skipped_from = grown[i].verify_at = -1;
        }
        route->n_partitions = (int32_t)n;
    }
    return &route->partitions[partition];
}
