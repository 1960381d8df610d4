#include "kafka/topic.h"

#include <string.h>

#include "base/clock.h"
#include "base/signals.h"
#include "kafka/cluster.h"

#define MISSING_AFTER (3 * PT_SECOND) /* a broker that makes topics on first use needs less */
#define ASK_MS        500

/* ---- CreateTopics ---- */

static int create_failed(const pt_kafka_options *options, pt_kafka_last_error *last_error,
                         const char *topic, rd_kafka_resp_err_t code, const char *text,
                         pt_error *err) {
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) {
        return pt_fail(
            err, PT_E_KAFKA,
            "topic %s: this broker cannot make topics for clients; leave --create out (pintail "
            "broker makes topics with --topic NAME:PARTITIONS, or on first use)",
            topic);
    }
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        return pt_kafka_failed(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, options, last_error,
                               NULL, err, "topic %s cannot be made", topic);
    }
    return pt_fail(err, PT_E_KAFKA, "topic %s cannot be made: %s", topic,
                   text ? text : rd_kafka_err2str(code));
}

static int create_result(const pt_kafka_options *options, pt_kafka_last_error *last_error,
                         rd_kafka_event_t *event, const char *topic, pt_error *err) {
    if (rd_kafka_event_error(event)) {
        return create_failed(options, last_error, topic, rd_kafka_event_error(event),
                             rd_kafka_event_error_string(event), err);
    }
    size_t n;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return create_failed(options, last_error, topic, code,
                                 rd_kafka_topic_result_error_string(results[i]), err);
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

int pt_topic_create(rd_kafka_t *rk, const pt_kafka_options *options,
                    pt_kafka_last_error *last_error, const char *topic, int partitions,
                    int64_t timeout_us, pt_error *err) {
    char why[300];
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof why);
    if (!wanted) {
        return pt_fail(err, PT_E_USAGE, "topic %s with %d partitions: %s", topic, partitions, why);
    }
    rd_kafka_event_t *event = create_event(rk, wanted, pt_monotonic_us() + timeout_us);
    rd_kafka_NewTopic_destroy(wanted);
    int code;
    bool troubled = pt_kafka_last_error_read(last_error, why, sizeof why);
    if (!event || (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__TIMED_OUT && troubled)) {
        code = pt_kafka_unreachable(options->brokers, timeout_us, last_error, err);
    } else {
        code = create_result(options, last_error, event, topic, err);
    }
    rd_kafka_event_destroy(event);
    return code;
}

/* ---- metadata ---- */

/* NO_ERROR: there, with leaders; anything else: not yet. */
static rd_kafka_resp_err_t ask(rd_kafka_t *rk, rd_kafka_topic_t *rkt, int64_t deadline,
                               int32_t *partitions) {
    const struct rd_kafka_metadata *metadata;
    int64_t ms = pt_ms_left(deadline);
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, rkt, &metadata,
                                                 ms < ASK_MS ? (int)ms + 1 : ASK_MS);
    if (code) {
        return code;
    }
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!code && metadata->topics[0].partition_cnt == 0) {
        code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    *partitions = code ? 0 : metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return code;
}

pt_hint pt_topic_hint(rd_kafka_t *rk, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    pt_nearest nearest;
    pt_nearest_begin(&nearest, topic);
    if (rd_kafka_metadata(rk, 1, NULL, &metadata, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < metadata->topic_cnt; i++) {
            if (!metadata->topics[i].err) {
                pt_nearest_offer(&nearest, metadata->topics[i].topic);
            }
        }
        rd_kafka_metadata_destroy(metadata);
    }
    return pt_nearest_hint(&nearest, "");
}

static int missing(rd_kafka_t *rk, const char *topic, pt_error *err) {
    return pt_fail(err, PT_E_KAFKA,
                   "topic %s does not exist%s, and the broker does not make topics on first use; "
                   "make it with --create PARTITIONS",
                   topic, pt_topic_hint(rk, topic).text);
}

static int wait_for(rd_kafka_t *rk, rd_kafka_topic_t *rkt, const pt_kafka_options *options,
                    pt_kafka_last_error *last_error, int64_t timeout_us, int32_t *partitions,
                    pt_error *err) {
    const char *topic = rd_kafka_topic_name(rkt);
    int64_t deadline = pt_monotonic_us() + timeout_us, unknown_since = 0;
    rd_kafka_resp_err_t code;
    while ((code = ask(rk, rkt, deadline, partitions)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)rd_kafka_poll(rk, 0);
        bool unknown = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                       code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
        if (unknown && unknown_since == 0) {
            unknown_since = pt_monotonic_us();
        }
        bool late = pt_ms_left(deadline) == 0;
        if (unknown && (late || pt_monotonic_us() - unknown_since > MISSING_AFTER)) {
            return missing(rk, topic, err);
        }
        bool unanswered = code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                          code == RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (unanswered && (late || pt_kafka_last_error_hopeless(last_error))) {
            return pt_kafka_unreachable(options->brokers, timeout_us, last_error, err);
        }
        if (late || code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION ||
            code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
            pt_kafka_last_error_fatal(last_error)) {
            return pt_kafka_failed(code, options, last_error, NULL, err, "topic %s", topic);
        }
        if (pt_stop_asked()) {
            return pt_fail(err, PT_E_INTERRUPTED, "stopped before a broker answered");
        }
        pt_sleep_us(PT_SECOND / 20);
    }
    return PT_OK;
}

int pt_topic_wait(rd_kafka_t *rk, const pt_kafka_options *options, pt_kafka_last_error *last_error,
                  const char *topic, int64_t timeout_us, pt_error *err) {
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    if (!rkt) {
        return pt_fail(err, PT_E_USAGE, "topic '%s': %s", topic,
                       rd_kafka_err2str(rd_kafka_last_error()));
    }
    int32_t partitions = 0;
    int code = wait_for(rk, rkt, options, last_error, timeout_us, &partitions, err);
    rd_kafka_topic_destroy(rkt);
    PT_TRY(code);
    return pt_kafka_reach_leader(rk, options, last_error, topic, partitions, timeout_us, err);
}
