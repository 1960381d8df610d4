/* The thread that commits batches, claims partitions and, in between, folds. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "duck/transaction.h"
#include "ingest/halving.h"
#include "ingest/workers_internal.h"

#define SUSPECT_TRIES \
    3 /* of these, when the flush has a record that the lake has refused already */
#define UNCLASSIFIED_TRIES                                                                   \
    5                   /* attempts at a commit that fails for a reason that we cannot place \
                         */
#define INLINED_TRIES 2 /* of these, with rows that are to stay in the catalog */
#define LOOK_EVERY \
    (5 * PT_SECOND) /* at the lake, while nothing is committed: it may have gone back in time */
#define CLAIM_FOR                                                                              \
    (30 * PT_SECOND) /* far below max.poll.interval.ms: a rebalance waits for it. Then the run \
                        ends, and may begin anew */

pt_outcome pt_workers_settle(pt_workers *w, pt_flush *flush, pt_error *err) {
    if (err->code == PT_E_LAKE) { /* the catalog gave a reason, so it may well be there */
        pt_error ignored;
        pt_outcome outcome = pt_catalog_settle(w->catalog, flush, &ignored);
        if (outcome != PT_UNKNOWN) {
            *err = outcome == PT_REFUSED ? ignored : *err;
            return outcome;
        }
    }
    pt_line_pause(w->line, PT_WORKER_COMMITTER, "catalog", err);
    for (unsigned attempt = 1; !pt_line_abandoned(w->line); attempt++) {
        pt_workers_wait(w->line, attempt);
        pt_outcome outcome = pt_catalog_settle(w->catalog, flush, err);
        if (outcome != PT_UNKNOWN) {
            return outcome;
        }
    }
    return PT_UNKNOWN;
}

/* ---- commits ---- */

static void count(pt_workers *w, const pt_flush *flush) {
    pt_line *line = w->line;
    pthread_mutex_lock(&line->lock);
    size_t dead = pt_slice_rows(&flush->slices[flush->dead_letters]);
    line->counters.rows += (uint64_t)pt_flush_rows(flush) - dead;
    line->counters.dead_letters += dead;
    line->counters.commits++;
    line->counters.conflicts = pt_catalog_conflicts(w->catalog);
    line->counters.last_commit_us = pt_monotonic_us();
    line->counters.stage_us += flush->stage_us;
    line->counters.commit_us += flush->commit_us;
    pthread_mutex_unlock(&line->lock);
}

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
static flush_end refused_again(pt_workers *w, pt_flush *flush, const pt_error *why, pt_error *err) {
    if (pt_halve(w, flush, why, err) == PT_HALVED_COMMITTED) {
        return IN_PIECES;
    }
    pt_line_fail(w->line, err);
    return NOT_COMMITTED;
}

static flush_end commit_flush(pt_workers *w, pt_flush *flush, pt_error *err) {
    unsigned unclassified = 0;
    pt_error refused = {0}; /* why its rows could not stay in the catalog, if they are the reason */
    int64_t start = pt_monotonic_us();
    if (flush->n_suspects && w->alone(w->arg, flush, err) != PT_OK) {
        pt_line_fail(w->line, err);
        return NOT_COMMITTED;
    }
    for (unsigned attempt = 1; !pt_line_abandoned(w->line); attempt++) {
        pt_outcome outcome = pt_catalog_commit(w->catalog, flush, err);
        pt_error why = *err;
        if (outcome == PT_UNKNOWN) {
            outcome = pt_workers_settle(w, flush, err);
            if (outcome == PT_UNKNOWN || outcome == PT_REFUSED) {
                pt_line_fail(w->line, err);
                return UNKNOWN;
            }
        } else if (outcome == PT_TRY_AGAIN && pt_monotonic_us() - start >= PT_BUSY_LOGGED_AFTER) {
            pt_line_pause(w->line, PT_WORKER_COMMITTER, "other writers of the catalog", err);
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
            return refused_again(w, flush, flush->to_files ? &refused : &why, err);
        }
        if (outcome == PT_REFUSED && why.code != PT_E_LAKE) {
            pt_line_fail(w->line, &why);
            return NOT_COMMITTED;
        }
        pt_workers_wait(w->line, attempt);
    }
    return NOT_COMMITTED;
}

void pt_workers_landed(pt_workers *w, const pt_flush *flush) {
    pt_line_go_on(w->line, PT_WORKER_COMMITTER);
    count(w, flush);
    pt_fold_note(w, flush);
    w->committed(w->arg, flush);
}

static void commit_batch(pt_workers *w, pt_batch *batch) {
    pt_error err = {0};
    if (pt_failpoint("batch.lost")) {
        pt_line_done(w->line, batch);
        return;
    }
    switch (commit_flush(w, batch->flush, &err)) {
    case COMMITTED:
        pt_workers_landed(w, batch->flush);
        if (pt_catalog_inspect(w->catalog, batch->flush, &err) != PT_OK) {
            pt_line_fail(w->line, &err);
        }
        pt_fold_set_due(w);
        pt_line_done(w->line, batch);
        break;
    case IN_PIECES:
        pt_unstage(pt_catalog_session(w->catalog), batch->flush);
        pt_fold_set_due(w);
        pt_line_done(w->line, batch);
        break;
    case NOT_COMMITTED:
        pt_unstage(pt_catalog_session(w->catalog), batch->flush);
        pt_line_give_up(w->line, batch);
        break;
    case UNKNOWN: /* the files may be the lake's: they stay */
        pt_line_give_up(w->line, batch);
        break;
    }
}

