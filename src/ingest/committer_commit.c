#include "ingest/committer_commit.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "duck/transaction.h"
#include "ingest/account.h"
#include "ingest/halving.h"
#include "lake/stage.h"

#define SUSPECT_TRIES      3 /* of a flush with suspects */
#define UNCLASSIFIED_TRIES 5 /* of a commit that fails for a reason unknown to us */
#define INLINED_TRIES      2 /* of these, with rows that should stay in the catalog */

typedef enum flush_end { COMMITTED, IN_PIECES, NOT_COMMITTED, UNKNOWN } flush_end;

static bool has_inlined(const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        if (pt_fold_keeps(&flush->slices[i])) {
            return true;
        }
    }
    return false;
}

static flush_end committed(const pt_flush *flush, const pt_error *refused) {
    if (flush->to_files) {
        pt_log(PT_LOG_WARN,
               PT_EVENT(
                   "rows that cannot stay in the catalog go to files, also those of later flushes"),
               PT_STR("error", refused->text));
    }
    return COMMITTED;
}

/* Waiting does not help. */
static flush_end refused_again(pt_committer *t, pt_flush *flush, const pt_error *why,
                               pt_error *err) {
    (void)pt_inbox_enter(&t->inbox, PT_COMMITTER_IN_PIECES, NULL);
    if (pt_halve(t, flush, why, err) == PT_HALVED_COMMITTED) {
        return IN_PIECES;
    }
    pt_monitor_fail(t->inbox.monitor, err);
    return NOT_COMMITTED;
}

static flush_end commit_flush(pt_committer *t, pt_flush *flush, pt_error *err) {
    unsigned unclassified = 0;
    pt_error refused = {0}; /* why its rows could not stay in the catalog, if they are the reason */
    int64_t start = pt_monotonic_us();
    if (flush->n_suspects && pt_account_alone(t->routes, t->n_routes, flush, err) != PT_OK) {
        pt_monitor_fail(t->inbox.monitor, err);
        return NOT_COMMITTED;
    }
    for (unsigned attempt = 1; !pt_monitor_given_up(t->inbox.monitor); attempt++) {
        pt_outcome outcome = pt_catalog_commit(t->catalog, flush, err);
        pt_error why = *err;
        if (outcome == PT_UNKNOWN) {
            outcome = pt_committer_settle(t, flush, err);
            if (outcome == PT_UNKNOWN || outcome == PT_REFUSED) {
                pt_monitor_fail(t->inbox.monitor, err);
                return UNKNOWN;
            }
        } else if (outcome == PT_TRY_AGAIN && pt_monotonic_us() - start >= PT_BUSY_LOGGED_AFTER) {
            pt_wait_begin(&t->inbox.wait, "other writers of the catalog", err);
        }
        if (outcome == PT_COMMITTED) {
            return committed(flush, &refused);
        }
        bool tried_enough = why.code == PT_E_LAKE &&
                            ++unclassified ==
                                (flush->n_suspects ? SUSPECT_TRIES : UNCLASSIFIED_TRIES);
        if (unclassified == INLINED_TRIES && !flush->to_files && has_inlined(flush)) {
            refused = why;
            flush->to_files = true;
        }
        if (tried_enough) {
            return refused_again(t, flush, flush->to_files ? &refused : &why, err);
        }
        if (outcome == PT_REFUSED && why.code != PT_E_LAKE) {
            pt_monitor_fail(t->inbox.monitor, &why);
            return NOT_COMMITTED;
        }
        (void)pt_inbox_enter(&t->inbox, PT_COMMITTER_RETRYING, NULL);
        pt_committer_rest(t, attempt);
        (void)pt_inbox_enter(&t->inbox, PT_COMMITTER_COMMITTING, NULL);
    }
    return NOT_COMMITTED;
}

/* A job that is due now is known to be before anybody can think that nothing is left to do. */
static void done(pt_committer *t, pt_batch *batch) {
    pt_inbox_set_job_awaited(&t->inbox, pt_jobs_awaited(t->jobs, t->n_jobs));
    pt_batches_done(t->batches, batch);
}

void pt_committer_commit(pt_committer *t, pt_batch *batch) {
    pt_error err = {0};
    if (pt_failpoint("batch.lost")) {
        pt_batches_done(t->batches, batch);
        return;
    }
    (void)pt_inbox_enter(&t->inbox, PT_COMMITTER_COMMITTING, NULL);
    switch (commit_flush(t, batch->flush, &err)) {
    case COMMITTED:
        pt_committer_landed(t, batch->flush);
        if (pt_catalog_inspect(t->catalog, batch->flush, &err) != PT_OK) {
            pt_monitor_fail(t->inbox.monitor, &err);
        }
        done(t, batch);
        break;
    case IN_PIECES:
        pt_unstage(pt_catalog_session(t->catalog), batch->flush);
        done(t, batch);
        break;
    case NOT_COMMITTED:
        pt_unstage(pt_catalog_session(t->catalog), batch->flush);
        pt_batches_give_up(t->batches, batch);
        break;
    case UNKNOWN: /* the files may be the lake's: they stay */
        pt_batches_give_up(t->batches, batch);
        break;
    }
}
