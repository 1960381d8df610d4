/* What every Kafka client of pintail starts from: a configuration whose log goes nowhere, and the
 * last reason it gave. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "kafka/advice.h"

/* The last reason that librdkafka gave for a trouble. Written by its threads, read by any: under
 * lock. Has to outlive the handle. */
typedef struct pt_kafka_last_error {
    pthread_mutex_t lock;
    atomic_uint_fast64_t breaks; /* connections that ended; any thread, without the lock */
    atomic_uint_fast64_t
        away; /* a bit of each broker (out of its name) that could not be reached since; likewise */
    atomic_int_fast64_t forgot_us; /* monotonic, when `away` was emptied; likewise */
    bool fatal;                    /* the handle is of no use any more */
    pt_kafka_fault fault;          /* what advice speaks of */
    int64_t advised_us;            /* monotonic, when the reason came that the advice belongs to */
    char reason[512];
    char advice[PT_KAFKA_ADVICE]; /* what to do; "": nothing is known */
} pt_kafka_last_error;

void pt_kafka_last_error_init(pt_kafka_last_error *last_error);
/* A text of librdkafka's log that a connection failed: "host:port/id: ... (after 12ms in state
 * UP)". Counts it among breaks where records may have come by it, or another one of the broker. */
void pt_kafka_last_error_break(pt_kafka_last_error *last_error, const char *text);
/* Keeps a text of librdkafka's as the last reason. */
void pt_kafka_last_error_note(pt_kafka_last_error *last_error, const char *text);
/* Copies "reason; advice"; "no answer", and false, when there was none. */
bool pt_kafka_last_error_read(pt_kafka_last_error *last_error, char *out, size_t size);
bool pt_kafka_last_error_fatal(pt_kafka_last_error *last_error);
/* A setting is wrong: waiting for a broker does not help. */
bool pt_kafka_last_error_hopeless(pt_kafka_last_error *last_error);

typedef struct pt_kafka_options {
    const char *brokers;
    const char *const *properties; /* "prop=val", as given with -X */
    size_t n_properties;
} pt_kafka_options;

/* A configuration with brokers, a quiet log and trouble as its opaque; the properties come last, by
 * pt_kafka_conf_properties, so that they win. The caller hands *out to rd_kafka_new or destroys it.
 */
int pt_kafka_conf_new(const pt_kafka_options *options, pt_kafka_last_error *last_error,
                      rd_kafka_conf_t **out, pt_error *err) PT_CHECKED;
int pt_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                      pt_error *err) PT_CHECKED;
/* PT_E_USAGE for a property that librdkafka does not know or whose value it refuses. */
int pt_kafka_conf_properties(rd_kafka_conf_t *conf, const pt_kafka_options *options,
                             pt_error *err) PT_CHECKED;
/* One "prop=val", without a client to set it on. */
int pt_kafka_check_property(const char *property, pt_error *err) PT_CHECKED;

/* Makes the handle; owns conf from here on, also when it fails. */
int pt_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out,
                 pt_error *err) PT_CHECKED;

/* The value of -X name=value, the last one when there are several; NULL: not given. */
const char *pt_kafka_property(const pt_kafka_options *options, const char *name);

/* An error of a broker that is away, or of a partition without a leader right now. */
bool pt_kafka_error_passes(rd_kafka_resp_err_t code);

/* "no broker answers at B within 10 s: reason; advice". PT_E_KAFKA when a setting is wrong, else
 * PT_E_KAFKA_DOWN. */
int pt_kafka_unreachable(const char *brokers, int64_t timeout_us, pt_kafka_last_error *last_error,
                         pt_error *err);

/* "what: why; advice" for an error code: rights that are missing (of group, NULL: none is meant),
 * and for codes that only tell that nobody answered, what trouble tells. */
int pt_kafka_failed(rd_kafka_resp_err_t code, const pt_kafka_options *options,
                    pt_kafka_last_error *last_error, const char *group, pt_error *err,
                    const char *what, ...) __attribute__((format(printf, 6, 7)));

/* Asks leaders of the topic, one after the other, until one answers: the others may be down. A
 * broker of whom the list was had may name addresses that do not work. */
int pt_kafka_reach_leader(rd_kafka_t *rk, const pt_kafka_options *options,
                          pt_kafka_last_error *last_error, const char *topic, int32_t partitions,
                          int64_t timeout_us, pt_error *err) PT_CHECKED;

/* Asks for the brokers until one answers; 0: for the timeout. Ends early when a setting is wrong.
 */
int pt_kafka_reach(rd_kafka_t *rk, const pt_kafka_options *options, pt_kafka_last_error *last_error,
                   int64_t timeout_us, pt_error *err) PT_CHECKED;
