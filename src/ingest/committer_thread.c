#include "ingest/committer_thread.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/committer_claim.h"
#include "ingest/committer_commit.h"
#include "ingest/fold.h"
#include "ingest/stats.h"

#define LOOK_EVERY (5 * PT_SECOND) /* at the lake, while nothing is committed */

/* ---- jobs ---- */

static int64_t look_due(void *arg) {
    const pt_committer *t = arg;
    return pt_catalog_owns(t->catalog) ? t->looked_us + LOOK_EVERY : INT64_MAX;
}

/* While we commit nothing the lake may go back in time, or another process may take over. A failed
 * connection proves neither, so the job attaches the lake again, once. It logs once that the
 * catalog is away or does not let us in. The next look tries again; a commit waits for the catalog
 * or ends the member. A lock of another writer is gone by the next look. */
static pt_outcome look_back(void *arg, pt_error *err) {
    pt_committer *t = arg;
    int code = pt_catalog_look_back(t->catalog, err);
    if (code == PT_E_LAKE_DOWN) {
        code = pt_catalog_settle(t->catalog, NULL, err) == PT_TRY_AGAIN ? PT_OK : (int)err->code;
    }
    t->looked_us = pt_monotonic_us();
    t->busy_looks = code == PT_E_LAKE_BUSY ? t->busy_looks + 1 : 0;
    if (code == PT_E_LAKE_CHANGED || code == PT_E_FENCED || code == PT_E_RESTART) {
        return PT_REFUSED;
    }
    if (code == PT_OK) {
        pt_wait_over(&t->inbox.wait);
    } else if (t->busy_looks != 1) {
        pt_wait_begin(&t->inbox.wait,
                      code == PT_E_LAKE_BUSY ? "other writers of the catalog" : "catalog", err);
    }
    return code == PT_OK ? PT_COMMITTED : PT_TRY_AGAIN;
}

static int64_t tend_due(void *arg) {
    const pt_committer *t = arg;
    return pt_catalog_tend_at(t->catalog);
}

static pt_outcome tend(void *arg, pt_error *err) {
    pt_committer *t = arg;
    pt_upkeep what = {.kind = PT_UPKEEP_TEND};
    pt_outcome ignored = pt_catalog_upkeep(t->catalog, &what, err);
    (void)ignored; /* the catalog logs what fails, and it is due again */
    return PT_COMMITTED;
}

int pt_committer_jobs(pt_committer *t, int64_t fold_interval_us, pt_error *err) {
    t->fold = (pt_fold){.catalog = t->catalog,
                        .tables = t->tables,
                        .n_tables = t->n_tables,
                        .interval_us = fold_interval_us};
    t->jobs[t->n_jobs++] = pt_fold_job(&t->fold);
    t->jobs[t->n_jobs++] =
        (pt_job){.name = "looking back", .due = look_due, .run = look_back, .arg = t};
    t->jobs[t->n_jobs++] =
        (pt_job){.name = "tending files", .due = tend_due, .run = tend, .arg = t};
    return pt_fold_open(&t->fold, err);
}

static void run_job(pt_committer *t, const pt_job *job) {
    pt_error err = {0};
    (void)pt_inbox_enter(&t->inbox, PT_COMMITTER_AT_A_JOB, job->name);
    pt_stats_add(t->stats, PT_COUNT_JOBS, 1);
    pt_outcome outcome = job->run(job->arg, &err);
    if (outcome == PT_UNKNOWN && pt_committer_settle(t, NULL, &err) == PT_TRY_AGAIN) {
        pt_wait_over(&t->inbox.wait);
        job->settle(job->arg);
    } else if (outcome == PT_UNKNOWN || outcome == PT_REFUSED) {
        pt_monitor_fail(t->inbox.monitor, &err);
    }
}

/* ---- the loop ---- */

static bool work(pt_committer *t) {
    pt_ask *ask = NULL;
    pt_batch *batch = NULL;
    int64_t due_us;
    const pt_job *job = pt_jobs_first(t->jobs, t->n_jobs, &due_us);
    switch (pt_inbox_next(&t->inbox, due_us, &ask, &batch)) {
    case PT_NEXT_ASK:
        if (ask->kind == PT_ASK_RELEASE) {
            pt_committer_release(t, ask);
            break;
        }
        pt_committer_claim(t, ask);
        t->looked_us = pt_monotonic_us();
        break;
    case PT_NEXT_JOB: run_job(t, job); break;
    case PT_NEXT_BATCH:
        pt_committer_commit(t, batch);
        t->looked_us = pt_monotonic_us();
        break;
    case PT_NEXT_END: return false;
    }
    pt_inbox_set_job_awaited(&t->inbox, pt_jobs_awaited(t->jobs, t->n_jobs));
    return true;
}

static void *run(void *arg) {
    while (work(arg)) {
    }
    return NULL;
}

int pt_committer_start(pt_committer *t, pt_error *err) {
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        return pt_fail(err, PT_E_INTERNAL, "the committer thread cannot start");
    }
    (void)pthread_setname_np(t->thread, "committer"); /* for top -H and perf */
    return PT_OK;
}

void pt_committer_join(pt_committer *t) {
    (void)pthread_join(t->thread, NULL);
}
