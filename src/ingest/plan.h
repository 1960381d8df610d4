/* What records are decoded by and where their rows go: tables and decoders, with a version.
 *
 * A plan is filled by its maker and does not change from then on. It is counted: the member holds
 * the one in use, and a batch holds the one that it was begun with until it is begun again. A new
 * plan takes the place of an old one between two batches (pt_reader_use); the last release frees
 * it, in whatever thread. Any thread may read the tables; the decoders are the reader's thread's.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "decode/decode.h"
#include "lake/table.h"

/* One topic's way. */
typedef struct pt_plan_route {
    const pt_table *table; /* one of the plan's */
    size_t slice;          /* of a flush: the table's number */
    pt_table *reading; /* owned; the table once more, where the route has a schema of its own: what
                          its records are decoded by; else NULL */
    pt_decoder *decoder; /* owned */
} pt_plan_route;

typedef struct pt_plan {
    atomic_size_t users;
    uint64_t version;      /* 1 for the first of a member, then one more each */
    pt_table **tables;     /* [n_tables] owned; the last is pintail.dead_letters */
    size_t n_tables;       /* at most n_routes + 1 */
    pt_plan_route *routes; /* [n_routes] in the order of the topics */
    size_t n_routes;
} pt_plan;

/* A plan without tables, which the caller holds and fills. */
int pt_plan_new(size_t n_routes, uint64_t version, pt_plan **out, pt_error *err) PT_CHECKED;
/* One more user, who has to release it. Returns the plan. */
pt_plan *pt_plan_hold(pt_plan *plan);
/* Sets *plan to NULL; NULL is accepted. */
void pt_plan_release(pt_plan **plan);
