/* What is asked of a broker before anything is read or written. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "kafka/handle.h"

/* Asks leaders of the topic, one after the other, until one answers: the others may be down. A
 * broker of whom the list was had may name addresses that do not work. */
int pt_kafka_reach_leader(rd_kafka_t *rk, const pt_kafka_options *options,
                          pt_kafka_last_error *last_error, const char *topic, int32_t partitions,
                          int64_t timeout_us, pt_error *err) PT_CHECKED;

/* Asks for the brokers until one answers; 0: for the timeout. Ends early when a setting is wrong.
 */
int pt_kafka_reach(rd_kafka_t *rk, const pt_kafka_options *options, pt_kafka_last_error *last_error,
                   int64_t timeout_us, pt_error *err) PT_CHECKED;
