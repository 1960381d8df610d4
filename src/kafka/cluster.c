#include "kafka/cluster.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/signals.h"
#include "kafka/admin.h"

#define ASK_MS 500

static int ask_ms(int64_t deadline) {
    int64_t ms = pt_ms_left(deadline);
    return ms < ASK_MS ? (int)ms + 1 : ASK_MS;
}

/* ---- metadata ---- */

static rd_kafka_resp_err_t ask_once(const pt_cluster *c, rd_kafka_topic_t *topic, int64_t deadline,
                                    int32_t *partitions) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(c->rk, 0, topic, &metadata, ask_ms(deadline));
    *partitions = 0;
    if (code) {
        return code;
    }
    if (topic) {
        code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                        : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        *partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        if (!code && *partitions == 0) {
            code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

bool pt_cluster_unknown(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

static bool stays(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

static rd_kafka_resp_err_t ask_until(const pt_cluster *c, rd_kafka_topic_t *topic,
                                     const pt_asking *asking, int32_t *partitions) {
    int64_t unknown_since = 0;
    for (;;) {
        rd_kafka_resp_err_t code = ask_once(c, topic, asking->deadline_us, partitions);
        int64_t now = pt_monotonic_us();
        if (rd_kafka_type(c->rk) == RD_KAFKA_PRODUCER) {
            (void)rd_kafka_poll(c->rk, 0);
        }
        bool good = !code || (code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE && !asking->leaders);
        unknown_since = unknown_since ? unknown_since : now;
        bool missing = pt_cluster_unknown(code) && now - unknown_since >= asking->missing_after_us;
        unknown_since = pt_cluster_unknown(code) ? unknown_since : 0;
        if (good || missing || stays(code) || now >= asking->deadline_us || pt_stop_asked() ||
            pt_kafka_last_error_fatal(c->last_error) ||
            pt_kafka_last_error_hopeless(c->last_error)) {
            return code;
        }
        pt_sleep_us(PT_SECOND / 20);
    }
}

rd_kafka_resp_err_t pt_cluster_ask(const pt_cluster *c, const char *topic, const pt_asking *asking,
                                   int32_t *partitions) {
    *partitions = 0;
    rd_kafka_topic_t *rkt = topic ? rd_kafka_topic_new(c->rk, topic, NULL) : NULL;
    if (topic && !rkt) {
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    }
    rd_kafka_resp_err_t code = ask_until(c, rkt, asking, partitions);
    if (rkt) {
        rd_kafka_topic_destroy(rkt);
    }
    return code;
}

pt_hint pt_cluster_hint(const pt_cluster *c, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    pt_nearest nearest;
    pt_nearest_begin(&nearest, topic);
    if (rd_kafka_metadata(c->rk, 1, NULL, &metadata, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < metadata->topic_cnt; i++) {
            if (!metadata->topics[i].err) {
                pt_nearest_offer(&nearest, metadata->topics[i].topic);
            }
        }
        rd_kafka_metadata_destroy(metadata);
    }
    return pt_nearest_hint(&nearest, "");
}

/* ---- reaching brokers ---- */

static int interrupted(pt_error *err) {
    return pt_fail(err, PT_E_INTERRUPTED, "stopped before a broker answered");
}

int pt_cluster_reach(const pt_cluster *c, int64_t timeout_us, pt_error *err) {
    const pt_asking asking = {.deadline_us = pt_monotonic_us() + timeout_us};
    int32_t ignored;
    if (pt_cluster_ask(c, NULL, &asking, &ignored) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return PT_OK;
    }
    return pt_stop_asked()
               ? interrupted(err)
               : pt_kafka_unreachable(c->options->brokers, timeout_us, c->last_error, err);
}

int pt_cluster_reach_leader(const pt_cluster *c, const char *topic, int32_t partitions,
                            int64_t timeout_us, pt_error *err) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    for (int32_t i = 0; partitions > 0; i++) {
        int64_t low;
        int64_t high;
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(c->rk, topic, i % partitions,
                                                                    &low, &high, ask_ms(deadline));
        if (!pt_kafka_no_answer(
                code)) { /* without a leader, or without the right: others say so, and better */
            return PT_OK;
        }
        if (pt_stop_asked()) {
            return interrupted(err);
        }
        if (pt_ms_left(deadline) == 0 || pt_kafka_last_error_fatal(c->last_error) ||
            pt_kafka_last_error_hopeless(c->last_error)) {
            return pt_kafka_unreachable(c->options->brokers, timeout_us, c->last_error, err);
        }
    }
    return PT_OK;
}

/* ---- ids ---- */

static void note_topic_ids(const rd_kafka_DescribeTopics_result_t *result, const char *const *names,
                           size_t n_names, pt_topic_id *ids) {
    size_t n = 0;
    const rd_kafka_TopicDescription_t **topics = rd_kafka_DescribeTopics_result_topics(result, &n);
    for (size_t k = 0; k < n * n_names; k++) {
        const rd_kafka_TopicDescription_t *t = topics[k % n];
        size_t i = k / n;
        const rd_kafka_Uuid_t *id = rd_kafka_error_code(rd_kafka_TopicDescription_error(t))
                                        ? NULL
                                        : rd_kafka_TopicDescription_topic_id(t);
        if (id && strcmp(rd_kafka_TopicDescription_name(t), names[i]) == 0 &&
            (rd_kafka_Uuid_most_significant_bits(id) || rd_kafka_Uuid_least_significant_bits(id))) {
            (void)snprintf(ids[i].text, sizeof ids[i].text, "%s", rd_kafka_Uuid_base64str(id));
        }
    }
}

void pt_cluster_topic_ids(const pt_cluster *c, const char *const *topics, size_t n, int timeout_ms,
                          pt_topic_id *ids) {
    memset(ids, 0, n * sizeof *ids);
    rd_kafka_TopicCollection_t *names =
        rd_kafka_TopicCollection_of_topic_names((const char **)(uintptr_t)topics, n);
    rd_kafka_AdminOptions_t *options = pt_admin_options(c->rk, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
                                                        timeout_ms);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->rk);
    rd_kafka_DescribeTopics(c->rk, names, options, queue);
    rd_kafka_event_t *event = pt_admin_answer(queue, timeout_ms);
    if (event && rd_kafka_event_DescribeTopics_result(event)) {
        note_topic_ids(rd_kafka_event_DescribeTopics_result(event), topics, n, ids);
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_TopicCollection_destroy(names);
}

void pt_cluster_id(const pt_cluster *c, char *out, size_t size) {
    char *id = rd_kafka_clusterid(c->rk, 1000);
    (void)snprintf(out, size, "%s", id ? id : "");
    rd_kafka_mem_free(c->rk, id);
}
