/* One topic on its way into one table, and where each of its partitions stands.
 *
 * The reader's thread has them. The committer's uses the topic, the slice and the tally, which do
 * not change while it runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/decode.h"
#include "ingest/tally.h"
#include "lake/table.h"

/* After an assignment or a pause librdkafka may continue at a place of its own. When a partition is
 * revoked while its messages are on their way to the application, librdkafka notes them as read,
 * and jumps behind them in the pause of a later rebalance (2.15.1: rd_kafka_q_serve_rkmessages
 * notes, rd_kafka_toppar_pause_resume jumps). So the reader fetches a gap right after such an event
 * once more, and believes only the second answer (control records, compaction). */
typedef enum pt_verified { PT_VERIFIED, PT_UNVERIFIED, PT_REFETCHED } pt_verified;

typedef struct pt_partition {
    bool assigned;
    pt_verified verified;
    uint64_t refetched_in; /* the poll in whose messages the gap was */
    int64_t next;          /* offset that is expected next: below it is dropped */
    int64_t sealed;   /* next of the last sealed batch: where the open batch's ledger row begins */
    int64_t position; /* next, or beyond it when the broker has nothing visible left before */
    int64_t end;      /* --until-end: done at this position; -1 none */
    int64_t rows, dead_letters; /* in the open batch */
    int64_t began;              /* next at the claim */
    int64_t verify_at; /* offset at which the broker's record has to be the last one that was read;
                          -1: the reader awaits no proof (ingest/verify.h) */
    int64_t last_offset, last_us; /* the last record that was read, before the claim by the lake;
                                     -1: not known. Microseconds, INT64_MIN: it has no time */
    int32_t last_epoch;           /* its leader epoch; -1: not known */
    int64_t skipped_from; /* the lake continues at `sealed` instead of here (retention, --start
                             latest): the next seal writes a 'skip' row; -1: none */
} pt_partition;

/* One topic on its way into one table. */
typedef struct pt_route {
    const char *topic;
    const pt_table *table; /* of the plan in use, as slice (of a flush) and decoder are */
    size_t slice;
    pt_decoder *decoder;
    const char *topic_id;
    pt_partition *partitions; /* [n_partitions] */
    int32_t n_partitions;
    size_t row_bytes; /* of the vectors, a row */
    pt_tally *tally;
    size_t unknown_logged; /* so many of the keys that no column has */
    bool seen; /* the pipeline has claimed partitions of the topic before: its start is settled */
    bool repeats; /* the table has rows, and this group has not begun the topic: the first
                     partition logs that */
} pt_route;

/* NULL without memory, or when the number is none. It stays until the next call for the route. */
pt_partition *pt_route_partition(pt_route *route, int32_t partition);
