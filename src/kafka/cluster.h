/* What is asked of a broker before anything is read or written. For src/kafka alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/nearest.h"
#include "kafka/handle.h"

/* A handle, and what a message about it needs. Owns nothing. */
typedef struct pt_cluster {
    rd_kafka_t *rk;
    const pt_kafka_options *options;
    pt_kafka_last_error *last_error;
} pt_cluster;

/* How long an answer is waited for. */
typedef struct pt_asking {
    int64_t deadline_us;      /* monotonic */
    int64_t missing_after_us; /* a topic that no broker knows for so long is not there */
    bool leaders;             /* a topic without leaders is asked for again */
} pt_asking;

/* Asks for a topic's metadata, again and again until an answer is one: NO_ERROR, or the last code
 * when the deadline has passed, a stop was asked for, the client cannot be used, or the answer does
 * not change by waiting (no rights, no such topic, no valid name: __INVALID_ARG). *partitions: how
 * many; 0 without an answer. topic NULL: any answer of any broker. */
rd_kafka_resp_err_t pt_cluster_ask(const pt_cluster *cluster, const char *topic,
                                   const pt_asking *asking, int32_t *partitions);
/* The code says that there is no such topic. */
bool pt_cluster_unknown(rd_kafka_resp_err_t code);

/* Asks for the brokers until one answers. PT_E_KAFKA_DOWN, PT_E_KAFKA when a setting is wrong,
 * PT_E_INTERRUPTED. */
int pt_cluster_reach(const pt_cluster *cluster, int64_t timeout_us, pt_error *err) PT_CHECKED;

/* Asks leaders of the topic, one after the other, until one answers: the others may be down. The
 * broker that gave the list may name addresses that do not work. */
int pt_cluster_reach_leader(const pt_cluster *cluster, const char *topic, int32_t partitions,
                            int64_t timeout_us, pt_error *err) PT_CHECKED;

/* "; did you mean ORDERS?" by the broker's list, or "". */
pt_hint pt_cluster_hint(const pt_cluster *cluster, const char *topic);

typedef struct pt_topic_id {
    char text[64]; /* "": not known */
} pt_topic_id;

/* Fills the ids (KIP-516) of n topics. One that the broker does not tell (an older one, or a topic
 * that is gone) becomes "". */
void pt_cluster_topic_ids(const pt_cluster *cluster, const char *const *topics, size_t n,
                          int timeout_ms, pt_topic_id *ids);

/* "" when the broker does not tell it. A broker that comes up while it is asked may answer without
 * the cluster's id first, and one before 0.10 tells none: call it once early, and keep the second
 * answer. */
void pt_cluster_id(const pt_cluster *cluster, char *out, size_t size);
