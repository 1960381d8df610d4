/* A handle of librdkafka: how one is configured and made, and how its error codes become an error.
 *
 * For src/kafka and src/sample alone. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "base/error.h"
#include "kafka/client.h"
#include "kafka/last_error.h"

/* Makes a configuration with the brokers, a quiet log, and last_error as its opaque. Set the user's
 * properties last, by pt_kafka_conf_properties, so that they win. The caller hands *out to
 * pt_kafka_new or destroys it. */
int pt_kafka_conf_new(const pt_kafka_options *options, pt_kafka_last_error *last_error,
                      rd_kafka_conf_t **out, pt_error *err) PT_CHECKED;
int pt_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                      pt_error *err) PT_CHECKED;
/* PT_E_USAGE: librdkafka does not know a property, or refuses its value. */
int pt_kafka_conf_properties(rd_kafka_conf_t *conf, const pt_kafka_options *options,
                             pt_error *err) PT_CHECKED;

/* Makes the handle. It owns conf from here on, also when it fails. */
int pt_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out,
                 pt_error *err) PT_CHECKED;

/* The code says that a broker is away, or that a partition has no leader right now: it passes. */
bool pt_kafka_error_passes(rd_kafka_resp_err_t code);
/* The code says only that nobody answered. */
bool pt_kafka_no_answer(rd_kafka_resp_err_t code);

/* Fails with "no broker answers at B within 10 s: reason; advice". PT_E_KAFKA when a setting is
 * wrong, else PT_E_KAFKA_DOWN. */
int pt_kafka_unreachable(const char *brokers, int64_t timeout_us, pt_kafka_last_error *last_error,
                         pt_error *err);

/* Fails with "what: why; advice" for an error code. It names the rights that are missing (on
 * `group`; NULL: no group is meant), and reads last_error when the code says only that nobody
 * answered. */
int pt_kafka_failed(rd_kafka_resp_err_t code, const pt_kafka_options *options,
                    pt_kafka_last_error *last_error, const char *group, pt_error *err,
                    const char *what, ...) __attribute__((format(printf, 6, 7)));
