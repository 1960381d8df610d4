/* What a text of librdkafka's means for whoever set the connection up, and what to do. Pure
 * functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PT_KAFKA_ADVICE 400

typedef enum pt_kafka_fault {
    PT_KAFKA_FAULT_NONE,   /* it says enough by itself, or nothing is known of it */
    PT_KAFKA_FAULT_LIKELY, /* a setting may be wrong, or the broker is going away */
    PT_KAFKA_FAULT_SETTING /* a setting is wrong: waiting does not help */
} pt_kafka_fault;

/* text: "ssl://host:9093/bootstrap: SSL handshake failed: ... (after 3ms in state SSL_HANDSHAKE)".
 * Fills advice, "" for NONE. */
pt_kafka_fault pt_kafka_advise(const char *text, char *advice, size_t size);

/* Copies what is for people: without the times and counts at the end, and without the client
 * library's own guesses. */
void pt_kafka_plain_reason(const char *text, char *out, size_t size);
