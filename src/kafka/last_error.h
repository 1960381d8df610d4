/* The last thing that librdkafka said went wrong with a client.
 *
 * librdkafka's threads write it, any thread reads it, under its lock. It must outlive the client.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kafka/advice.h"

typedef struct pt_kafka_last_error {
    pthread_mutex_t lock;
    /* Any thread reads and writes these three, without the lock. */
    atomic_uint_fast64_t breaks;   /* connections that ended */
    atomic_uint_fast64_t away;     /* one bit for each broker that could not be reached since
                                      forgot_us; a hash of its name picks the bit */
    atomic_int_fast64_t forgot_us; /* monotonic, when `away` was emptied */
    bool fatal;                    /* the client cannot be used any more */
    pt_kafka_fault fault;          /* what the advice is about */
    int64_t advised_us;            /* monotonic, when the reason came that the advice belongs to */
    char reason[512];
    char advice[PT_KAFKA_ADVICE]; /* what to do; "": nothing is known */
} pt_kafka_last_error;

/* Bytes that hold every text of pt_kafka_last_error_read. */
#define PT_KAFKA_LAST_ERROR_TEXT (sizeof((pt_kafka_last_error *)NULL)->reason + PT_KAFKA_ADVICE + 2)

void pt_kafka_last_error_init(pt_kafka_last_error *last_error);
/* Counts a failed connection, told by a line of librdkafka's log: "host:port/id: ... (after 12ms in
 * state UP)". It counts among breaks when records may have come by this connection, or by another
 * one of the broker. */
void pt_kafka_last_error_break(pt_kafka_last_error *last_error, const char *text);
/* Keeps a text of librdkafka's as the last reason. */
void pt_kafka_last_error_note(pt_kafka_last_error *last_error, const char *text);
/* Likewise, for good: nothing that comes later replaces it. */
void pt_kafka_last_error_note_fatal(pt_kafka_last_error *last_error, const char *text);
/* Copies "reason; advice"; "no answer", and false, when there was none. */
bool pt_kafka_last_error_read(pt_kafka_last_error *last_error, char *out, size_t size);
bool pt_kafka_last_error_fatal(pt_kafka_last_error *last_error);
/* A setting is wrong: waiting for a broker does not help. */
bool pt_kafka_last_error_hopeless(pt_kafka_last_error *last_error);
