/* What a run has done so far. pt_ingest owns it, so it outlives the members: a counter never goes
 * backwards. Progress, the log and metrics read it.
 *
 * Any thread may count and read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one table of counters: name, unit, what it counts. */
#define PT_COUNTERS(X)                                                                             \
    X(ROWS, "rows", "rows", "rows committed to their tables")                                      \
    X(DEAD_LETTERS, "dead_letters", "records", "records committed to pintail.dead_letters")        \
    X(COMMITS, "commits", "commits", "flushes committed, pieces of a flush included")              \
    X(CONFLICTS, "conflicts", "attempts", "commits tried again because of other writers")          \
    X(STAGE_TIME, "stage_time", "microseconds", "time that staging the committed flushes took")    \
    X(COMMIT_TIME, "commit_time", "microseconds", "time that committing them took")                \
    X(CLAIMS, "claims", "partitions", "partitions claimed in the ledger")                          \
    X(CLAIMS_LATE, "claims_late", "partitions", "of these, claimed after the rebalance had ended") \
    X(RECOVERIES, "recoveries", "times", "times that the outcome of a transaction was unknown")    \
    X(JOBS, "jobs", "runs", "runs of upkeep such as folding")                                      \
    X(UNKNOWN_KEYS, "unknown_keys", "keys", "keys of records that no column has")                  \
    X(MEMBERS, "members", "times", "times that the process joined the group")

typedef enum pt_counter {
#define PT_COUNTER_ENUM(id, name, unit, help) PT_COUNT_##id,
    PT_COUNTERS(PT_COUNTER_ENUM)
#undef PT_COUNTER_ENUM
        PT_COUNTERS_N
} pt_counter;

typedef struct pt_counter_info {
    const char *name, *unit, *help;
} pt_counter_info;

extern const pt_counter_info pt_counter_infos[PT_COUNTERS_N];

typedef struct pt_stats {
    _Atomic uint64_t counters[PT_COUNTERS_N];
    _Atomic int64_t last_commit_us; /* monotonic; 0: none yet */
    int64_t started_us;             /* monotonic; set once */
} pt_stats;

void pt_stats_add(pt_stats *stats, pt_counter counter, uint64_t n);
uint64_t pt_stats_get(const pt_stats *stats, pt_counter counter);
