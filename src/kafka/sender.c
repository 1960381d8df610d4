#include "kafka/sender.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/signals.h"
#include "kafka/topic.h"

/* Records not acknowledged yet, at most: bounds memory, and more of them only miss the caches. */
#define IN_FLIGHT 50000

struct pt_sender {
    pt_kafka_last_error
        last_error; /* first: the opaque of librdkafka's callbacks is this and the sender alike */
    const pt_sender_options *options;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    uint64_t sent, failed, failed_bytes;
    rd_kafka_resp_err_t first_failure; /* of a delivery */
    rd_kafka_message_t messages[PT_SENDER_RECORDS];
};

/* The first one that says why: what is thrown away after it says nothing. */
static void note_failure(pt_sender *s, const rd_kafka_message_t *message) {
    bool purged = s->first_failure == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                  s->first_failure == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    s->first_failure = s->first_failure && !purged ? s->first_failure : message->err;
    s->failed++;
    s->failed_bytes += message->len + message->key_len;
}

/* Only of failed deliveries (delivery.report.only.error). */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    if (message->err) {
        note_failure(opaque, message);
    }
}

/* ---- open and close ---- */

static int configure(const pt_sender_options *options, rd_kafka_conf_t *conf, pt_error *err) {
    const char *const properties[][2] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"compression.codec", "lz4"},
        {"partitioner", "murmur2_random"}, /* as Java's client */
        {"delivery.report.only.error", "true"},
        {"linger.ms", "5"},
        {"batch.size", "1000000"},
        {"batch.num.messages", "100000"},
        {"queue.buffering.max.messages", "1000000"}, /* IN_FLIGHT is lower */
        {"queue.buffering.max.kbytes", "262144"},
        {"message.timeout.ms", "60000"},
    };
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        PT_TRY(pt_kafka_conf_set(conf, properties[i][0], properties[i][1], err));
    }
    return pt_kafka_conf_properties(conf, &options->kafka, err);
}

static int open_topic(pt_sender *s, pt_error *err) {
    const pt_sender_options *o = s->options;
    const pt_cluster cluster = {s->rk, &o->kafka, &s->last_error};
    int64_t deadline = pt_monotonic_us() + o->timeout_us;
    if (o->partitions) {
        PT_TRY(pt_topic_create(&cluster, o->topic, o->partitions, o->timeout_us, err));
    }
    PT_TRY(pt_topic_wait(&cluster, o->topic, deadline - pt_monotonic_us(), err));
    s->topic = rd_kafka_topic_new(s->rk, o->topic, NULL);
    return s->topic ? PT_OK
                    : pt_fail(err, PT_E_KAFKA, "topic %s: %s", o->topic,
                              rd_kafka_err2str(rd_kafka_last_error()));
}

static int open_producer(pt_sender *s, pt_error *err) {
    rd_kafka_conf_t *conf;
    PT_TRY(pt_kafka_conf_new(&s->options->kafka, &s->last_error, &conf, err));
    int code = configure(s->options, conf, err);
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    PT_TRY(pt_kafka_new(RD_KAFKA_PRODUCER, conf, &s->rk, err));
    return open_topic(s, err);
}

int pt_sender_open(const pt_sender_options *options, pt_sender **out, pt_error *err) {
    *out = NULL;
    pt_sender *s = calloc(1, sizeof *s);
    if (!s) {
        return pt_fail_nomem(err, "the producer");
    }
    s->options = options;
    pt_kafka_last_error_init(&s->last_error);
    int code = open_producer(s, err);
    if (code != PT_OK) {
        pt_sender_close(&s);
    }
    *out = s;
    return code;
}

void pt_sender_close(pt_sender **sender) {
    pt_sender *s = *sender;
    if (!s) {
        return;
    }
    if (s->topic) {
        rd_kafka_topic_destroy(s->topic);
    }
    if (s->rk) {
        (void)rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                        RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(s->rk);
    }
    free(s);
    *sender = NULL;
}

/* ---- sending ---- */

