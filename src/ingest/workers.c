#include "ingest/workers_internal.h"

#include <stdlib.h>

#include "duck/transaction.h"

void pt_workers_wait(pt_line *line, unsigned attempt) {
    if (!pt_line_abandoned(line)) {
        pt_backoff_sleep(attempt);
    }
}

static void end_line(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    line->end = true;
    (void)pthread_cond_broadcast(&line->changed);
    pthread_mutex_unlock(&line->lock);
}

static int start_threads(pt_workers *w, pt_error *err) {
    if (pthread_create(&w->stager_thread, NULL, pt_stager_main, w) != 0) {
        return pt_fail(err, PT_E_INTERNAL, "the stager thread cannot start");
    }
    if (pthread_create(&w->committer_thread, NULL, pt_committer_main, w) != 0) {
        end_line(w->line);
        (void)pthread_join(w->stager_thread, NULL);
        return pt_fail(err, PT_E_INTERNAL, "the committer thread cannot start");
    }
    (void)pthread_setname_np(w->stager_thread, "stager"); /* for top -H and perf */
    (void)pthread_setname_np(w->committer_thread, "committer");
    return PT_OK;
}

static void drop_notes(pt_workers *w) {
    free(w->inlined);
    (void)pthread_mutex_destroy(&w->staging);
    w->inlined = NULL;
}

int pt_workers_start(pt_workers *w, pt_error *err) {
    (void)pthread_mutex_init(&w->staging, NULL);
    int code = pt_fold_open(w, err);
    if (code == PT_OK) {
        code = start_threads(w, err);
    }
    if (code != PT_OK) {
        drop_notes(w);
    }
    return code;
}

void pt_workers_stop(pt_workers *w) {
    end_line(w->line);
    (void)pthread_join(w->stager_thread, NULL);
    (void)pthread_join(w->committer_thread, NULL);
    drop_notes(w);
}
