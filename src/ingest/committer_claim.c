#include "ingest/committer_claim.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "ingest/backoff.h"
#include "ingest/restore.h"
#include "lake/last_record.h"

#define CLAIM_FOR (30 * PT_SECOND) /* without an answer of the catalog; then the member ends */

/* A COMMIT that came late, of a process that is dead or fenced, has landed by now or never will:
 * only now its files are missed. */
static int read_more(pt_committer *t, const pt_ask *ask, pt_error *err) {
    if (!pt_catalog_session(t->catalog)) {
        return PT_OK;
    }
    for (size_t i = 0; i < t->n_tables; i++) {
        int code = pt_restore_files(t->catalog, t->tables[i], err);
        if (code == PT_E_LAKE_DOWN &&
            t->tables[i]->way == PT_WAY_REGISTER) { /* an object store that is away; what a fold
                                      lost can wait for the next claim */
            pt_log(PT_LOG_WARN, PT_EVENT("cannot look for lost data files"),
                   PT_STR("table", t->tables[i]->label), PT_STR("error", err->text));
            code = PT_OK;
        }
        PT_TRY(code);
    }
    return pt_last_records_read(pt_catalog_session(t->catalog), t->pipeline, t->tables, t->n_tables,
                                ask->claims, ask->n, err);
}

/* The catalog is away: whether the claim waits for another attempt. */
static bool may_wait(const pt_ask *ask) {
    return !pt_stop_asked() && pt_monotonic_us() - ask->since_us <= CLAIM_FOR;
}

void pt_committer_claim(pt_committer *t, pt_ask *ask) {
    pt_error err = {0};
    const pt_claiming what = {ask->claims, ask->n, ask->starts, t->identities};
    (void)pt_inbox_enter(&t->inbox, PT_COMMITTER_CLAIMING, NULL);
    if (!ask->attempts++) {
        ask->since_us = pt_monotonic_us();
    }
    int code = pt_catalog_claim(t->catalog, &what, &err);
    if (code == PT_E_LAKE_DOWN && may_wait(ask)) {
        pt_wait_begin(&t->inbox.wait, "catalog", &err);
        pt_inbox_put_back(&t->inbox, ask,
                          pt_monotonic_us() + pt_backoff_us(PT_BACKOFF_ATTEMPT, ask->attempts));
        return;
    }
    if (code == PT_OK) {
        pt_wait_over(&t->inbox.wait);
        t->identities = ask->n ? NULL : t->identities;
        pt_stats_add(t->stats, PT_COUNT_CLAIMS, ask->n);
        code = read_more(t, ask, &err);
        pt_fold_retry(&t->fold);
    }
    /* before the reader can think that nothing is left to do */
    pt_inbox_set_job_awaited(&t->inbox, pt_jobs_awaited(t->jobs, t->n_jobs));
    pt_inbox_answer(&t->inbox, ask, code, &err);
}
