/* What the broker holds: first and end offsets of partitions, and the age of the oldest record that
 * somebody has not read. Used by one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kafka/client.h"

typedef struct pt_watermarks pt_watermarks;

/* Connects; PT_E_KAFKA when no broker answers within the timeout, which later calls have too. */
int pt_watermarks_open(const pt_kafka_options *options, int64_t timeout_us, pt_watermarks **out,
                       pt_error *err) PT_CHECKED;
void pt_watermarks_close(pt_watermarks **watermarks);

/* "" when the broker does not tell. */
const char *pt_watermarks_cluster(const pt_watermarks *watermarks);

/* Number of partitions; 0: there is no such topic. */
int pt_watermarks_partitions(pt_watermarks *watermarks, const char *topic, int32_t *out,
                             pt_error *err) PT_CHECKED;

/* low: of the oldest record that is kept; end: the last stable offset (read_committed), one past
 * the last record that a consumer gets. */
int pt_watermarks_offsets(pt_watermarks *watermarks, const char *topic, int32_t partition,
                          int64_t *low, int64_t *end, pt_error *err) PT_CHECKED;

typedef struct pt_unread {
    const char *topic; /* not owned */
    int32_t partition;
    int64_t offset; /* where to look */
    int64_t found;  /* out: offset of the first record there; -1: none came in time */
    int32_t epoch;  /* out: its leader epoch; -1: not known */
    int64_t
        timestamp_us; /* out: of the first record there; -1: none came in time, or it has none */
} pt_unread;

/* Reads one record of each; no topic and partition twice. */
int pt_watermarks_unread(pt_watermarks *watermarks, pt_unread *list, size_t n,
                         pt_error *err) PT_CHECKED;
