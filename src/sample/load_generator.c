#include "sample/load_generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "kafka/topic.h"
#include "sample/orders.h"

#define BATCH 1000 /* records handed to librdkafka at once */
#define IN_FLIGHT                                                                                 \
    50000 /* records not acknowledged yet, at most: bounds memory, and more of them only miss the \
             caches */
#define PROGRESS (PT_SECOND / 5)

/* Owned by one thread; librdkafka's threads touch `trouble` only, delivery reports come in
 * rd_kafka_poll. */
typedef struct producer {
    pt_kafka_last_error
        last_error; /* first: the opaque of librdkafka's callbacks is this and the producer alike */
    const pt_generator_options *options;
    pt_generator_summary *summary;
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    pt_orders orders;
    uint64_t failed_bytes;
    rd_kafka_resp_err_t first_failure; /* of a delivery */
    int64_t started, progress_at;
    rd_kafka_message_t messages[BATCH];
    char keys[BATCH][PT_ORDER_KEY];
    char values[BATCH][PT_ORDER_MAX];
} producer;

/* The first one that says why: what is thrown away after it says nothing. */
static void note_failure(producer *p, rd_kafka_resp_err_t code) {
    bool purged = p->first_failure == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                  p->first_failure == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    p->first_failure = p->first_failure && !purged ? p->first_failure : code;
}

/* Only of failed deliveries (delivery.report.only.error). */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    producer *p = opaque;
    if (message->err) {
        p->summary->failed++;
        p->failed_bytes += message->len + message->key_len;
        note_failure(p, message->err);
    }
}

/* ---- set-up ---- */

static int configure(const producer *p, rd_kafka_conf_t *conf, pt_error *err) {
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
    return pt_kafka_conf_properties(conf, &p->options->kafka, err);
}

static int producer_open(producer *p, pt_error *err) {
    rd_kafka_conf_t *conf;
    PT_TRY(pt_kafka_conf_new(&p->options->kafka, &p->last_error, &conf, err));
    int code = configure(p, conf, err);
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    PT_TRY(pt_kafka_new(RD_KAFKA_PRODUCER, conf, &p->rk, err));
    int64_t deadline = pt_monotonic_us() + p->options->timeout_us;
    if (p->options->create) {
        PT_TRY(pt_topic_create(p->rk, &p->options->kafka, &p->last_error, p->options->topic,
                               (int)p->options->create, p->options->timeout_us, err));
    }
    PT_TRY(pt_topic_wait(p->rk, &p->options->kafka, &p->last_error, p->options->topic,
                         deadline - pt_monotonic_us(), err));
    p->rkt = rd_kafka_topic_new(p->rk, p->options->topic, NULL);
    return p->rkt ? PT_OK
                  : pt_fail(err, PT_E_KAFKA, "topic %s: %s", p->options->topic,
                            rd_kafka_err2str(rd_kafka_last_error()));
}

static void producer_close(producer *p) {
    if (p->rkt) {
        rd_kafka_topic_destroy(p->rkt);
    }
    if (p->rk) {
        (void)rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                        RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(p->rk);
    }
}

/* ---- the records ---- */

/* Whether record number n (from 0) is a broken one. */
static bool is_broken(const producer *p, uint64_t n) {
    const pt_generator_options *o = p->options;
    if (o->broken_every) {
        return (n + 1) % o->broken_every == 0;
    }
    if (p->summary->broken >= o->broken) {
        return false;
    }
    if (o->count == 0) {
        return (n + 1) % 100 == 0;
    }
    /* Spread evenly: the share of records sent so far (this one included), of all broken ones. */
    long double due = (long double)(n + 1) * (long double)o->broken / (long double)o->count;
    return (long double)(p->summary->broken + 1) <= due ||
           o->count - n <= o->broken - p->summary->broken;
}

