#include "ingest/first_start.h"

#include <stdlib.h>
#include <string.h>

void pt_first_start_free(pt_ledger_starts *starts) {
    free((void *)(uintptr_t)starts->entries);
    *starts = (pt_ledger_starts){0};
}

/* Of the topic among those that are claimed: how many, and one more than the highest. */
static size_t claimed(const pt_assigned *partitions, size_t n, const char *topic, int32_t *until) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(partitions[i].topic, topic) == 0) {
            found++;
            *until = partitions[i].partition >= *until ? partitions[i].partition + 1 : *until;
        }
    }
    return found;
}

static int add(pt_reader *r, pt_consumer *consumer, const pt_route *route, int32_t first, int32_t n,
               pt_error *err) {
    static const pt_where earliest = {PT_WHERE_EARLIEST, 0};
    pt_ledger_starts *starts = &r->starts;
    pt_found *found = calloc((size_t)n + 1, sizeof *found);
    pt_ledger_entry *grown = realloc((void *)(uintptr_t)starts->entries,
                                     (starts->n + (size_t)n + 1) * sizeof *grown);
    if (grown) {
        starts->entries = grown;
    }
    int code = found && grown ? PT_OK : pt_fail_nomem(err, "the starts of partitions");
    if (code == PT_OK) { /* --start is for the partitions that were there at first alone */
        const pt_where *where = route->seen ? &earliest : &r->options->start;
        code = pt_consumer_find(consumer, route->topic, first, n, where, found, err);
    }
    for (int32_t i = 0; code == PT_OK && i < n; i++) {
        grown[starts->n++] = (pt_ledger_entry){.topic = route->topic,
                                               .partition = first + i,
                                               .from_offset = found[i].low,
                                               .next_offset = found[i].offset,
                                               .cluster_id = r->cluster_id,
                                               .topic_id = route->topic_id,
                                               .target_table = route->table->label,
                                               .kind = "skip",
                                               .leader_epoch = -1};
    }
    free(found);
    return code;
}

int pt_first_start_find(pt_reader *r, pt_consumer *consumer, const pt_assigned *partitions,
                        size_t n, pt_error *err) {
    pt_first_start_free(&r->starts);
    if (r->options->start.kind == PT_WHERE_EARLIEST) {
        return PT_OK;
    }
    for (size_t i = 0; i < r->n_routes; i++) {
        const pt_route *route = &r->routes[i];
        int32_t until = route->n_partitions;
        if (claimed(partitions, n, route->topic, &until) && !route->seen) {
            PT_TRY(add(r, consumer, route, 0, until, err));
        }
    }
    for (size_t i = 0; i < n; i++) {
        const pt_route *route = pt_reader_route(r, partitions[i].topic);
        if (route && route->seen) {
            PT_TRY(add(r, consumer, route, partitions[i].partition, 1, err));
        }
    }
    return PT_OK;
}

void pt_first_start_settle(pt_reader *r, const pt_assigned *partitions, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pt_route *route = pt_reader_route(r, partitions[i].topic);
        if (route) {
            route->seen = true;
        }
    }
}
