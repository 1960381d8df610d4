#include "kafka/topic.h"

#include <string.h>

#include "base/clock.h"
#include "base/signals.h"

#define MISSING_AFTER (3 * PT_SECOND) /* a broker that makes topics on first use needs less */

/* ---- CreateTopics ---- */

static int create_failed(const pt_cluster *c, const char *topic, rd_kafka_resp_err_t code,
                         const char *text, pt_error *err) {
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) {
        return pt_fail(
            err, PT_E_KAFKA,
            "topic %s: this broker cannot make topics for clients; leave --create out (pintail "
            "broker makes topics with --topic NAME:PARTITIONS, or on first use)",
            topic);
    }
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        return pt_kafka_failed(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, c->options,
                               c->last_error, NULL, err, "topic %s cannot be made", topic);
    }
    return pt_fail(err, PT_E_KAFKA, "topic %s cannot be made: %s", topic,
                   text ? text : rd_kafka_err2str(code));
}

static int create_result(const pt_cluster *c, rd_kafka_event_t *event, const char *topic,
                         pt_error *err) {
    if (rd_kafka_event_error(event)) {
        return create_failed(c, topic, rd_kafka_event_error(event),
                             rd_kafka_event_error_string(event), err);
    }
    size_t n;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return create_failed(c, topic, code, rd_kafka_topic_result_error_string(results[i]),
                                 err);
        }
    }
    return PT_OK;
}

/* The event of one CreateTopics, or NULL after the deadline or a stop. */
static rd_kafka_event_t *create_event(rd_kafka_t *rk, rd_kafka_NewTopic_t *topic,
                                      int64_t deadline) {
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *admin = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char ignored[200];
    int ms = (int)pt_ms_left(deadline);
    (void)rd_kafka_AdminOptions_set_request_timeout(admin, ms > 0 ? ms : 1, ignored,
                                                    sizeof ignored);
    rd_kafka_CreateTopics(rk, &topic, 1, admin, queue);
    rd_kafka_event_t *event = NULL;
    while (!event && pt_ms_left(deadline) > 0 && !pt_stop_asked()) {
        (void)rd_kafka_poll(rk, 0);
        event = rd_kafka_queue_poll(queue, 100);
    }
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_queue_destroy(queue);
    return event;
}

int pt_topic_create(const pt_cluster *c, const char *topic, int partitions, int64_t timeout_us,
                    pt_error *err) {
    char why[300];
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof why);
    if (!wanted) {
        return pt_fail(err, PT_E_USAGE, "topic %s with %d partitions: %s", topic, partitions, why);
    }
    rd_kafka_event_t *event = create_event(c->rk, wanted, pt_monotonic_us() + timeout_us);
    rd_kafka_NewTopic_destroy(wanted);
    int code;
    bool troubled = pt_kafka_last_error_read(c->last_error, why, sizeof why);
    if (!event || (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__TIMED_OUT && troubled)) {
        code = pt_kafka_unreachable(c->options->brokers, timeout_us, c->last_error, err);
    } else {
        code = create_result(c, event, topic, err);
    }
    rd_kafka_event_destroy(event);
    return code;
}

/* ---- waiting for one ---- */

static int missing(const pt_cluster *c, const char *topic, pt_error *err) {
    return pt_fail(err, PT_E_KAFKA,
                   "topic %s does not exist%s, and the broker does not make topics on first use; "
                   "make it with --create PARTITIONS",
                   topic, pt_cluster_hint(c, topic).text);
}

int pt_topic_wait(const pt_cluster *c, const char *topic, int64_t timeout_us, pt_error *err) {
    const pt_asking asking = {.deadline_us = pt_monotonic_us() + timeout_us,
                              .missing_after_us = MISSING_AFTER,
                              .leaders = true};
    int32_t partitions;
    rd_kafka_resp_err_t code = pt_cluster_ask(c, topic, &asking, &partitions);
    if (code == RD_KAFKA_RESP_ERR__INVALID_ARG) {
        return pt_fail(err, PT_E_USAGE, "topic '%s': %s", topic, rd_kafka_err2str(code));
    }
    if (code && pt_stop_asked()) {
        return pt_fail(err, PT_E_INTERRUPTED, "stopped before a broker answered");
    }
    if (pt_cluster_unknown(code)) {
        return missing(c, topic, err);
    }
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
        return pt_kafka_unreachable(c->options->brokers, timeout_us, c->last_error, err);
    }
    if (code) {
        return pt_kafka_failed(code, c->options, c->last_error, NULL, err, "topic %s", topic);
    }
    return pt_cluster_reach_leader(c, topic, partitions, timeout_us, err);
}
