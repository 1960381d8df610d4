/* Whether a topic is there, and making one. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/nearest.h"
#include "kafka/handle.h"

/* Makes a topic with the broker's default replication; one that exists already is fine. */
int pt_topic_create(rd_kafka_t *rk, const pt_kafka_options *options,
                    pt_kafka_last_error *last_error, const char *topic, int partitions,
                    int64_t timeout_us, pt_error *err) PT_CHECKED;

/* Waits until a broker answers and knows the topic, and one that leads a partition of it answers. A
 * broker that makes topics on first use makes it now. */
/* "; did you mean ORDERS?" by the broker's list, or "". */
pt_hint pt_topic_hint(rd_kafka_t *rk, const char *topic);
int pt_topic_wait(rd_kafka_t *rk, const pt_kafka_options *options, pt_kafka_last_error *last_error,
                  const char *topic, int64_t timeout_us, pt_error *err) PT_CHECKED;
