/* What a run of ingest is to do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "duck/engine.h"
#include "ingest/memory.h"
#include "kafka/consumer.h"
#include "kafka/where.h"
#include "lake/table.h"

struct pt_stats;
struct pt_tally;

typedef enum pt_on_error { PT_ON_ERROR_DEAD_LETTER, PT_ON_ERROR_FAIL } pt_on_error;
/* A record none of whose keys is a column: PT_NO_COLUMN_NULL takes it as a row of defaults and
 * NULLs. */
typedef enum pt_on_no_column { PT_NO_COLUMN_DEAD_LETTER, PT_NO_COLUMN_NULL } pt_on_no_column;
/* Records that the lake wants next were deleted from the topic (retention). */
typedef enum pt_on_missing { PT_ON_MISSING_FAIL, PT_ON_MISSING_SKIP } pt_on_missing;

/* One topic and where it goes. */
typedef struct pt_route_options {
    const char *topic;
    const char *table;  /* "name" or "schema.name" */
    const char *schema; /* columns, NULL: the table is there */
    pt_metas extra;     /* metadata columns beside those that are always there */
} pt_route_options;

typedef struct pt_ingest_options {
    pt_lake_options lake;
    pt_consumer_options consumer; /* topics are taken from the routes; group NULL: the one that goes
                                     with the lake (ingest/group.h) */
    pt_memory memory;
    const pt_route_options *routes;
    size_t n_routes;
    uint64_t flush_rows;  /* rows and dead letters of a flush */
    uint64_t flush_bytes; /* decoded bytes of a flush; it is also made when a batch has its share of
                             the memory */
    int64_t flush_interval_us; /* age of the oldest buffered record */
    int64_t fold_interval_us;  /* age of the oldest row in the catalog (lake/inlined.h) */
    bool until_end;            /* up to the end offsets seen at the start, then stop */
    pt_where start; /* of a topic that the lake does not know; partitions that come later begin at
                       their first offset */
    pt_on_error on_error;
    pt_on_no_column on_no_column;
    pt_on_missing on_missing;
    uint64_t max_dead_letters; /* stop when there are more in this run; UINT64_MAX: no limit */
    double
        max_dead_share; /* stop when more than this share of at least 1000 records; > 1: no limit */
    int64_t stop_timeout_us;   /* after SIGTERM */
    int64_t commit_timeout_us; /* for one statement on the lake; the watchdog ends the process when
                                  it is exceeded */
    struct pt_stats *stats;    /* of the run; pt_ingest has them */
    struct pt_tally *tallies;  /* [n_routes] likewise */
    int64_t orphan_age_us; /* staged files of dead processes are removed at the start when they are
                              older */
} pt_ingest_options;
