#include "ingest/watchdog.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"

#define LOOK_EVERY (PT_SECOND / 5)

static void check_statement(const pt_watchdog *w, int64_t now) {
    int64_t began = atomic_load_explicit(&w->pulse, memory_order_relaxed);
    if (began && now - began > w->statement_limit_us) {
        pt_log(PT_LOG_ERROR,
               PT_EVENT("the catalog does not answer (--commit-timeout); ending, the next start "
                        "goes on from the ledger"),
               PT_REALF("waited_seconds", (double)(now - began) / 1e6));
        _exit(PT_EXIT_AGAIN);
    }
}

/* *since: when the stop was first seen. */
static void check_stop(const pt_watchdog *w, int64_t now, int64_t *since) {
    if (!pt_stop_asked()) {
        return;
    }
    if (!*since) {
        *since = now;
    }
    if (now - *since > w->stop_limit_us) {
        pt_log(PT_LOG_ERROR,
               PT_EVENT("did not come to a stop within --stop-timeout; ending, the next start goes "
                        "on from the ledger"),
               PT_REALF("waited_seconds", (double)(now - *since) / 1e6));
        _exit(1);
    }
}

static void *watch(void *arg) {
    pt_watchdog *w = arg;
    int64_t stop_since = 0;
    pthread_mutex_lock(&w->lock);
    while (!w->end) {
        int64_t now = pt_monotonic_us();
        check_statement(w, now);
        check_stop(w, now, &stop_since);
        struct timespec t = pt_deadline(now + LOOK_EVERY);
        (void)pthread_cond_timedwait(&w->changed, &w->lock, &t);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int pt_watchdog_start(pt_watchdog *w, pt_error *err) {
    pt_cond_init(&w->changed);
    (void)pthread_mutex_init(&w->lock, NULL);
    w->end = false;
    atomic_store(&w->pulse, 0);
    if (pthread_create(&w->thread, NULL, watch, w) != 0) {
        (void)pthread_cond_destroy(&w->changed);
        (void)pthread_mutex_destroy(&w->lock);
        return pt_fail(err, PT_E_INTERNAL, "the watchdog's thread cannot start");
    }
    return PT_OK;
}

void pt_watchdog_stop(pt_watchdog *w) {
    pthread_mutex_lock(&w->lock);
    w->end = true;
    (void)pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
}
