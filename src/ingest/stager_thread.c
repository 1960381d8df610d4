#include "ingest/stager_thread.h"

#include <stdint.h>
#include <string.h>

#include "ingest/backoff.h"

/* What may pass by waiting: a full disk, an object store out of reach. Not a DuckDB that failed
 * inside: what this batch did to it, it does again. */
static bool may_pass(const pt_error *err) {
    return (err->code == PT_E_LAKE_DOWN || err->code == PT_E_LAKE_BUSY) &&
           !pt_error_is(err, PT_WHY_ENGINE_INVALID);
}

int pt_stager_thread_stage(pt_stager_thread *t, pt_flush *flush, pt_error *err) {
    pthread_mutex_lock(&t->turn);
    int code = pt_stage(t->stager, flush, err);
    pthread_mutex_unlock(&t->turn);
    return code;
}

void pt_stager_thread_unstage(pt_stager_thread *t, pt_flush *flush) {
    pthread_mutex_lock(&t->turn);
    pt_unstage(pt_stager_session(t->stager), flush);
    pthread_mutex_unlock(&t->turn);
}

static void rest(pt_stager_thread *t, unsigned attempt) {
    pt_monitor *m = t->batches->monitor;
    int64_t until = pt_monotonic_us() + pt_backoff_us(PT_BACKOFF_ATTEMPT, attempt);
    pthread_mutex_lock(&m->lock);
    while (!m->abandon && m->code == PT_OK && pt_monitor_wait(m, until)) {
    }
    pthread_mutex_unlock(&m->lock);
}

static int check_topics(const pt_stager_thread *t, pt_error *err) {
    return t->consumer ? pt_consumer_check_topics(t->consumer, err) : PT_OK;
}

static void stage_batch(pt_stager_thread *t, pt_batch *batch) {
    pt_monitor *m = t->batches->monitor;
    pt_error err;
    for (unsigned attempt = 1; !pt_monitor_given_up(m); attempt++) {
        if (pt_stager_thread_stage(t, batch->flush, &err) == PT_OK) {
            pt_wait_over(&t->wait);
            if (check_topics(t, &err) == PT_OK) {
                pt_inbox_commit(t->inbox, batch);
                return;
            }
        }
        if (!may_pass(&err)) {
            pt_monitor_fail(m, &err);
            break;
        }
        pt_wait_begin(&t->wait, "staging", &err);
        rest(t, attempt);
    }
    pt_stager_thread_unstage(t, batch->flush);
    pt_batches_give_up(t->batches, batch);
}

static void stage_ahead(pt_stager_thread *t, pt_batch *batch, size_t slice) {
    pt_error ignored; /* the stager stages the batch once more when it is sealed, and reports what
                         is wrong then */
    pthread_mutex_lock(&t->turn);
    int code = pt_stage_ahead(t->stager, batch->flush, slice, &ignored);
    (void)code;
    pthread_mutex_unlock(&t->turn);
    pt_batches_ahead_done(t->batches, batch);
}

static void *run(void *arg) {
    pt_stager_thread *t = arg;
    pt_batch *batch;
    size_t slice;
    while ((batch = pt_batches_next_to_stage(t->batches, &slice)) != NULL) {
        if (slice == SIZE_MAX) {
            stage_batch(t, batch);
        } else {
            stage_ahead(t, batch, slice);
        }
    }
    return NULL;
}

int pt_stager_thread_start(pt_stager_thread *t, pt_error *err) {
    t->wait = (pt_wait){.monitor = t->batches->monitor};
    (void)pthread_mutex_init(&t->turn, NULL);
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        (void)pthread_mutex_destroy(&t->turn);
        return pt_fail(err, PT_E_INTERNAL, "the stager thread cannot start");
    }
    (void)pthread_setname_np(t->thread, "stager"); /* for top -H and perf */
    return PT_OK;
}

void pt_stager_thread_join(pt_stager_thread *t) {
    (void)pthread_join(t->thread, NULL);
    (void)pthread_mutex_destroy(&t->turn);
}
