/* The read loop: puts what the consumer brings into the open batch, and seals the batch when it is
 * full or due. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "ingest/member_internal.h"
#include "ingest/verify.h"

#define POLL_MS        50
#define UNPROVEN_POLLS 200
#define POLL_DUE_MS    5 /* the open batch is due and waits for an earlier one */
/* Without a poll, while all batches are under way; far below max.poll.interval.ms. */
#define BLOCKED_BEFORE_PAUSE (30 * PT_SECOND)

static int64_t blocked_before_pause(const pt_member *r) {
    int64_t most = pt_consumer_poll_interval_us(&r->options->consumer.client) / 4;
    return most < BLOCKED_BEFORE_PAUSE ? most : BLOCKED_BEFORE_PAUSE;
}

/* All batches are under way, and the consumer holds the records of the last poll. Waits without a
 * poll at first. Then it pauses the partitions and polls on, so that the group does not take this
 * member for dead. Records that such a poll still brings queue up behind the others. */
static int wait_for_batch(pt_member *r, pt_error *err) {
    int64_t start = pt_monotonic_us();
    bool paused = false;
    int code = PT_OK;
    while (code == PT_OK && !r->reader.batch && !pt_stop_asked()) {
        r->reader.batch = pt_batches_take_free(&r->batches, PT_SECOND / 10);
        code = pt_monitor_failed(&r->monitor, err);
        pt_progress_show(&r->progress, r->options->stats, &r->reader, r->consumer);
        if (code == PT_OK && !r->reader.batch &&
            pt_monotonic_us() - start > blocked_before_pause(r) &&
            !pt_consumer_is_full(r->consumer)) {
            pt_consumer_pause(r->consumer);
            paused = true;
            code = pt_consumer_poll(r->consumer, 100, 1, err);
        }
    }
    if (paused) {
        pt_consumer_resume(r->consumer);
        pt_reader_unverify(&r->reader);
    }
    return code;
}

/* The decoder cannot read the next record yet. Pauses the partitions and polls on, so that the
 * group does not take this member for dead. Seals what it has read before when that is due. */
static int wait_for_decoder(pt_member *r, bool *waiting, const pt_error *why, pt_error *err) {
    if (!*waiting) {
        pt_log(PT_LOG_WARN, PT_EVENT("paused"), PT_STR("waiting_for", "decoder"),
               PT_STR("error", why->text));
        pt_consumer_pause(r->consumer);
        *waiting = true;
    }
    if (pt_batches_due(&r->batches, r->reader.batch)) {
        PT_TRY(pt_reader_seal(&r->reader, false, err));
    }
    pt_progress_show(&r->progress, r->options->stats, &r->reader, r->consumer);
    if (pt_consumer_is_full(r->consumer)) {
        pt_sleep_us(PT_SECOND / 10);
        return pt_monitor_failed(&r->monitor, err);
    }
    PT_TRY(pt_consumer_poll(r->consumer, 100, 1, err));
    return pt_monitor_failed(&r->monitor, err);
}

static void resume_decoding(pt_member *r) {
    pt_consumer_resume(r->consumer);
    pt_reader_unverify(&r->reader);
    pt_log(PT_LOG_INFO, PT_EVENT("goes on"), PT_STR("waited_for", "decoder"));
}

/* *left: somebody asked for a stop while it waited for a batch or for the decoder. */
static int take_run(pt_member *r, const pt_records *run, int64_t now_us, bool *left,
                    pt_error *err) {
    bool waiting = false;
    for (size_t taken = 0; taken < run->n && !*left;) {
        pt_take_end end;
        pt_error why;
        if (!r->reader.batch) {
            PT_TRY(wait_for_batch(r, err));
        }
        *left = !r->reader.batch;
        if (*left) {
            break;
        }
        int code = pt_reader_take(&r->reader, run, &taken, now_us, &end, &why);
        if (code != PT_OK) {
            *err = why;
            return code;
        }
        if (end == PT_TAKE_NOT_NOW) {
            PT_TRY(wait_for_decoder(r, &waiting, &why, err));
            *left = pt_stop_asked();
        } else if (waiting) {
            resume_decoding(r);
            waiting = false;
        }
        if (end == PT_TAKE_FULL) {
            PT_TRY(pt_reader_seal(&r->reader, false, err));
        }
    }
    return PT_OK;
}

