/* What the broker knows of the topics: offsets, ids, partitions. */
#include "kafka/consumer_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kafka/cluster.h"
#include "kafka/topic.h"

#define BOUNDS_TIMEOUT_MS  10000
#define IDS_TIMEOUT_MS     5000
#define NEW_PARTITION_WAIT (5 * PT_SECOND)
#define CHECK_TIMEOUT_MS   2000

/* The partitions of the topic that the asker knows are those of now. */
static void look_at_partitions(const pt_consumer *c, const char *name) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(c->asker, name, NULL);
    if (topic && rd_kafka_metadata(c->asker, 0, topic, &metadata, BOUNDS_TIMEOUT_MS) ==
                     RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    }
    if (topic) {
        rd_kafka_topic_destroy(topic);
    }
}

/* A partition that was added just now is assigned by the group's leader, who knows it, before the
 * asker and every broker do. */
int pt_consumer_bounds(pt_consumer *c, const char *topic, int32_t partition, int64_t *low,
                       int64_t *high, pt_error *err) {
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(c->asker, topic, partition, low,
                                                                high, BOUNDS_TIMEOUT_MS);
    for (int64_t until = pt_monotonic_us() + NEW_PARTITION_WAIT;
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && pt_monotonic_us() < until;) {
        look_at_partitions(c, topic);
        code = rd_kafka_query_watermark_offsets(c->asker, topic, partition, low, high,
                                                BOUNDS_TIMEOUT_MS);
        if (code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
            pt_sleep_us(PT_SECOND / 20);
        }
    }
    if (code) {
        return pt_kafka_failed(code, &c->options->client, &c->last_error, NULL, err,
                               "topic %s partition %" PRId32
                               ": the broker does not tell its offsets",
                               topic, partition);
    }
    return PT_OK;
}

int pt_consumer_read_bounds(pt_consumer *c, pt_assigned *partitions, size_t n, pt_error *err) {
    for (size_t i = 0; i < n; i++) {
        PT_TRY(pt_consumer_bounds(c, partitions[i].topic, partitions[i].partition,
                                  &partitions[i].low, &partitions[i].high, err));
    }
    return PT_OK;
}

int64_t pt_consumer_known_end(pt_consumer *c, const char *topic, int32_t partition) {
    int64_t low;
    int64_t high;
    return rd_kafka_get_watermark_offsets(c->rk, topic, partition, &low, &high) ? -1 : high;
}

/* Fills the ids of all topics, [n_topics]; one that the broker does not tell (an older one, or a
 * topic that is gone) stays "". */
static void note_topic_ids(const pt_consumer *c, const rd_kafka_DescribeTopics_result_t *result,
                           pt_topic_id *ids) {
    size_t n = 0;
    const rd_kafka_TopicDescription_t **topics = rd_kafka_DescribeTopics_result_topics(result, &n);
    for (size_t k = 0; k < n * c->options->n_topics; k++) {
        const rd_kafka_TopicDescription_t *t = topics[k % n];
        size_t i = k / n;
        const rd_kafka_Uuid_t *id = rd_kafka_error_code(rd_kafka_TopicDescription_error(t))
                                        ? NULL
                                        : rd_kafka_TopicDescription_topic_id(t);
        if (id && strcmp(rd_kafka_TopicDescription_name(t), c->options->topics[i]) == 0 &&
            (rd_kafka_Uuid_most_significant_bits(id) || rd_kafka_Uuid_least_significant_bits(id))) {
            (void)snprintf(ids[i].text, sizeof ids[i].text, "%s", rd_kafka_Uuid_base64str(id));
        }
    }
}

static int open_asker(pt_consumer *c, pt_error *err) {
    rd_kafka_conf_t *conf = NULL;
    PT_TRY(pt_kafka_conf_new(&c->options->client, &c->last_error, &conf, err));
    int code = pt_kafka_conf_properties(conf, &c->options->client, err);
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    return pt_kafka_new(RD_KAFKA_CONSUMER, conf, &c->asker,
                        err); /* in no group; a producer would make a topic that is missing */
}

