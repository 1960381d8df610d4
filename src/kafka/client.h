/* What every Kafka client of pintail starts from: a configuration whose log goes nowhere, and the last reason it gave. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The last reason that librdkafka gave for a trouble. Written by its threads, read by any: under lock. Has to outlive the handle. */
typedef struct pt_kafka_trouble {
    pthread_mutex_t lock;
    bool fatal; /* the handle is of no use any more */
    char reason[512];
} pt_kafka_trouble;

void pt_kafka_trouble_init(pt_kafka_trouble *trouble);
/* Copies the reason; "no answer", and false, when there was none. */
bool pt_kafka_trouble_read(pt_kafka_trouble *trouble, char *out, size_t size);
bool pt_kafka_trouble_fatal(pt_kafka_trouble *trouble);

typedef struct pt_kafka_options {
    const char *brokers;
    const char *const *properties; /* "prop=val", as given with -X */
    size_t n_properties;
} pt_kafka_options;

/* A configuration with brokers, a quiet log and trouble as its opaque; the properties come last, by pt_kafka_conf_properties, so that they win.
 * The caller hands *out to rd_kafka_new or destroys it. */
int pt_kafka_conf_new(const pt_kafka_options *options, pt_kafka_trouble *trouble, rd_kafka_conf_t **out, pt_error *err) PT_CHECKED;
int pt_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, pt_error *err) PT_CHECKED;
/* PT_E_USAGE for a property that librdkafka does not know or whose value it refuses. */
int pt_kafka_conf_properties(rd_kafka_conf_t *conf, const pt_kafka_options *options, pt_error *err) PT_CHECKED;
/* One "prop=val", without a client to set it on. */
int pt_kafka_check_property(const char *property, pt_error *err) PT_CHECKED;

/* Makes the handle; owns conf from here on, also when it fails. */
int pt_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out, pt_error *err) PT_CHECKED;

/* "no broker answers at B within 10 s: reason". */
int pt_kafka_unreachable(const char *brokers, int64_t timeout_us, pt_kafka_trouble *trouble, pt_error *err);