static void make_batch(producer *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pt_broken broken = PT_BROKEN_NONE;
        if (is_broken(p, p->summary->sent + i)) {
            broken = (pt_broken)(p->summary->broken++ % PT_BROKEN_KINDS);
        }
        size_t len = pt_orders_next(&p->orders, broken, p->keys[i], p->values[i]);
        p->messages[i] = (rd_kafka_message_t){
            .payload = broken == PT_BROKEN_TOMBSTONE ? NULL : p->values[i],
            .len = len,
            .key = p->keys[i],
            .key_len = PT_ORDER_KEY,
        };
        p->summary->bytes += len + PT_ORDER_KEY;
    }
}

static int fatal_failure(producer *p, pt_error *err) {
    char ignored[8];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(p->rk, ignored, sizeof ignored);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        return pt_kafka_failed(code, &p->options->kafka, &p->last_error, NULL, err,
                               "topic %s cannot be written", p->options->topic);
    }
    char reason[sizeof p->last_error.reason + PT_KAFKA_ADVICE];
    (void)pt_kafka_last_error_read(&p->last_error, reason, sizeof reason);
    return pt_fail(err, PT_E_KAFKA, "the producer cannot go on: %s", reason);
}

/* Hands over the batch, in order; waits while the client's queue is full. */
static int send_batch(producer *p, size_t n, pt_error *err) {
    for (size_t at = 0; at < n;) {
        (void)rd_kafka_produce_batch(p->rkt, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                     p->messages + at, (int)(n - at));
        for (; at < n && p->messages[at].err != RD_KAFKA_RESP_ERR__QUEUE_FULL; at++) {
            if (p->messages[at].err) { /* refused at once: it will have no delivery report */
                p->summary->failed++;
                p->failed_bytes += p->messages[at].len + PT_ORDER_KEY;
                note_failure(p, p->messages[at].err);
            }
        }
        if (at < n) {
            (void)rd_kafka_poll(p->rk, 10);
        }
        if (pt_kafka_last_error_fatal(&p->last_error)) {
            return fatal_failure(p, err);
        }
    }
    p->summary->sent += n;
    return PT_OK;
}

static uint64_t acknowledged(const producer *p) {
    uint64_t open = (uint64_t)rd_kafka_outq_len(p->rk) + p->summary->failed;
    return p->summary->sent > open ? p->summary->sent - open : 0;
}

static void show_progress(producer *p) {
    int64_t now = pt_monotonic_us();
    if (now < p->progress_at || !pt_progress_wanted()) {
        return;
    }
    p->progress_at = now + PROGRESS;
    char line[200], of[40] = "";
    double seconds = (double)(now - p->started) / 1e6;
    if (p->options->count) {
        (void)snprintf(of, sizeof of, " of %" PRIu64, p->options->count);
    }
    (void)snprintf(line, sizeof line,
                   "%s: %" PRIu64 "%s records acknowledged, %.0f/s, %d waiting, %" PRIu64 " failed",
                   p->options->topic, acknowledged(p), of,
                   seconds > 0 ? (double)acknowledged(p) / seconds : 0, rd_kafka_outq_len(p->rk),
                   p->summary->failed);
    pt_progress(line);
}

/* How many records are due now; 0: none yet. */
static size_t due_now(const producer *p) {
    uint64_t due = BATCH;
    if (p->options->rate > 0) {
        double elapsed = (double)(pt_monotonic_us() - p->started) / 1e6;
        double until_now = elapsed * p->options->rate + 1; /* the first one at once */
        due = until_now > (double)p->summary->sent
                  ? (uint64_t)(until_now - (double)p->summary->sent)
                  : 0;
    }
    if (p->options->count && due > p->options->count - p->summary->sent) {
        due = p->options->count - p->summary->sent;
    }
    return due < BATCH ? (size_t)due : BATCH;
}

/* Until the next record is due, but at most a tenth of a second, so that a stop is seen. */
static void wait_for_due(const producer *p) {
    double due_at = (double)p->summary->sent / p->options->rate * 1e6;
    double wait = due_at - (double)(pt_monotonic_us() - p->started);
    wait = wait < 200 ? 200 : wait > 100000 ? 100000 : wait;
    pt_sleep_us((int64_t)wait);
}

