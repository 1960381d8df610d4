#include "pipeline/reset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "lake/commit.h"
#include "lake/transaction.h"

typedef struct reset_job {
    pt_committer *committer;
    pt_flush *flush;
} reset_job;

static int commit_once(void *arg, pt_error *err) {
    reset_job *job = arg;
    return pt_commit(job->committer, job->flush, err);
}

static int no_assignment(void *arg, pt_assigned *partitions, size_t n, pt_error *err) {
    (void)arg;
    (void)partitions;
    (void)n;
    return pt_fail(err, PT_E_INTERNAL, "reset joins no group");
}

static void no_revocation(void *arg, const pt_assigned *partitions, size_t n, bool lost) {
    (void)arg;
    (void)partitions;
    (void)n;
    (void)lost;
}

/* The rows of the reset: ids stay empty, so that the next start takes the topic as it finds it. */
static int make_entries(const pt_reset_options *o, pt_consumer *consumer, const pt_claim *claims, int32_t n, pt_flush *flush, pt_error *err) {
    for (int32_t i = 0; i < n; i++) {
        int32_t p = claims[i].partition;
        int64_t low;
        int64_t high;
        PT_TRY(pt_consumer_bounds(consumer, o->topic, p, &low, &high, err));
        int64_t to = o->to == -1 ? low : o->to == -2 ? high : o->to;
        if (to < low || to > high) {
            return pt_fail(err, PT_E_USAGE, "--to %" PRId64 ": partition %" PRId32 " has offsets %" PRId64 " to %" PRId64, to, p, low, high);
        }
        pt_ledger_entry *e = pt_flush_add_entry(flush);
        if (!e) {
            return pt_fail_nomem(err, "the ledger rows of a reset");
        }
        e->topic = o->topic;
        e->partition = p;
        e->kind = "reset";
        e->from_offset = claims[i].next_offset >= 0 ? claims[i].next_offset : to;
        e->next_offset = to;
    }
    return PT_OK;
}

static int reset_with(const pt_reset_options *o, pt_consumer *consumer, pt_committer *committer, pt_flush *flush, pt_reset_report report, void *arg,
                      pt_error *err) {
    int32_t all = pt_consumer_partitions(consumer, 0);
    if (o->partition >= all) {
        return pt_fail(err, PT_E_USAGE, "--partition %" PRId32 ": topic %s has the partitions 0 to %" PRId32, o->partition, o->topic, all - 1);
    }
    int32_t n = o->partition < 0 ? all : 1;
    pt_claim *claims = calloc((size_t)n + 1, sizeof *claims);
    if (!claims) {
        return pt_fail_nomem(err, "claims");
    }
    for (int32_t i = 0; i < n; i++) {
        claims[i] = (pt_claim){.topic = o->topic, .partition = o->partition < 0 ? i : o->partition, .next_offset = -1};
    }
    int code = pt_committer_claim(committer, claims, (size_t)n, err);
    if (code == PT_OK) {
        code = make_entries(o, consumer, claims, n, flush, err);
    }
    if (code == PT_OK) {
        reset_job job = {committer, flush};
        code = pt_retry_busy(commit_once, &job, err);
    }
    for (int32_t i = 0; code == PT_OK && i < n; i++) {
        report(arg, claims[i].partition, claims[i].next_offset, flush->entries[i].next_offset);
    }
    free(claims);
    return code;
}

int pt_reset(const pt_reset_options *options, pt_reset_report report, void *arg, pt_error *err) {
    pt_consumer_options consumer_options = options->consumer;
    consumer_options.topics = &options->topic;
    consumer_options.n_topics = 1;
    pt_consumer_events events = {no_assignment, no_revocation, NULL};
    pt_consumer *consumer = NULL;
    pt_committer *committer = NULL;
    pt_flush *flush = NULL;
    char owner[64];
    (void)snprintf(owner, sizeof owner, "reset:%ld:%" PRId64, (long)getpid(), pt_now_us());
    int code = pt_consumer_open(&consumer_options, &events, &consumer, err);
    if (code == PT_OK) {
        code = pt_committer_open(&options->lake, options->consumer.group, owner, &committer, err);
    }
    if (code == PT_OK) {
        code = pt_flush_new(NULL, 0, &flush, err);
    }
    if (code == PT_OK) {
        code = reset_with(options, consumer, committer, flush, report, arg, err);
    }
    pt_flush_free(&flush);
    pt_committer_close(&committer);
    pt_consumer_close(&consumer);
    return code;
}
