/* Making a topic, and waiting until one is there. For src/kafka alone. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "kafka/cluster.h"

/* Makes a topic with the broker's default replication; one that exists already is fine. */
int pt_topic_create(const pt_cluster *cluster, const char *topic, int partitions,
                    int64_t timeout_us, pt_error *err) PT_CHECKED;

/* Waits until a broker answers and knows the topic, and the leader of one of its partitions
 * answers. A broker that makes topics on first use makes it now. */
int pt_topic_wait(const pt_cluster *cluster, const char *topic, int64_t timeout_us,
                  pt_error *err) PT_CHECKED;
