/* What the broker knows of the topics: offsets, ids, partitions. */
#include "kafka/consumer_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/signals.h"

#define BOUNDS_TIMEOUT_MS  10000
#define IDS_TIMEOUT_MS     5000
#define NEW_PARTITION_WAIT (5 * PT_SECOND)
#define CHECK_TIMEOUT_MS   2000

/* A partition that was added just now is assigned by the group's leader, who knows it, before the
 * asker and every broker do. */
int pt_consumer_bounds(pt_consumer *c, const char *topic, int32_t partition, int64_t *low,
                       int64_t *high, pt_error *err) {
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(c->asker, topic, partition, low,
                                                                high, BOUNDS_TIMEOUT_MS);
    for (int64_t until = pt_monotonic_us() + NEW_PARTITION_WAIT;
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && pt_monotonic_us() < until;) {
        int32_t ignored; /* the asker knows the partitions of now, then */
        (void)pt_cluster_ask(&c->cluster, topic, &(pt_asking){.deadline_us = until}, &ignored);
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

static int open_asker(pt_consumer *c, pt_error *err) {
    rd_kafka_conf_t *conf = NULL;
    PT_TRY(pt_kafka_conf_new(&c->options->client, &c->last_error, &conf, err));
    int code = pt_kafka_conf_properties(conf, &c->options->client, err);
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    PT_TRY(pt_kafka_new(RD_KAFKA_CONSUMER, conf, &c->asker,
                        err)); /* in no group; a producer would make a topic that is missing */
    c->cluster = (pt_cluster){c->asker, &c->options->client, &c->last_error};
    return PT_OK;
}

int pt_consumer_check_topics(const pt_consumer *c, pt_error *err) {
    pt_topic_id *now = calloc(c->options->n_topics, sizeof *now);
    if (!now) {
        return pt_fail_nomem(err, "topic ids");
    }
    int code = PT_OK;
    pt_cluster_topic_ids(&c->cluster, c->options->topics, c->options->n_topics, CHECK_TIMEOUT_MS,
                         now);
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
    pt_cluster_topic_ids(&c->cluster, c->options->topics, c->options->n_topics, IDS_TIMEOUT_MS,
                         ids);
    for (size_t i = 0; i < c->options->n_topics; i++) {
        c->topics[i].id = ids[i];
    }
    free(ids);
    return PT_OK;
}

static int look_at_topic(pt_consumer *c, size_t i, pt_error *err) {
    const char *name = c->options->topics[i];
    const pt_asking asking = {.deadline_us = pt_monotonic_us() + c->options->timeout_us};
    rd_kafka_resp_err_t code = pt_cluster_ask(&c->cluster, name, &asking, &c->topics[i].partitions);
    if (code == RD_KAFKA_RESP_ERR__INVALID_ARG) {
        return pt_fail(err, PT_E_USAGE, "topic name '%s' is not valid", name);
    }
    if (pt_cluster_unknown(code)) {
        return pt_fail(err, PT_E_KAFKA,
                       "topic %s does not exist on %s%s; make it first, or check --topic", name,
                       c->options->client.brokers, pt_cluster_hint(&c->cluster, name).text);
    }
    if (code && pt_stop_asked()) {
        return pt_fail(err, PT_E_INTERRUPTED, "stopped before a broker answered");
    }
    if (pt_kafka_no_answer(code)) {
        return pt_kafka_unreachable(c->options->client.brokers, c->options->timeout_us,
                                    &c->last_error, err);
    }
    return code && code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
               ? pt_kafka_failed(code, &c->options->client, &c->last_error, NULL, err,
                                 "topic %s on %s", name, c->options->client.brokers)
               : PT_OK;
}

int pt_consumer_look_at_cluster(pt_consumer *c, pt_error *err) {
    PT_TRY(open_asker(c, err));
    PT_TRY(pt_cluster_reach(&c->cluster, c->options->timeout_us, err));
    pt_cluster_id(&c->cluster, c->cluster_id, sizeof c->cluster_id);
    for (size_t i = 0; i < c->options->n_topics; i++) {
        PT_TRY(look_at_topic(c, i, err));
    }
    if (c->options->n_topics) {
        PT_TRY(pt_cluster_reach_leader(&c->cluster, c->options->topics[0], c->topics[0].partitions,
                                       c->options->timeout_us, err));
    }
    PT_TRY(read_topic_ids(c, err));
    pt_cluster_id(&c->cluster, c->cluster_id, sizeof c->cluster_id);
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
