/* Reading: what the consumer brings goes into the open batch, which is sealed when it is full or
 * old enough. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "ingest/member_internal.h"
#include "ingest/verify.h"

#define POLL_MS         50
#define UNPROVEN_POLLS  200
#define ROW_AWAITED_FOR (5 * PT_SECOND) /* for the sake of a refused record */
#define POLL_DUE_MS     5               /* the open batch is due and waits for an earlier one */
#define BLOCKED_BEFORE_PAUSE                                                       \
    (30 * PT_SECOND) /* without a poll, while all batches are under way; far below \
                        max.poll.interval.ms */

/* All batches are under way and r->messages holds what was read. Waits without polling at first;
 * then pauses the partitions and polls on, so that the group does not think that this member is
 * dead; what such a poll still brings is put behind the *n messages. */
static int wait_for_batch(pt_member *r, size_t *n, pt_error *err) {
    int64_t start = pt_monotonic_us();
    bool paused = false;
    int code = PT_OK;
    while (code == PT_OK && !r->reader.batch && !pt_stop_asked()) {
        r->reader.batch = pt_line_take_free(&r->line, PT_SECOND / 10);
        code = pt_line_failed(&r->line, err);
        pt_progress_show(&r->progress, &r->line, &r->reader, r->consumer);
        if (code == PT_OK && !r->reader.batch && pt_monotonic_us() - start > BLOCKED_BEFORE_PAUSE &&
            *n < PT_POLL_MESSAGES + PT_HELD_MESSAGES) {
            size_t more;
            pt_consumer_pause(r->consumer);
            paused = true;
            code = pt_consumer_poll(r->consumer, 100, r->messages + *n, 1, &more, err);
            *n += more;
        }
    }
    if (paused) {
        pt_consumer_resume(r->consumer);
        pt_reader_unverify(&r->reader);
    }
    return code;
}

static int take_message(pt_member *r, const rd_kafka_message_t *m, int64_t now_us, pt_error *err) {
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return pt_reader_eof(&r->reader, m, err);
    }
    int64_t end;
    int32_t epoch;
    if (m->err && pt_consumer_truncated(m, &end, &epoch)) {
        return pt_verify_cut(&r->reader, m, end, epoch, err);
    }
    if (m->err) {
        return pt_consumer_judge(r->consumer, m, err);
    }
    PT_TRY(pt_reader_take(&r->reader, m, now_us, err));
    return pt_reader_full(&r->reader) ? pt_reader_seal(&r->reader, false, err) : PT_OK;
}

/* Messages that were polled have left librdkafka's bounded queue: as many as fill their share of
 * the memory, going by the size of the last ones. */
static size_t poll_messages(const pt_member *r, size_t mean_bytes) {
    uint64_t n = r->options->memory.poll_bytes / (mean_bytes + 1);
    return n < 1 ? 1 : n > PT_POLL_MESSAGES ? PT_POLL_MESSAGES : (size_t)n;
}

/* Destroys all messages, also after a failure. When a stop is asked for while all batches are under
 * way, the rest is left for the next start; with it what tells a position (the end of a partition),
 * since that would speak of records that were left. */
static int take_messages(pt_member *r, size_t n, pt_error *err) {
    int64_t now = pt_now_us();
    bool left = false;
    int code = PT_OK;
    size_t bytes = 0;
    r->reader.polls++;
    for (size_t i = 0; i < n; i++) {
        rd_kafka_message_t *m = r->messages[i];
        bytes += m->len + m->key_len;
        if (code == PT_OK && !left && !m->err && !r->reader.batch) {
            code = wait_for_batch(r, &n, err);
            left = code == PT_OK && !r->reader.batch;
        }
        if (code == PT_OK && !left) {
            code = take_message(r, m, now, err);
        }
        rd_kafka_message_destroy(m);
    }
    if (n > 1 || n == r->poll_messages) { /* one message says little of the next ones */
        r->poll_messages = poll_messages(r, bytes / n);
    }
    return code;
}

/* A connection has ended: the broker that answers next may have another log. What came with this
 * poll is fetched again, behind a proof. */
static int prove_again(pt_member *r, uint64_t breaks, size_t *n, pt_error *err) {
    pt_place *places = NULL;
    size_t n_places = 0;
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        rd_kafka_message_t *m = r->messages[i];
        if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            r->messages[kept++] = m;
        } else {
            rd_kafka_message_destroy(m);
        }
    }
    *n = kept;
    int code = pt_verify_again(&r->reader, &places, &n_places, err);
    if (code == PT_OK && n_places) {
        code = pt_consumer_seek(r->consumer, places, n_places, err);
    }
    free(places);
    if (code == PT_E_KAFKA_DOWN &&
        ++r->unproven < UNPROVEN_POLLS) { /* fetching has not begun for a partition that was just
                                             assigned: the next poll does it */
        return PT_OK;
    }
    r->breaks = code == PT_OK ? breaks : r->breaks;
    r->unproven = 0;
    return code;
}