/* Topic ids (KIP-516) come by the admin API. */
static void ask_topic_ids(const pt_consumer *c, int timeout_ms, pt_topic_id *ids) {
    rd_kafka_TopicCollection_t *names =
        rd_kafka_TopicCollection_of_topic_names((const char **)(uintptr_t)c->options->topics,
                                                c->options->n_topics);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(c->asker,
                                                                 RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->asker);
    char why[128];
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
    rd_kafka_DescribeTopics(c->asker, names, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    if (event && !rd_kafka_event_error(event) && rd_kafka_event_DescribeTopics_result(event)) {
        note_topic_ids(c, rd_kafka_event_DescribeTopics_result(event), ids);
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_TopicCollection_destroy(names);
}

int pt_consumer_check_topics(const pt_consumer *c, pt_error *err) {
    pt_topic_id *now = calloc(c->options->n_topics, sizeof *now);
    if (!now) {
        return pt_fail_nomem(err, "topic ids");
    }
    int code = PT_OK;
    ask_topic_ids(c, CHECK_TIMEOUT_MS, now);
    for (size_t i = 0; code == PT_OK && i < c->options->n_topics; i++) {
        if (*now[i].text && *c->topics[i].id.text &&
            strcmp(now[i].text, c->topics[i].id.text) != 0) {
            code = pt_fail(err, PT_E_SOURCE,
                           "topic %s was deleted and made anew while it was read (id %s, now %s)",
                           c->options->topics[i], c->topics[i].id.text, now[i].text);
        }
    }
    free(now);
    return code;
}

static int read_topic_ids(pt_consumer *c, pt_error *err) {
    pt_topic_id *ids = calloc(c->options->n_topics, sizeof *ids);
    if (!ids) {
        return pt_fail_nomem(err, "topic ids");
    }
    ask_topic_ids(c, IDS_TIMEOUT_MS, ids);
    for (size_t i = 0; i < c->options->n_topics; i++) {
        c->topics[i].id = ids[i];
    }
    free(ids);
    return PT_OK;
}

static int look_at_topic(pt_consumer *c, size_t i, pt_error *err) {
    const char *name = c->options->topics[i];
    rd_kafka_topic_t *topic = rd_kafka_topic_new(c->asker, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    if (!topic) {
        return pt_fail(err, PT_E_USAGE, "topic name '%s' is not valid", name);
    }
    rd_kafka_resp_err_t code = rd_kafka_metadata(c->asker, 0, topic, &metadata,
                                                 (int)(c->options->timeout_us / 1000));
    rd_kafka_topic_destroy(topic);
    if (code) {
        return pt_kafka_unreachable(c->options->client.brokers, c->options->timeout_us,
                                    &c->last_error, err);
    }
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    c->topics[i].partitions = metadata->topic_cnt == 1 ? (int32_t)metadata->topics[0].partition_cnt
                                                       : 0;
    rd_kafka_metadata_destroy(metadata);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        return pt_fail(err, PT_E_KAFKA,
                       "topic %s does not exist on %s%s; make it first, or check --topic", name,
                       c->options->client.brokers, pt_topic_hint(c->asker, name).text);
    }
    if (code && code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
        return pt_kafka_failed(code, &c->options->client, &c->last_error, NULL, err,
                               "topic %s on %s", name, c->options->client.brokers);
    }
    return PT_OK;
}

/* A broker that comes up while it is asked may answer without the cluster's id first, and one
 * before 0.10 tells none: so it is kept from a second asking. */
int pt_consumer_look_at_cluster(pt_consumer *c, pt_error *err) {
    PT_TRY(open_asker(c, err));
    PT_TRY(
        pt_kafka_reach(c->asker, &c->options->client, &c->last_error, c->options->timeout_us, err));
    rd_kafka_mem_free(c->asker, rd_kafka_clusterid(c->asker, 1000));
    for (size_t i = 0; i < c->options->n_topics; i++) {
        PT_TRY(look_at_topic(c, i, err));
    }
    if (c->options->n_topics) {
        PT_TRY(pt_kafka_reach_leader(c->asker, &c->options->client, &c->last_error,
                                     c->options->topics[0], c->topics[0].partitions,
                                     c->options->timeout_us, err));
    }
    PT_TRY(read_topic_ids(c, err));
    char *id = rd_kafka_clusterid(c->asker, 1000);
    (void)snprintf(c->cluster_id, sizeof c->cluster_id, "%s", id ? id : "");
    rd_kafka_mem_free(c->asker, id);
    return PT_OK;
}

const char *pt_consumer_cluster_id(const pt_consumer *consumer) {
    return consumer->cluster_id;
}

const char *pt_consumer_topic_id(const pt_consumer *consumer, size_t topic) {
    return consumer->topics[topic].id.text;
}

int32_t pt_consumer_partitions(const pt_consumer *consumer, size_t topic) {
    return consumer->topics[topic].partitions;
}
