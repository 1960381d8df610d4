#include "ingest/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "ingest/first_start.h"
#include "ingest/start.h"
#include "ingest/verify.h"

#define CLAIM_WAIT  (5 * PT_SECOND) /* in a rebalance */
#define START_POLLS 200             /* until librdkafka has begun with an assigned partition */

/* Far below what the group allows. */
static int64_t claim_wait(const pt_pendings *l) {
    int64_t interval = pt_consumer_poll_interval_us(&l->reader->options->consumer.client);
    return pt_rule_broken("claim-in-rebalance") ? 0
           : interval / 4 < CLAIM_WAIT          ? interval / 4
                                                : CLAIM_WAIT;
}

/* ---- the list ---- */

static void free_one(pt_pending *p) {
    if (p) {
        free(p->ask.claims);
        free(p->partitions);
        free(p->gone);
        pt_first_start_free(&p->starts);
        free(p);
    }
}

static void append(pt_pendings *l, pt_pending *p) {
    pt_pending **at = &l->first;
    while (*at) {
        at = &(*at)->next;
    }
    *at = p;
}

static void unlink_one(pt_pendings *l, const pt_pending *p) {
    pt_pending **at = &l->first;
    while (*at != p) {
        at = &(*at)->next;
    }
    *at = p->next;
}

/* Topic names of librdkafka's do not outlive the callback: the routes' do. */
static const char *topic_of(pt_pendings *l, const char *topic) {
    const pt_route *route = pt_reader_route(l->reader, topic);
    return route ? route->topic : "";
}

static pt_pending *new_one(pt_pendings *l, pt_ask_kind kind, const pt_assigned *partitions,
                           size_t n) {
    pt_pending *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    p->ask = (pt_ask){.kind = kind, .n = n, .claims = calloc(n + 1, sizeof *p->ask.claims)};
    p->partitions = calloc(n + 1, sizeof *p->partitions);
    p->gone = calloc(n + 1, sizeof *p->gone);
    if (!p->ask.claims || !p->partitions || !p->gone) {
        free_one(p);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        p->partitions[i] = partitions[i];
        p->partitions[i].topic = topic_of(l, partitions[i].topic);
        p->ask.claims[i] = (pt_claim){.topic = p->partitions[i].topic,
                                      .partition = partitions[i].partition,
                                      .next_offset = -1};
    }
    return p;
}

/* ---- the claim's end ---- */

static int take_over(pt_pendings *l, const pt_pending *p, pt_error *err) {
    for (size_t i = 0; i < p->ask.n; i++) {
        int64_t start;
        int64_t skipped_from;
        pt_assigned *a = &p->partitions[i];
        PT_TRY(pt_start_find(l->reader, a, &p->ask.claims[i], &start, &skipped_from, err));
        pt_partition *partition = pt_reader_partition(l->reader, a->topic, a->partition);
        if (!partition) {
            return pt_fail_nomem(err, "a partition");
        }
        partition->next = partition->sealed = partition->position = start;
        pt_verify_begin(partition, &p->ask.claims[i], a);
        partition->rows = partition->dead_letters = 0;
        partition->skipped_from = skipped_from;
    }
    return PT_OK;
}

/* From here on records of the partitions are taken. */
static void begin(pt_pendings *l, const pt_pending *p) {
    for (size_t i = 0; i < p->ask.n; i++) {
        const pt_assigned *a = &p->partitions[i];
        pt_partition *partition = pt_reader_partition(l->reader, a->topic, a->partition);
        partition->assigned = true; /* it is there since take_over */
        l->reader->jumped |= partition->skipped_from >= 0;
    }
    pt_reader_unverify(l->reader);
    pt_log(PT_LOG_INFO, PT_EVENT("assigned"), PT_INT("partitions", p->ask.n));
}

