#include "kafka/watermarks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/signals.h"
#include "kafka/cluster.h"

struct pt_watermarks {
    pt_kafka_last_error last_error;
    const pt_kafka_options *options; /* not owned */
    int64_t timeout_us;
    rd_kafka_t *rk;
    pt_cluster cluster;
    char cluster_id[128];
};

static int configure(rd_kafka_conf_t *conf, const pt_kafka_options *options, pt_error *err) {
    static const char *const properties[][2] = {
        {"enable.partition.eof", "true"},       {"auto.offset.reset", "error"},
        {"fetch.message.max.bytes", "65536"}, /* one record of each partition is all that is read */
        {"queued.max.messages.kbytes", "1024"}, {"fetch.queue.backoff.ms", "5"},
    };
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        PT_TRY(pt_kafka_conf_set(conf, properties[i][0], properties[i][1], err));
    }
    return pt_kafka_conf_properties(conf, options, err);
}

int pt_watermarks_open(const pt_kafka_options *options, int64_t timeout_us, pt_watermarks **out,
                       pt_error *err) {
    rd_kafka_conf_t *conf;
    pt_watermarks *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w) {
        return pt_fail_nomem(err, "the consumer");
    }
    pt_kafka_last_error_init(&w->last_error);
    w->options = options;
    w->timeout_us = timeout_us;
    int code = pt_kafka_conf_new(options, &w->last_error, &conf, err);
    if (code == PT_OK) {
        code = configure(conf, options, err);
        if (code != PT_OK) {
            rd_kafka_conf_destroy(conf);
        }
    }
    if (code == PT_OK) {
        code = pt_kafka_new(RD_KAFKA_CONSUMER, conf, &w->rk, err);
    }
    if (code == PT_OK) {
        w->cluster = (pt_cluster){w->rk, options, &w->last_error};
        code = pt_cluster_reach(&w->cluster, timeout_us, err);
    }
    if (code == PT_OK) {
        pt_cluster_id(&w->cluster, w->cluster_id, sizeof w->cluster_id);
    } else {
        pt_watermarks_close(&w);
    }
    *out = w;
    return code;
}

void pt_watermarks_close(pt_watermarks **watermarks) {
    pt_watermarks *w = *watermarks;
    if (!w) {
        return;
    }
    if (w->rk) {
        rd_kafka_destroy(w->rk);
    }
    free(w);
    *watermarks = NULL;
}

const char *pt_watermarks_cluster(const pt_watermarks *watermarks) {
    return watermarks->cluster_id;
}

int pt_watermarks_partitions(pt_watermarks *w, const char *topic, int32_t *out, pt_error *err) {
    const pt_asking asking = {.deadline_us = pt_monotonic_us() + w->timeout_us, .leaders = true};
    rd_kafka_resp_err_t code = pt_cluster_ask(&w->cluster, topic, &asking, out);
    if (pt_cluster_unknown(code)) {
        *out = 0;
        return PT_OK;
    }
    return code ? pt_kafka_failed(code, w->options, &w->last_error, NULL, err, "topic %s", topic)
                : PT_OK;
}

int pt_watermarks_offsets(pt_watermarks *w, const char *topic, int32_t partition, int64_t *low,
                          int64_t *end, pt_error *err) {
    int64_t deadline = pt_monotonic_us() + w->timeout_us;
    rd_kafka_resp_err_t code;
    do {
        code = rd_kafka_query_watermark_offsets(w->rk, topic, partition, low, end,
                                                (int)pt_ms_left(deadline) + 1);
    } while (code && pt_ms_left(deadline) > 0 && !pt_stop_asked() &&
             (pt_sleep_us(PT_SECOND / 20), true));
    if (code) {
        return pt_kafka_failed(code, w->options, &w->last_error, NULL, err,
                               "topic %s partition %" PRId32 ": its offsets cannot be read", topic,
                               partition);
    }
    return PT_OK;
}

/* ---- the oldest record that was not read ---- */

#define NOT_YET INT64_MIN

static pt_unread *find_unread(pt_unread *list, size_t n, const rd_kafka_message_t *m) {
    for (size_t i = 0; m->rkt && i < n; i++) {
        if (list[i].partition == m->partition &&
            strcmp(list[i].topic, rd_kafka_topic_name(m->rkt)) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

/* How many of the list were settled by this message: 0 or 1. */
static size_t settle(pt_unread *list, size_t n, const rd_kafka_message_t *m) {
    pt_unread *u = find_unread(list, n, m);
    if (!u || u->timestamp_us != NOT_YET) {
        return 0;
    }
    rd_kafka_timestamp_type_t type;
    int64_t ms = m->err ? -1 : rd_kafka_message_timestamp(m, &type);
    u->found = m->err ? -1 : m->offset;
    u->epoch = m->err ? -1 : rd_kafka_message_leader_epoch(m);
    u->timestamp_us = ms >= 0 ? ms * 1000 : -1;
    return 1;
}

static void read_first(pt_watermarks *w, pt_unread *list, size_t n, rd_kafka_queue_t *queue) {
    int64_t deadline = pt_monotonic_us() + w->timeout_us;
    for (size_t open = n; open > 0 && pt_ms_left(deadline) > 0 && !pt_stop_asked();) {
        (void)rd_kafka_poll(w->rk, 0);
        rd_kafka_message_t *m = rd_kafka_consume_queue(queue, 100);
        if (m) {
            open -= settle(list, n, m);
            rd_kafka_message_destroy(m);
        }
    }
}

/* Without a group: the plain consumer, so that no rights on a group are needed. */
int pt_watermarks_unread(pt_watermarks *w, pt_unread *list, size_t n, pt_error *err) {
    if (n == 0) {
        return PT_OK;
    }
    rd_kafka_topic_t **topics = calloc(n, sizeof *topics);
    if (!topics) {
        return pt_fail_nomem(err, "a list of partitions");
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(w->rk);
    int code = PT_OK;
    size_t started = 0;
    for (; code == PT_OK && started < n; started++) {
        pt_unread *u = &list[started];
        u->timestamp_us = NOT_YET;
        u->found = u->epoch = -1;
        topics[started] = rd_kafka_topic_new(w->rk, u->topic, NULL);
        if (!topics[started] ||
            rd_kafka_consume_start_queue(topics[started], u->partition, u->offset, queue) != 0) {
            code = pt_fail(err, PT_E_KAFKA, "topic %s partition %" PRId32 " cannot be read: %s",
                           u->topic, u->partition, rd_kafka_err2str(rd_kafka_last_error()));
            break;
        }
    }
    if (code == PT_OK) {
        read_first(w, list, n, queue);
    }
    for (size_t i = 0; i < n; i++) {
        if (i < started) {
            (void)rd_kafka_consume_stop(topics[i], list[i].partition);
        }
        if (topics[i]) {
            rd_kafka_topic_destroy(topics[i]);
        }
        if (list[i].timestamp_us == NOT_YET) {
            list[i].timestamp_us = -1;
        }
    }
    rd_kafka_queue_destroy(queue);
    free(topics);
    return code;
}