static void answer_claim(pt_workers *w) {
    pt_line *line = w->line;
    pt_error err = {0};
    int64_t start = pt_monotonic_us();
    int code = PT_OK;
    for (unsigned attempt = 1;; attempt++) {
        const pt_claiming what = {line->claims, line->n_claims, line->starts, w->identities};
        code = pt_catalog_claim(w->catalog, &what, &err);
        if (code != PT_E_LAKE_DOWN || pt_line_abandoned(line) || pt_stop_asked() ||
            pt_monotonic_us() - start > CLAIM_FOR) {
            break;
        }
        pt_line_pause(line, PT_WORKER_COMMITTER, "catalog", &err);
        pt_backoff_sleep(attempt);
    }
    if (code == PT_OK) {
        pt_line_go_on(line, PT_WORKER_COMMITTER);
        w->identities = line->n_claims ? NULL : w->identities;
        code = w->claimed(w->arg, line->claims, line->n_claims, &err);
        pt_fold_retry(w);
        pt_fold_set_due(w);
    }
    pthread_mutex_lock(&line->lock);
    line->claim_code = code;
    line->claim_error = err;
    line->claim_state = PT_CLAIM_DONE;
    (void)pthread_cond_broadcast(&line->changed);
    pthread_mutex_unlock(&line->lock);
}

/* A connection that failed tells nothing, so the lake is attached anew, once. If the catalog is
 * still away, or does not let us in any more, that is said once; the next look tries again, and a
 * commit waits for it, or ends the run. A lock of another writer is gone by the next look. */
static void look_back(pt_workers *w) {
    pt_error err = {0};
    if (!pt_catalog_owns(w->catalog)) {
        return;
    }
    int code = pt_catalog_look_back(w->catalog, &err);
    if (code == PT_E_LAKE_DOWN) {
        code = pt_catalog_settle(w->catalog, NULL, &err) == PT_TRY_AGAIN ? PT_OK : (int)err.code;
    }
    w->busy_looks = code == PT_E_LAKE_BUSY ? w->busy_looks + 1 : 0;
    if (code == PT_E_LAKE_CHANGED || code == PT_E_FENCED || code == PT_E_RESTART) {
        pt_line_fail(w->line, &err);
    } else if (code == PT_OK) {
        pt_line_go_on(w->line, PT_WORKER_COMMITTER);
    } else if (w->busy_looks != 1) {
        pt_line_pause(w->line, PT_WORKER_COMMITTER,
                      code == PT_E_LAKE_BUSY ? "other writers of the catalog" : "catalog", &err);
    }
}

typedef enum job {
    JOB_END,
    JOB_CLAIM,
    JOB_COMMIT,
    JOB_FOLD,
    JOB_LOOK_BACK,
    JOB_LOOK /* what is due now */
} job;

/* Waits for one until `until_us` (monotonic). A claim is waited for by a rebalance, and a table
 * that is to be folded must not wait for a line that is always full. Like a fold, a look at the
 * lake must not be under way while claims are released. */
static job next_job(pt_line *line, bool fold, int64_t look_us, int64_t until_us, pt_batch **batch) {
    job next = JOB_LOOK;
    pthread_mutex_lock(&line->lock);
    while (line->claim_state != PT_CLAIM_ASKED && !line->to_commit &&
           !(line->end && line->under_way == 0) &&
           (line->hold_folds || pt_monotonic_us() < until_us)) {
        struct timespec t = pt_deadline(line->hold_folds ? pt_monotonic_us() + PT_SECOND
                                                         : until_us);
        (void)pthread_cond_timedwait(&line->changed, &line->lock, &t);
    }
    if (line->claim_state == PT_CLAIM_ASKED) {
        next = JOB_CLAIM;
    } else if (fold && !line->hold_folds && !line->abandon) {
        next = JOB_FOLD;
        line->folding = true;
    } else if (line->to_commit) {
        next = JOB_COMMIT;
        *batch = line->to_commit;
        line->to_commit = (*batch)->next;
        (*batch)->next = NULL;
    } else if (line->end && line->under_way == 0) {
        next = JOB_END;
    } else if (!line->hold_folds && !line->abandon && pt_monotonic_us() >= look_us) {
        next = JOB_LOOK_BACK;
        line->folding = true;
    }
    pthread_mutex_unlock(&line->lock);
    return next;
}

static void tend(pt_workers *w) {
    pt_upkeep what = {.kind = PT_UPKEEP_TEND};
    pt_error err;
    pt_outcome ignored = pt_catalog_upkeep(w->catalog, &what, &err);
    (void)ignored; /* the catalog logs what fails, and it is due again */
}

static bool work(pt_workers *w) {
    pt_batch *batch = NULL;
    int64_t until_us;
    size_t table = pt_fold_next(w, &until_us);
    int64_t look_us = w->looked_us + LOOK_EVERY;
    int64_t tend_us = pt_catalog_tend_at(w->catalog);
    until_us = tend_us < until_us ? tend_us : until_us;
    switch (next_job(w->line, table != SIZE_MAX, look_us, until_us < look_us ? until_us : look_us,
                     &batch)) {
    case JOB_CLAIM:
        answer_claim(w);
        w->looked_us = pt_monotonic_us();
        return true;
    case JOB_COMMIT:
        commit_batch(w, batch);
        w->looked_us = pt_monotonic_us();
        return true;
    case JOB_LOOK_BACK:
        look_back(w);
        w->looked_us = pt_monotonic_us();
        pt_line_folded(w->line);
        return true;
    case JOB_FOLD:
        pt_fold_run(w, table);
        pt_fold_set_due(w);
        pt_line_folded(w->line);
        return true;
    case JOB_LOOK: tend(w); return true;
    case JOB_END: break;
    }
    return false;
}

void *pt_committer_main(void *arg) {
    while (work(arg)) {
    }
    return NULL;
}
