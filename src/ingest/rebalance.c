#include "base/failpoint.h"
#include "base/log.h"
#include "ingest/group.h"
#include "ingest/member_internal.h"

/* librdkafka has done this by itself: it continued behind records that nobody had read, in the
 * middle or at the end of a partition. */
static void skip_ahead(pt_assigned *partitions, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t middle = partitions[i].start + (partitions[i].high - partitions[i].start) / 2;
        partitions[i].start = i % 2 ? partitions[i].high : middle;
    }
}

int pt_member_on_assigned(void *arg, pt_assigned *partitions, size_t n, pt_error *err) {
    pt_member *r = arg;
    bool done = false;
    (void)pt_failpoint("assign.before");
    if (!r->assigned_once) {
        PT_TRY(pt_group_is_ours(r, err));
    }
    int code = n ? pt_pending_claim(&r->pending, partitions, n, &done, err) : PT_OK;
    pt_reader_unverify(&r->reader);
    if (code == PT_OK && done && pt_failpoint("assign.skip")) {
        skip_ahead(partitions, n);
    }
    if (n == 0) {
        pt_log(PT_LOG_INFO, PT_EVENT("assigned"), PT_INT("partitions", n));
    }
    r->assigned_once = true;
    (void)pt_failpoint("assign.after");
    return code;
}

/* Commits what is buffered; false: not within the time that the group allows. */
static bool flush(pt_member *r) {
    pt_error err;
    int64_t most = pt_consumer_poll_interval_us(&r->options->consumer.client) / 2;
    return pt_reader_seal(&r->reader, true, &err) == PT_OK &&
           pt_batches_drain(&r->batches, r->options->stop_timeout_us < most
                                             ? r->options->stop_timeout_us
                                             : most);
}

static void give_up(pt_member *r, bool lost) {
    pt_error err = {0};
    r->lost = true;
    pt_reader_drop(&r->reader);
    int ignored =
        pt_fail(&err, PT_E_FENCED,
                "partitions were %s before their rows were committed; going on from the lake",
                lost ? "lost" : "revoked");
    (void)ignored;
    pt_monitor_fail(&r->monitor, &err);
}

/* Commits the open batch before the partitions go; drops it if they are lost already. It has
 * nothing of partitions whose claim is pending. */
void pt_member_on_revoked(void *arg, const pt_assigned *partitions, size_t n, bool lost) {
    pt_member *r = arg;
    (void)pt_failpoint("revoke.before");
    bool unread = partitions && pt_pending_revoke(&r->pending, partitions, n) == n;
    bool flushed = !lost && (unread || (!r->gave_up && flush(r)));
    if (!flushed) {
        give_up(r, lost);
    }
    (void)pt_failpoint("revoke.drained");
    pt_reader_unverify(&r->reader);
    for (size_t i = 0; i < n; i++) {
        pt_partition *p = pt_reader_partition(&r->reader, partitions[i].topic,
                                              partitions[i].partition);
        if (p) {
            p->assigned = false;
        }
    }
    if (flushed && !unread) {
        pt_pending_release(&r->pending, partitions, n);
    }
    if (partitions) { /* else all of them go, and the member's end logs why */
        pt_log(PT_LOG_INFO, PT_EVENT(lost ? "lost" : "revoked"), PT_INT("partitions", n));
    }
}
