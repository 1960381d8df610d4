/* What every Kafka client of pintail is made from. No type of librdkafka leaves src/kafka and
 * src/sample: kafka/handle.h is for those two rooms alone. */
#pragma once

#include <stddef.h>

#include "base/error.h"

typedef struct pt_kafka_options {
    const char *brokers;
    const char *const *properties; /* "prop=val", as given with -X */
    size_t n_properties;
} pt_kafka_options;

/* Checks one "prop=val" without a client to set it on. PT_E_USAGE. */
int pt_kafka_check_property(const char *property, pt_error *err) PT_CHECKED;

/* The value of -X name=value, the last one when there are several; NULL: not given. */
const char *pt_kafka_property(const pt_kafka_options *options, const char *name);

/* librdkafka's version, such as "2.15.1". */
const char *pt_kafka_version(void);