/* A poll returns when it has as many messages, or at the end of its time. The first of a batch is
 * not kept waiting for others: its age counts from here. */
static size_t messages_wanted(const pt_member *r) {
    return pt_reader_has_rows(&r->reader) ? r->poll_messages : 1;
}

/* Microseconds until the open batch is old enough; 0: it is. */
static int64_t time_left(const pt_member *r) {
    int64_t left = r->reader.batch->opened_us + r->options->flush_interval_us +
                   (pt_reader_awaits_row(&r->reader) ? ROW_AWAITED_FOR : 0) - pt_monotonic_us();
    return left > 0 ? left : 0;
}

/* While one batch is being committed and another waits for it, sealing a third gains nothing: the
 * open one goes on growing until it is full. So a catalog that is slow, or shared by many writers,
 * gets fewer and bigger flushes. */
static bool line_is_full(pt_member *r) {
    return pt_line_under_way(&r->line) >= PT_BATCHES - 1;
}

static bool due(pt_member *r) {
    return pt_reader_has_rows(&r->reader) && time_left(r) == 0 && !line_is_full(r);
}

/* Milliseconds that a poll may wait. */
static int poll_time(pt_member *r) {
    if (!pt_reader_has_rows(&r->reader)) {
        return POLL_MS;
    }
    int64_t left = time_left(r) / 1000;
    if (left < 1) {
        return line_is_full(r) ? POLL_DUE_MS : 1;
    }
    return left > POLL_MS ? POLL_MS : (int)left;
}

static bool reached_end(const pt_member *r) {
    if (!r->options->until_end || !r->assigned_once) {
        return false;
    }
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        for (int32_t p = 0; p < r->reader.routes[i].n_partitions; p++) {
            const pt_partition *partition = &r->reader.routes[i].partitions[p];
            if (partition->assigned && partition->position < partition->end) {
                return false;
            }
        }
    }
    return true;
}

/* They are read by those members, or by the next start: a member that was killed a moment ago holds
 * its own until the broker misses it. */
static void warn_others_read(const pt_member *r) {
    uint64_t theirs = 0;
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        for (int32_t p = 0; p < r->reader.routes[i].n_partitions; p++) {
            theirs += !r->reader.routes[i].partitions[p].assigned &&
                      r->reader.routes[i].partitions[p].end > 0;
        }
    }
    if (theirs) {
        pt_log(PT_LOG_INFO,
               PT_EVENT("partitions that other members of the group hold were left to them"),
               PT_STR("group", r->consumer_options.group), PT_INT("partitions", theirs));
    }
}

/* Once, when the group has given this member nothing for as long as a broker may take to answer: a
 * member that was killed, or does not poll, holds everybody up, or the brokers have gone after the
 * start. Either passes by itself, but nobody would know what is waited for. */
static void log_what_is_awaited(pt_member *r, int64_t since_us) {
    if (!r->assigned_once && !r->waiting_logged &&
        pt_monotonic_us() - since_us > r->options->consumer.timeout_us) {
        char why[1024];
        r->waiting_logged = true;
        if (!pt_consumer_last_error(r->consumer, why, sizeof why)) {
            (void)snprintf(why, sizeof why,
                           "it waits for a member that was killed, or does not poll");
        }
        pt_log(PT_LOG_WARN, PT_EVENT("the group has not given out its partitions yet"),
               PT_STR("group", r->consumer_options.group), PT_STR("reason", why));
    }
}

int pt_member_read(pt_member *r, pt_error *err) {
    int64_t start = pt_monotonic_us();
    while (!pt_stop_asked() && !reached_end(r)) {
        size_t n = 0;
        pt_error ignored;
        PT_TRY(pt_line_failed(&r->line, err));
        int code = pt_consumer_poll(r->consumer, poll_time(r), r->messages, messages_wanted(r), &n,
                                    err);
        (void)pt_failpoint("poll.after");
        uint64_t breaks = pt_consumer_breaks(r->consumer);
        if (code == PT_OK && breaks != r->breaks) {
            code = prove_again(r, breaks, &n, err);
        }
        int taken = take_messages(r, n, code == PT_OK ? err : &ignored);
        PT_TRY(code);
        PT_TRY(taken);
        (void)pt_failpoint("decode.after");
        if (pt_reader_has_rows(&r->reader) && pt_failpoint("batch.open")) {
            return pt_fail(err, PT_E_KAFKA_DOWN, "failpoint: no broker answers");
        }
        pt_progress_log_unfit(&r->reader);
        if (due(r) || (r->reader.jumped && !pt_reader_has_rows(&r->reader))) {
            PT_TRY(pt_reader_seal(&r->reader, r->reader.jumped, err));
        }
        pt_progress_show(&r->progress, &r->line, &r->reader, r->consumer);
        log_what_is_awaited(r, start);
    }
    if (r->options->until_end && !pt_stop_asked()) {
        warn_others_read(r);
    }
    return PT_OK;
}
