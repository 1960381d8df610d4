#include "ingest/committer.h"

#include "base/clock.h"
#include "ingest/account.h"
#include "ingest/backoff.h"
#include "lake/stage.h"

void pt_committer_release(pt_committer *t, pt_ask *ask) {
    static const pt_error none;
    for (size_t i = 0; i < ask->n; i++) {
        pt_catalog_release(t->catalog, ask->claims[i].topic, ask->claims[i].partition);
    }
    pt_inbox_answer(&t->inbox, ask, PT_OK, &none);
}

void pt_committer_rest(pt_committer *t, unsigned attempt) {
    int64_t until = pt_monotonic_us() + pt_backoff_us(PT_BACKOFF_ATTEMPT, attempt);
    pt_ask *ask;
    while (pt_inbox_rest(&t->inbox, until, &ask)) {
        pt_committer_release(t, ask);
    }
}

static pt_outcome settle_until_known(pt_committer *t, pt_flush *flush, pt_error *err) {
    pt_wait_begin(&t->inbox.wait, "catalog", err);
    for (unsigned attempt = 1; !pt_monitor_given_up(t->inbox.monitor); attempt++) {
        pt_committer_rest(t, attempt);
        pt_outcome outcome = pt_catalog_settle(t->catalog, flush, err);
        if (outcome != PT_UNKNOWN) {
            return outcome;
        }
    }
    return PT_UNKNOWN;
}

pt_outcome pt_committer_settle(pt_committer *t, pt_flush *flush, pt_error *err) {
    pt_outcome outcome = PT_UNKNOWN;
    pt_committer_state before = pt_inbox_enter(&t->inbox, PT_COMMITTER_RECOVERING, NULL);
    pt_stats_add(t->stats, PT_COUNT_RECOVERIES, 1);
    if (err->code == PT_E_LAKE) { /* the catalog gave a reason, so it may well be there */
        pt_error why;
        outcome = pt_catalog_settle(t->catalog, flush, &why);
        *err = outcome == PT_REFUSED ? why : *err;
    }
    if (outcome == PT_UNKNOWN) {
        outcome = settle_until_known(t, flush, err);
    }
    (void)pt_inbox_enter(&t->inbox, before, NULL);
    return outcome;
}

static void count(pt_committer *t, const pt_flush *flush) {
    size_t dead = pt_slice_rows(&flush->slices[flush->dead_letters]);
    uint64_t conflicts = pt_catalog_conflicts(t->catalog);
    pt_stats_add(t->stats, PT_COUNT_ROWS, (uint64_t)pt_flush_rows(flush) - dead);
    pt_stats_add(t->stats, PT_COUNT_DEAD_LETTERS, dead);
    pt_stats_add(t->stats, PT_COUNT_COMMITS, 1);
    pt_stats_add(t->stats, PT_COUNT_CONFLICTS, conflicts - t->conflicts);
    pt_stats_add(t->stats, PT_COUNT_STAGE_TIME, (uint64_t)flush->stage_us);
    pt_stats_add(t->stats, PT_COUNT_COMMIT_TIME, (uint64_t)flush->commit_us);
    t->stats->last_commit_us = pt_monotonic_us();
    t->conflicts = conflicts;
}

void pt_committer_landed(pt_committer *t, const pt_flush *flush) {
    pt_wait_over(&t->inbox.wait);
    count(t, flush);
    pt_fold_note(&t->fold, flush);
    pt_account_committed(t->routes, t->n_routes, t->consumer, flush);
}
