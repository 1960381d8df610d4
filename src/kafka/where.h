/* A place in a topic as a user names it, and the offsets that it means. */
#pragma once

#include "kafka/consumer.h"

typedef enum pt_where_kind {
    PT_WHERE_EARLIEST,
    PT_WHERE_LATEST,
    PT_WHERE_TIME,
    PT_WHERE_OFFSET
} pt_where_kind;

typedef struct pt_where {
    pt_where_kind kind;
    int64_t value; /* TIME: microseconds since the Unix epoch, by the records' timestamps; OFFSET */
} pt_where;

typedef struct pt_found {
    int64_t low, high; /* of the partition, as pt_consumer_bounds */
    int64_t offset;    /* of the first record at or behind the place; high when there is none */
} pt_found;

/* earliest, latest, a time in RFC 3339 with its zone, or an offset. option: for the message, such
 * as --to. */
int pt_parse_where(const char *option, const char *text, pt_where *out, pt_error *err) PT_CHECKED;

/* Asks the broker for n partitions from `first` on; out: [n]. PT_E_USAGE: an offset that a
 * partition does not have. */
int pt_consumer_find(pt_consumer *consumer, const char *topic, int32_t first, int32_t n,
                     const pt_where *where, pt_found *out, pt_error *err) PT_CHECKED;
