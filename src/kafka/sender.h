/* A producer as a library: records into one topic, idempotent and with acks=all. It counts what the
 * broker has acknowledged.
 *
 * One thread uses it. librdkafka's delivery reports come in that thread, in the calls below. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/record.h"
#include "kafka/client.h"

typedef struct pt_sender pt_sender;

typedef struct pt_sender_options {
    pt_kafka_options kafka;
    const char *topic;
    int partitions;     /* of the topic, which is made first; 0: it is not made */
    int64_t timeout_us; /* for the first answer of a broker, and for the last ones after a stop */
} pt_sender_options;

typedef struct pt_sender_counts {
    uint64_t sent;         /* handed to the client */
    uint64_t acknowledged; /* by the broker, as far as reports have come */
    uint64_t failed;
    uint64_t waiting;
    uint64_t failed_bytes; /* keys and values */
} pt_sender_counts;

/* Waits for the broker and the topic. options and its strings must outlive the sender. */
int pt_sender_open(const pt_sender_options *options, pt_sender **out, pt_error *err) PT_CHECKED;
/* Throws away what is not acknowledged. */
void pt_sender_close(pt_sender **sender);

/* Whether the sender takes more records; false after a short wait for acknowledgements. Takes in
 * delivery reports. PT_E_KAFKA: the client cannot go on. */
int pt_sender_ready(pt_sender *sender, bool *ready, pt_error *err) PT_CHECKED;

#define PT_SENDER_RECORDS 1000 /* that pt_sender_send takes at once, at most */

/* Hands over n records in their order, and copies them; waits while the client's queue is full.
 * Offsets, times and headers are not used. */
int pt_sender_send(pt_sender *sender, const pt_record *records, size_t n, pt_error *err) PT_CHECKED;

/* Waits for the acknowledgements: after a stop for the timeout, else as long as message.timeout.ms
 * lets librdkafka try. Calls `waiting` every tenth of a second; NULL: nobody. */
void pt_sender_flush(pt_sender *sender, void (*waiting)(void *arg), void *arg);

pt_sender_counts pt_sender_count(const pt_sender *sender);

/* After pt_sender_flush: PT_OK when the broker has acknowledged everything, else why not. */
int pt_sender_judge(pt_sender *sender, pt_error *err) PT_CHECKED;
