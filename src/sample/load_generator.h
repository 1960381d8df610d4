/* Sends orders to a topic: idempotent, acks=all, and counts what the broker acknowledged. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kafka/client.h"

typedef struct pt_generator_options {
    pt_kafka_options kafka;
    const char *topic;
    double rate;    /* records a second, 0: as fast as possible */
    uint64_t count; /* 0: until pt_stop_asked */
    bool seeded;    /* with a seed, order_time follows from it too */
    uint64_t seed;
    uint64_t broken;       /* this many of the records are broken, spread over count, or one in 100
                              without a count */
    uint64_t broken_every; /* every so many-th record is broken, 0: none */
    uint64_t create;       /* partitions of a topic to be made first, 0: none */
    int64_t timeout_us; /* for the first answer of the broker, and for the last ones after a stop */
} pt_generator_options;

typedef struct pt_generator_summary {
    uint64_t sent;      /* handed to the client */
    uint64_t delivered; /* acknowledged */
    uint64_t failed;
    uint64_t broken; /* of the sent ones */
    uint64_t bytes;  /* keys and values of the delivered ones */
    double seconds;
} pt_generator_summary;

/* Runs to the end. An error leaves the summary valid: what had been done by then; records that were
 * not delivered are an error. */
int pt_generator_run(const pt_generator_options *options, pt_generator_summary *summary,
                     pt_error *err) PT_CHECKED;