static int send_all(producer *p, pt_error *err) {
    while (!pt_stop_asked() && (p->options->count == 0 || p->summary->sent < p->options->count)) {
        show_progress(p);
        (void)rd_kafka_poll(p->rk, 0);
        if (rd_kafka_outq_len(p->rk) > IN_FLIGHT) {
            (void)rd_kafka_poll(p->rk, 2);
            if (pt_kafka_last_error_fatal(&p->last_error)) {
                return fatal_failure(p, err);
            }
            continue;
        }
        size_t n = due_now(p);
        if (n == 0) {
            wait_for_due(p);
            continue;
        }
        make_batch(p, n);
        PT_TRY(send_batch(p, n, err));
    }
    return PT_OK;
}

/* Waits for the acknowledgements: after a stop for the timeout, else as long as message.timeout.ms
 * lets librdkafka try. */
static void flush(producer *p) {
    int64_t deadline = 0;
    (void)rd_kafka_flush(p->rk, 0); /* ends the lingering */
    while (rd_kafka_outq_len(p->rk) > 0 && !pt_kafka_last_error_fatal(&p->last_error)) {
        if (pt_stop_asked() && deadline == 0) {
            deadline = pt_monotonic_us() + p->options->timeout_us;
        }
        if (deadline && pt_monotonic_us() > deadline) {
            break;
        }
        show_progress(p);
        (void)rd_kafka_flush(p->rk, 100);
    }
}

static int judge(producer *p, pt_error *err) {
    pt_generator_summary *s = p->summary;
    if (s->delivered == s->sent) {
        return PT_OK;
    }
    if (pt_kafka_last_error_fatal(&p->last_error)) {
        return fatal_failure(p, err);
    }
    rd_kafka_resp_err_t why = p->first_failure ? p->first_failure : RD_KAFKA_RESP_ERR__TIMED_OUT;
    int code = pt_kafka_failed(why, &p->options->kafka, &p->last_error, NULL, err,
                               "topic %s: %" PRIu64 " of %" PRIu64 " records were not acknowledged",
                               p->options->topic, s->sent - s->delivered, s->sent);
    if (why == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
        why == RD_KAFKA_RESP_ERR__TIMED_OUT) { /* no answer in time */
        code = (int)(err->code = PT_E_KAFKA_DOWN);
    }
    return code;
}

static int produce(producer *p, pt_error *err) {
    PT_TRY(producer_open(p, err));
    uint64_t seed = p->options->seed;
    if (!p->options->seeded && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        seed = (uint64_t)pt_now_us();
    }
    pt_orders_init(&p->orders, seed, !p->options->seeded);
    p->started = pt_monotonic_us();
    int code = send_all(p, err);
    flush(p);
    pt_generator_summary *s = p->summary;
    uint64_t lost = (uint64_t)rd_kafka_outq_len(p->rk);
    s->seconds = (double)(pt_monotonic_us() - p->started) / 1e6;
    s->failed += lost;
    s->delivered = s->sent - (s->failed < s->sent ? s->failed : s->sent);
    p->failed_bytes += lost && s->sent ? s->bytes / s->sent * lost
                                       : 0; /* of those in flight only the number is known */
    s->bytes -= p->failed_bytes < s->bytes ? p->failed_bytes : s->bytes;
    pt_progress(NULL);
    return code == PT_OK ? judge(p, err) : code;
}

int pt_generator_run(const pt_generator_options *options, pt_generator_summary *summary,
                     pt_error *err) {
    *summary = (pt_generator_summary){0};
    producer *p = calloc(1, sizeof *p);
    if (!p) {
        return pt_fail_nomem(err, "the producer");
    }
    p->options = options;
    p->summary = summary;
    pt_kafka_last_error_init(&p->last_error);
    int code = produce(p, err);
    producer_close(p);
    free(p);
    return code;
}