/* Takes all that the poll brought. The next start reads what a stop leaves. After a stop it takes
 * no end of a partition either: that position would include records that it has left. */
static int take_polled(pt_member *r, pt_error *err) {
    int64_t now = pt_now_us();
    bool left = false;
    pt_polled polled;
    r->reader.polls++;
    int code = pt_consumer_next(r->consumer, &polled, err);
    while (code == PT_OK && polled.kind != PT_POLLED_NOTHING && !left) {
        if (polled.kind == PT_POLLED_RECORDS) {
            code = take_run(r, &polled.records, now, &left, err);
        } else if (polled.kind == PT_POLLED_END) {
            code = pt_reader_end(&r->reader, &polled.records, err);
        } else {
            code = pt_verify_cut(r->reader.pipeline, &r->reader.routes[polled.records.topic],
                                 &polled, err);
        }
        if (code == PT_OK && !left) {
            code = pt_consumer_next(r->consumer, &polled, err);
        }
    }
    pt_consumer_drop(r->consumer);
    return code;
}

/* A connection has ended: the broker that answers next may have another log. Fetches the records of
 * this poll again, behind a proof. */
static int prove_again(pt_member *r, uint64_t breaks, pt_error *err) {
    pt_place *places = NULL;
    size_t n_places = 0;
    pt_consumer_drop_records(r->consumer);
    int code = pt_verify_again(r->reader.routes, r->reader.n_routes, &places, &n_places, err);
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

/* A poll returns when it has as many records, or at the end of its time; 0: as many as fit. The
 * first of a batch is not kept waiting for others: its age counts from here. */
static size_t records_wanted(const pt_member *r) {
    return pt_reader_has_rows(&r->reader) ? 0 : 1;
}

/* Milliseconds that a poll may wait. */
static int poll_time(pt_member *r) {
    if (!pt_reader_has_rows(&r->reader)) {
        return POLL_MS;
    }
    int64_t left = pt_batch_time_left(r->reader.batch, &r->batches.limits) / 1000;
    if (left < 1) {
        return pt_batches_queued(&r->batches) ? POLL_DUE_MS : 1;
    }
    return left > POLL_MS ? POLL_MS : (int)left;
}

static bool reached_end(const pt_member *r) {
    if (!r->options->until_end || !r->assigned_once || r->pending.first) {
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

/* Those members read them, or the next start does: a member that was killed a moment ago holds its
 * partitions until the broker misses it. */
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

/* Once, when the group has given this member nothing for as long as a broker may take to answer. A
 * member that was killed, or does not poll, holds everybody up, or the brokers have gone after the
 * start. Either passes by itself, but without this line nobody would know what ingest waits for. */
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
        pt_error ignored;
        PT_TRY(pt_monitor_failed(&r->monitor, err));
        int code = pt_consumer_poll(r->consumer, poll_time(r), records_wanted(r), err);
        (void)pt_failpoint("poll.after");
        uint64_t breaks = pt_consumer_breaks(r->consumer);
        if (code == PT_OK && breaks != r->breaks) {
            code = prove_again(r, breaks, err);
        }
        int taken = take_polled(r, code == PT_OK ? err : &ignored);
        PT_TRY(code);
        PT_TRY(taken);
        PT_TRY(pt_pending_finish(&r->pending, err));
        (void)pt_failpoint("decode.after");
        if (pt_reader_has_rows(&r->reader) && pt_failpoint("batch.open")) {
            return pt_fail(err, PT_E_KAFKA_DOWN, "failpoint: no broker answers");
        }
        pt_progress_log_unfit(&r->reader);
        if (pt_batches_due(&r->batches, r->reader.batch) ||
            (r->reader.jumped && !pt_reader_has_rows(&r->reader))) {
            PT_TRY(pt_reader_seal(&r->reader, r->reader.jumped, err));
        }
        pt_progress_show(&r->progress, r->options->stats, &r->reader, r->consumer);
        log_what_is_awaited(r, start);
    }
    if (r->options->until_end && !pt_stop_asked()) {
        warn_others_read(r);
    }
    return PT_OK;
}
