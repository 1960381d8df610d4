/* The thread that writes batches to files. */
#include <stdint.h>
#include <string.h>

#include "ingest/workers_internal.h"

/* What may pass by waiting: a full disk, an object store out of reach. Not a DuckDB that failed
 * inside: what this batch did to it, it does again. */
static bool may_pass(const pt_error *err) {
    return (err->code == PT_E_LAKE_DOWN || err->code == PT_E_LAKE_BUSY) &&
           !pt_error_is(err, PT_WHY_ENGINE_INVALID);
}

static void stage_batch(pt_workers *w, pt_batch *batch) {
    pt_error err;
    for (unsigned attempt = 1; !pt_line_abandoned(w->line); attempt++) {
        pthread_mutex_lock(&w->staging);
        int staged = pt_stage(w->stager, batch->flush, &err);
        pthread_mutex_unlock(&w->staging);
        if (staged == PT_OK) {
            pt_line_go_on(w->line, PT_WORKER_STAGER);
            if (w->checked(w->arg, &err) == PT_OK) {
                pt_line_staged(w->line, batch);
                return;
            }
        }
        if (!may_pass(&err)) {
            pt_line_fail(w->line, &err);
            break;
        }
        pt_line_pause(w->line, PT_WORKER_STAGER, "staging", &err);
        pt_workers_wait(w->line, attempt);
    }
    pthread_mutex_lock(&w->staging);
    pt_unstage(pt_stager_session(w->stager), batch->flush);
    pthread_mutex_unlock(&w->staging);
    pt_line_give_up(w->line, batch);
}

void *pt_stager_main(void *arg) {
    pt_workers *w = arg;
    pt_batch *batch;
    size_t slice;
    while ((batch = pt_line_next_to_stage(w->line, &slice)) != NULL) {
        if (slice == SIZE_MAX) {
            stage_batch(w, batch);
        } else {
            pt_error err;
            pthread_mutex_lock(&w->staging);
            int ignored = pt_stage_ahead(w->stager, batch->flush, slice, &err);
            pthread_mutex_unlock(&w->staging);
            (void)ignored; /* once it is sealed, it is staged as any other, and that says what is
                              wrong */
            pt_line_ahead_done(w->line, batch);
        }
    }
    return NULL;
}
