#include "ingest/monitor.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

void pt_monitor_init(pt_monitor *m) {
    *m = (pt_monitor){0};
    pt_cond_init(&m->changed);
    (void)pthread_mutex_init(&m->lock, NULL);
}

void pt_monitor_clear(pt_monitor *m) {
    (void)pthread_cond_destroy(&m->changed);
    (void)pthread_mutex_destroy(&m->lock);
}

void pt_monitor_signal(pt_monitor *m) {
    (void)pthread_cond_broadcast(&m->changed);
}

bool pt_monitor_wait(pt_monitor *m, int64_t deadline_us) {
    struct timespec t = pt_deadline(deadline_us);
    return pthread_cond_timedwait(&m->changed, &m->lock, &t) == 0 ||
           pt_monotonic_us() < deadline_us;
}

void pt_monitor_fail(pt_monitor *m, const pt_error *why) {
    pthread_mutex_lock(&m->lock);
    if (m->code == PT_OK) {
        m->code = (int)why->code;
        m->why = *why;
    }
    pt_monitor_signal(m);
    pthread_mutex_unlock(&m->lock);
}

int pt_monitor_failed(pt_monitor *m, pt_error *err) {
    pthread_mutex_lock(&m->lock);
    int code = m->code;
    if (code != PT_OK) {
        *err = m->why;
    }
    pthread_mutex_unlock(&m->lock);
    return code;
}

bool pt_monitor_given_up(pt_monitor *m) {
    pthread_mutex_lock(&m->lock);
    bool given_up = m->abandon || m->code != PT_OK;
    pthread_mutex_unlock(&m->lock);
    return given_up;
}

void pt_monitor_end(pt_monitor *m) {
    pthread_mutex_lock(&m->lock);
    m->end = true;
    pt_monitor_signal(m);
    pthread_mutex_unlock(&m->lock);
}

/* Returns what was waited for before. */
static const char *change(pt_wait *wait, const char *what) {
    pthread_mutex_lock(&wait->monitor->lock);
    const char *before = wait->what;
    wait->what = what;
    pt_monitor_signal(wait->monitor);
    pthread_mutex_unlock(&wait->monitor->lock);
    return before;
}

void pt_wait_begin(pt_wait *wait, const char *what, const pt_error *why) {
    const char *before = change(wait, what);
    if (!before || strcmp(before, what) != 0) {
        pt_log(PT_LOG_WARN, PT_EVENT("paused"), PT_STR("waiting_for", what),
               PT_STR("error", why->text));
    }
}

void pt_wait_over(pt_wait *wait) {
    const char *before = change(wait, NULL);
    if (before) {
        pt_log(PT_LOG_INFO, PT_EVENT("goes on"), PT_STR("waited_for", before));
    }
}

bool pt_waits(const pt_wait *wait) {
    pthread_mutex_lock(&wait->monitor->lock);
    bool waits = wait->what != NULL;
    pthread_mutex_unlock(&wait->monitor->lock);
    return waits;
}