/* The ask is done. */
static int finish_claim(pt_pendings *l, pt_pending *p, pt_error *err) {
    if (p->ask.code != PT_OK) {
        *err = p->ask.err;
        return p->ask.code;
    }
    pt_first_start_settle(l->reader, p->partitions, p->ask.n);
    PT_TRY(pt_consumer_read_bounds(l->consumer, p->partitions, p->ask.n, err));
    PT_TRY(take_over(l, p, err));
    p->claimed = true;
    return PT_OK;
}

/* ---- in a rebalance ---- */

static int ask(pt_pendings *l, pt_pending *p, pt_error *err) {
    int code = pt_first_start_find(l->reader, l->consumer, p->partitions, p->ask.n, err);
    p->starts = l->reader->starts;
    l->reader->starts = (pt_ledger_starts){0};
    p->ask.starts = &p->starts;
    append(l, p);
    if (code == PT_OK) {
        pt_inbox_ask(l->inbox, &p->ask);
    }
    return code;
}

int pt_pending_claim(pt_pendings *l, pt_assigned *partitions, size_t n, bool *done, pt_error *err) {
    pt_pending *p = new_one(l, PT_ASK_CLAIM, partitions, n);
    *done = false;
    if (!p) {
        return pt_fail_nomem(err, "claims");
    }
    PT_TRY(ask(l, p, err));
    *done = pt_inbox_await(l->inbox, &p->ask, claim_wait(l));
    for (size_t i = 0; !*done && i < n; i++) {
        partitions[i].start = PT_START_LATER;
    }
    if (!*done) {
        pt_stats_add(l->stats, PT_COUNT_CLAIMS_LATE, n);
        return PT_OK;
    }
    PT_TRY(finish_claim(l, p, err));
    for (size_t i = 0; i < n; i++) {
        partitions[i].start = p->partitions[i].start;
        partitions[i].epoch = p->partitions[i].epoch;
        partitions[i].low = p->partitions[i].low;
        partitions[i].high = p->partitions[i].high;
    }
    begin(l, p);
    unlink_one(l, p);
    free_one(p);
    return PT_OK;
}

