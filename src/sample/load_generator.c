#include "sample/load_generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "kafka/sender.h"
#include "sample/orders.h"

#define BATCH    PT_SENDER_RECORDS
#define PROGRESS (PT_SECOND / 5)

typedef struct producer {
    const pt_generator_options *options;
    pt_generator_summary *summary;
    pt_sender *sender;
    pt_orders orders;
    int64_t started, progress_at;
    pt_record records[BATCH];
    char keys[BATCH][PT_ORDER_KEY];
    char values[BATCH][PT_ORDER_MAX];
} producer;

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
        p->records[i] = (pt_record){
            .value = broken == PT_BROKEN_TOMBSTONE ? NULL : p->values[i],
            .value_len = (uint32_t)len,
            .key = p->keys[i],
            .key_len = PT_ORDER_KEY,
        };
        p->summary->bytes += len + PT_ORDER_KEY;
    }
}

static void show_progress(void *arg) {
    producer *p = arg;
    int64_t now = pt_monotonic_us();
    if (now < p->progress_at || !pt_progress_wanted()) {
        return;
    }
    p->progress_at = now + PROGRESS;
    char line[200], of[40] = "";
    double seconds = (double)(now - p->started) / 1e6;
    const pt_sender_counts counts = pt_sender_count(p->sender);
    if (p->options->count) {
        (void)snprintf(of, sizeof of, " of %" PRIu64, p->options->count);
    }
    (void)snprintf(line, sizeof line,
                   "%s: %" PRIu64 "%s records acknowledged, %.0f/s, %" PRIu64 " waiting, %" PRIu64
                   " failed",
                   p->options->topic, counts.acknowledged, of,
                   seconds > 0 ? (double)counts.acknowledged / seconds : 0, counts.waiting,
                   counts.failed);
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
        bool ready;
        show_progress(p);
        PT_TRY(pt_sender_ready(p->sender, &ready, err));
        if (!ready) {
            continue;
        }
        size_t n = due_now(p);
        if (n == 0) {
            wait_for_due(p);
            continue;
        }
        make_batch(p, n);
        int code = pt_sender_send(p->sender, p->records, n, err);
        p->summary->sent = pt_sender_count(p->sender).sent;
        PT_TRY(code);
    }
    return PT_OK;
}

static void sum_up(producer *p) {
    pt_generator_summary *s = p->summary;
    const pt_sender_counts counts = pt_sender_count(p->sender);
    uint64_t bytes_lost = counts.failed_bytes;
    s->seconds = (double)(pt_monotonic_us() - p->started) / 1e6;
    s->failed = counts.failed + counts.waiting;
    s->delivered = s->sent - (s->failed < s->sent ? s->failed : s->sent);
    bytes_lost += counts.waiting && s->sent ? s->bytes / s->sent * counts.waiting
                                            : 0; /* of those in flight only the number is known */
    s->bytes -= bytes_lost < s->bytes ? bytes_lost : s->bytes;
}

static int produce(producer *p, pt_error *err) {
    uint64_t seed = p->options->seed;
    if (!p->options->seeded && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        seed = (uint64_t)pt_now_us();
    }
    pt_orders_init(&p->orders, seed, !p->options->seeded);
    p->started = pt_monotonic_us();
    int code = send_all(p, err);
    pt_sender_flush(p->sender, show_progress, p);
    sum_up(p);
    pt_progress(NULL);
    return code == PT_OK ? pt_sender_judge(p->sender, err) : code;
}

int pt_generator_run(const pt_generator_options *options, pt_generator_summary *summary,
                     pt_error *err) {
    const pt_sender_options to = {.kafka = options->kafka,
                                  .topic = options->topic,
                                  .partitions = (int)options->create,
                                  .timeout_us = options->timeout_us};
    *summary = (pt_generator_summary){0};
    producer *p = calloc(1, sizeof *p);
    if (!p) {
        return pt_fail_nomem(err, "the producer");
    }
    p->options = options;
    p->summary = summary;
    int code = pt_sender_open(&to, &p->sender, err);
    if (code == PT_OK) {
        code = produce(p, err);
    }
    pt_sender_close(&p->sender);
    free(p);
    return code;
}
