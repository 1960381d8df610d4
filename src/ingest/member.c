#include "ingest/member_internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ingest/first_start.h"
#include "ingest/stats.h"

static int finish_run(pt_member *r, pt_error *err) {
    PT_TRY(pt_reader_seal(&r->reader, true, err));
    int64_t until = pt_monotonic_us() + r->options->stop_timeout_us;
    if (pt_batches_drain(&r->batches, r->options->stop_timeout_us) &&
        pt_inbox_drain(&r->committer.inbox, until - pt_monotonic_us())) {
        return PT_OK;
    }
    r->gave_up = true;
    PT_TRY(pt_monitor_failed(&r->monitor, err));
    return pt_fail(err, PT_E_INTERRUPTED,
                   "the last rows could not be committed within %g s; they are not lost: the next "
                   "start reads them again",
                   (double)r->options->stop_timeout_us / 1e6);
}

static void close_run(pt_member *r, pt_member_end *end) {
    if (r->committer_started) {
        pt_reader_drop(&r->reader);
        pt_consumer_leave(r->consumer); /* calls on_revoked; the threads may still use the handle */
        pt_pending_withdraw(&r->pending);
        pt_batches_abandon(&r->batches);
    }
    pt_member_end_threads(r);
    if (r->committer_started) {
        end->left = pt_batches_left_rows(&r->batches);
        end->paused = pt_waits(&r->committer.inbox.wait) || pt_waits(&r->staging_thread.wait);
        end->committed = pt_stats_get(r->options->stats, PT_COUNT_COMMITS) > r->commits_before;
    }
    pt_pending_free(&r->pending);
    pt_consumer_close(&r->consumer);
    pt_stager_close(&r->stager);
    pt_catalog_close(&r->catalog);
    if (r->monitor_ready) {
        pt_batches_clear(&r->batches);
        pt_monitor_clear(&r->monitor);
    }
    pt_member_close_tables(r);
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        free(r->reader.routes[i].partitions);
    }
    pt_seen_clear(&r->seen);
    free(r->topics);
    free(r->group);
    free(r->reader.routes);
    pt_first_start_free(&r->reader.starts);
    free(r->identities.list);
    free(r->reader.headers);
}

int pt_member_run(const pt_ingest_options *options, const char *owner, bool resumes,
                  pt_member_end *end, pt_error *err) {
    pt_member r = {.options = options};
    *end = (pt_member_end){0};
    r.commits_before = pt_stats_get(options->stats, PT_COUNT_COMMITS);
    pt_stats_add(options->stats, PT_COUNT_MEMBERS, 1);
    pt_progress_begin(&r.progress, options->stats);
    int code = pt_member_open(&r, owner, resumes, err);
    if (code == PT_OK) {
        pt_log(PT_LOG_INFO, PT_EVENT(resumes ? "goes on" : "started"),
               PT_STR("group", r.consumer_options.group), PT_INT("topics", options->n_routes),
               PT_STR("lake", options->lake.lake));
        end->started = true;
        code = pt_member_read(&r, err);
        if (code == PT_OK || code == PT_E_DATA || code == PT_E_KAFKA ||
            code == PT_E_SOURCE) { /* commit what we have read: the broker may have deleted it by
                                      the next start */
            pt_error why = {0};
            int finished = finish_run(&r, &why);
            if (code == PT_OK && finished != PT_OK) {
                *err = why;
                code = finished;
            }
        }
        pt_progress_end(options->stats, &r.reader);
    }
    if (r.stopped && code == PT_E_INTERRUPTED) { /* as a stop a moment later would end */
        code = PT_OK;
    }
    end->assigned = r.assigned_once;
    end->lost = r.lost && code == PT_E_FENCED;
    close_run(&r, end);
    return code;
}