static bool is_among(const pt_assigned *partitions, size_t n, const pt_assigned *one) {
    for (size_t i = 0; i < n; i++) {
        if (partitions[i].partition == one->partition &&
            strcmp(partitions[i].topic, one->topic) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes out what is gone. The committer does not use the claim now. */
static void compact(pt_pending *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->ask.n; i++) {
        if (!p->gone[i]) {
            p->ask.claims[n] = p->ask.claims[i];
            p->partitions[n++] = p->partitions[i];
        }
    }
    p->ask.n = n;
    memset(p->gone, 0, n * sizeof *p->gone);
}

static size_t count_gone(const pt_pending *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->ask.n; i++) {
        n += p->gone[i];
    }
    return n;
}

static void ask_again(pt_pendings *l, pt_pending *p) {
    if (p->ask.n) {
        pt_inbox_ask(l->inbox, &p->ask);
    }
}

/* Whether this member was given the partition again meanwhile, by a claim that is under way or
 * done: then that one's epoch counts, and a release would take it. One that has not begun is
 * withdrawn, so that the release comes first. */
static bool is_claimed_again(pt_pendings *l, const pt_pending *p, const pt_assigned *one) {
    const pt_partition *now = pt_reader_partition(l->reader, one->topic, one->partition);
    bool again = now && now->assigned;
    for (pt_pending *later = p->next; later && !again; later = later->next) {
        bool same = later->ask.kind == PT_ASK_CLAIM && !later->withdrawn &&
                    is_among(later->partitions, later->ask.n, one);
        later->withdrawn |= same && pt_inbox_withdraw(l->inbox, &later->ask);
        again = same && !later->withdrawn;
    }
    return again;
}

/* The claim is done: it gives back what is gone. */
static void give_back(pt_pendings *l, pt_pending *p) {
    pt_assigned *back = calloc(p->ask.n, sizeof *back);
    size_t n = 0;
    for (size_t i = 0; back && i < p->ask.n; i++) {
        if (p->gone[i] && !is_claimed_again(l, p, &p->partitions[i])) {
            back[n++] = p->partitions[i];
        }
    }
    compact(p);
    pt_pending_release(l, back, n);
    free(back);
    for (pt_pending *later = p->next; later; later = later->next) {
        if (later->withdrawn) {
            later->withdrawn = false;
            ask_again(l, later);
        }
    }
}

/* Some of its partitions are gone: a claim that has not begun is asked for without them, one that
 * is done gives them back. One that is under way is looked at again. */
static void tidy(pt_pendings *l, pt_pending *p) {
    if (count_gone(p) == 0) {
        return;
    }
    if (pt_inbox_withdraw(l->inbox, &p->ask)) {
        compact(p);
        ask_again(l, p);
    } else if (pt_inbox_await(l->inbox, &p->ask, 0)) {
        give_back(l, p);
    }
}

size_t pt_pending_revoke(pt_pendings *l, const pt_assigned *partitions, size_t n) {
    size_t found = 0;
    for (pt_pending *p = l->first, *next; p; p = next) {
        next = p->next;
        if (p->ask.kind == PT_ASK_RELEASE) {
            continue;
        }
        size_t before = count_gone(p);
        for (size_t i = 0; i < p->ask.n; i++) {
            p->gone[i] |= is_among(partitions, n, &p->partitions[i]);
        }
        found += count_gone(p) - before;
        if (count_gone(p) > 0) { /* one that is under way should not fence whoever has them next */
            pt_inbox_await_taken(l->inbox, &p->ask, claim_wait(l));
            tidy(l, p);
        }
        if (p->ask.n == 0) {
            unlink_one(l, p);
            free_one(p);
        }
    }
    return found;
}

void pt_pending_release(pt_pendings *l, const pt_assigned *partitions, size_t n) {
    pt_pending *p = n ? new_one(l, PT_ASK_RELEASE, partitions, n) : NULL;
    if (!p) { /* without memory they are kept, and the next look finds them fenced */
        return;
    }
    append(l, p);
    pt_inbox_ask(l->inbox, &p->ask);
    if (pt_inbox_await(l->inbox, &p->ask, claim_wait(l))) {
        unlink_one(l, p);
        free_one(p);
    }
}

/* ---- in the read loop ---- */

/* *over: nothing is left to do for it. */
static int finish_one(pt_pendings *l, pt_pending *p, bool *over, pt_error *err) {
    tidy(l, p);
    *over = p->ask.n == 0;
    if (*over || !pt_inbox_await(l->inbox, &p->ask, 0)) {
        return PT_OK;
    }
    if (p->ask.kind == PT_ASK_RELEASE) {
        *over = true;
        return PT_OK;
    }
    if (!p->claimed) {
        PT_TRY(finish_claim(l, p, err));
    }
    int code = pt_consumer_start(l->consumer, p->partitions, p->ask.n, err);
    if (code == PT_E_KAFKA_DOWN && ++p->tries < START_POLLS) {
        return PT_OK;
    }
    PT_TRY(code);
    begin(l, p);
    *over = true;
    return PT_OK;
}

int pt_pending_finish(pt_pendings *l, pt_error *err) {
    for (pt_pending *p = l->first, *next; p; p = next) {
        bool over;
        PT_TRY(finish_one(l, p, &over, err));
        next = p->next;
        if (over) {
            unlink_one(l, p);
            free_one(p);
        }
    }
    return PT_OK;
}

/* ---- the end ---- */

void pt_pending_withdraw(pt_pendings *l) {
    for (pt_pending *p = l->first; p; p = p->next) {
        (void)pt_inbox_withdraw(l->inbox, &p->ask);
    }
}

void pt_pending_free(pt_pendings *l) {
    while (l->first) {
        pt_pending *p = l->first;
        l->first = p->next;
        free_one(p);
    }
}