static int fatal_failure(pt_sender *s, pt_error *err) {
    char ignored[8];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(s->rk, ignored, sizeof ignored);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        return pt_kafka_failed(code, &s->options->kafka, &s->last_error, NULL, err,
                               "topic %s cannot be written", s->options->topic);
    }
    char reason[PT_KAFKA_LAST_ERROR_TEXT];
    (void)pt_kafka_last_error_read(&s->last_error, reason, sizeof reason);
    return pt_fail(err, PT_E_KAFKA, "the producer cannot go on: %s", reason);
}

int pt_sender_ready(pt_sender *s, bool *ready, pt_error *err) {
    (void)rd_kafka_poll(s->rk, 0);
    *ready = rd_kafka_outq_len(s->rk) <= IN_FLIGHT;
    if (!*ready) {
        (void)rd_kafka_poll(s->rk, 2);
        if (pt_kafka_last_error_fatal(&s->last_error)) {
            return fatal_failure(s, err);
        }
    }
    return PT_OK;
}

int pt_sender_send(pt_sender *s, const pt_record *records, size_t n, pt_error *err) {
    for (size_t i = 0; i < n; i++) {
        s->messages[i] = (rd_kafka_message_t){
            .payload = (void *)(uintptr_t)records[i].value,
            .len = records[i].value_len,
            .key = (void *)(uintptr_t)records[i].key,
            .key_len = records[i].key_len,
        };
    }
    for (size_t at = 0; at < n;) {
        (void)rd_kafka_produce_batch(s->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                     s->messages + at, (int)(n - at));
        for (; at < n && s->messages[at].err != RD_KAFKA_RESP_ERR__QUEUE_FULL; at++) {
            if (s->messages[at].err) { /* refused at once: it will have no delivery report */
                note_failure(s, &s->messages[at]);
            }
        }
        if (at < n) {
            (void)rd_kafka_poll(s->rk, 10);
        }
        if (pt_kafka_last_error_fatal(&s->last_error)) {
            return fatal_failure(s, err);
        }
    }
    s->sent += n;
    return PT_OK;
}

void pt_sender_flush(pt_sender *s, void (*waiting)(void *arg), void *arg) {
    int64_t deadline = 0;
    (void)rd_kafka_flush(s->rk, 0); /* ends the lingering */
    while (rd_kafka_outq_len(s->rk) > 0 && !pt_kafka_last_error_fatal(&s->last_error)) {
        if (pt_stop_asked() && deadline == 0) {
            deadline = pt_monotonic_us() + s->options->timeout_us;
        }
        if (deadline && pt_monotonic_us() > deadline) {
            break;
        }
        if (waiting) {
            waiting(arg);
        }
        (void)rd_kafka_flush(s->rk, 100);
    }
}

/* ---- how it stands ---- */

pt_sender_counts pt_sender_count(const pt_sender *s) {
    uint64_t waiting = (uint64_t)rd_kafka_outq_len(s->rk);
    uint64_t open = waiting + s->failed;
    return (pt_sender_counts){.sent = s->sent,
                              .acknowledged = s->sent > open ? s->sent - open : 0,
                              .failed = s->failed,
                              .waiting = waiting,
                              .failed_bytes = s->failed_bytes};
}

int pt_sender_judge(pt_sender *s, pt_error *err) {
    const pt_sender_counts counts = pt_sender_count(s);
    if (counts.acknowledged == s->sent) {
        return PT_OK;
    }
    if (pt_kafka_last_error_fatal(&s->last_error)) {
        return fatal_failure(s, err);
    }
    rd_kafka_resp_err_t why = s->first_failure ? s->first_failure : RD_KAFKA_RESP_ERR__TIMED_OUT;
    int code = pt_kafka_failed(why, &s->options->kafka, &s->last_error, NULL, err,
                               "topic %s: %" PRIu64 " of %" PRIu64 " records were not acknowledged",
                               s->options->topic, s->sent - counts.acknowledged, s->sent);
    if (why == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
        why == RD_KAFKA_RESP_ERR__TIMED_OUT) { /* no answer in time */
        code = (int)(err->code = PT_E_KAFKA_DOWN);
    }
    return code;
}
