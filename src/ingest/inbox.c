#include "ingest/inbox.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

void pt_inbox_init(pt_inbox *in, pt_batches *batches) {
    *in = (pt_inbox){.monitor = batches->monitor,
                     .batches = batches,
                     .wait = {.monitor = batches->monitor}};
}

static void append(pt_ask **list, pt_ask *ask) {
    ask->next = NULL;
    while (*list) {
        list = &(*list)->next;
    }
    *list = ask;
}

static void remove_ask(pt_ask **list, const pt_ask *ask) {
    while (*list != ask) {
        list = &(*list)->next;
    }
    *list = ask->next;
}

/* ---- who asks ---- */

void pt_inbox_ask(pt_inbox *in, pt_ask *ask) {
    pthread_mutex_lock(&in->monitor->lock);
    ask->state = PT_ASK_QUEUED;
    append(&in->asks, ask);
    pt_monitor_signal(in->monitor);
    pthread_mutex_unlock(&in->monitor->lock);
}

/* Under the lock. A release is also served between two attempts. */
static bool is_stuck(const pt_inbox *in, const pt_ask *ask) {
    return ask->kind == PT_ASK_CLAIM && (in->wait.what || in->state == PT_COMMITTER_RECOVERING ||
                                         in->monitor->abandon || in->state == PT_COMMITTER_ENDED);
}

bool pt_inbox_await(pt_inbox *in, const pt_ask *ask, int64_t timeout_us) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&in->monitor->lock);
    while (ask->state != PT_ASK_DONE && !is_stuck(in, ask) &&
           pt_monitor_wait(in->monitor, deadline)) {
    }
    bool done = ask->state == PT_ASK_DONE;
    pthread_mutex_unlock(&in->monitor->lock);
    return done;
}

void pt_inbox_await_taken(pt_inbox *in, const pt_ask *ask, int64_t timeout_us) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&in->monitor->lock);
    while (ask->state == PT_ASK_TAKEN && pt_monitor_wait(in->monitor, deadline)) {
    }
    pthread_mutex_unlock(&in->monitor->lock);
}

bool pt_inbox_withdraw(pt_inbox *in, pt_ask *ask) {
    pthread_mutex_lock(&in->monitor->lock);
    bool queued = ask->state == PT_ASK_QUEUED;
    if (queued) {
        remove_ask(&in->asks, ask);
        ask->state = PT_ASK_NEW;
    }
    pthread_mutex_unlock(&in->monitor->lock);
    return queued;
}

void pt_inbox_commit(pt_inbox *in, pt_batch *batch) {
    pthread_mutex_lock(&in->monitor->lock);
    pt_batch_append(&in->to_commit, batch);
    pt_monitor_signal(in->monitor);
    pthread_mutex_unlock(&in->monitor->lock);
}

bool pt_inbox_drain(pt_inbox *in, int64_t timeout_us) {
    pt_monitor *m = in->monitor;
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&m->lock);
    while ((in->job || in->job_awaited) && m->code == PT_OK && pt_monitor_wait(m, deadline)) {
    }
    bool drained = !in->job && !in->job_awaited && m->code == PT_OK;
    pthread_mutex_unlock(&m->lock);
    return drained;
}

const char *pt_committer_state_name(pt_committer_state state) {
    static const char *const names[PT_COMMITTER_STATES] = {
        [PT_COMMITTER_IDLE] = "idle",
        [PT_COMMITTER_CLAIMING] = "claiming",
        [PT_COMMITTER_COMMITTING] = "committing",
        [PT_COMMITTER_IN_PIECES] = "committing in pieces",
        [PT_COMMITTER_AT_A_JOB] = "at a job",
        [PT_COMMITTER_RETRYING] = "waiting to try again",
        [PT_COMMITTER_RECOVERING] = "recovering",
        [PT_COMMITTER_ENDED] = "ended",
    };
    return names[state];
}

/* Under the lock. */
static const char *state_name(const pt_inbox *in) {
    return in->state == PT_COMMITTER_AT_A_JOB && in->job ? in->job
                                                         : pt_committer_state_name(in->state);
}

const char *pt_inbox_state_name(pt_inbox *in) {
    pthread_mutex_lock(&in->monitor->lock);
    const char *name = state_name(in);
    pthread_mutex_unlock(&in->monitor->lock);
    return name;
}

/* ---- the committer ---- */

/* Without the lock: the log may block. The committer's thread alone changes the state. */
static void log_state(const char *before, const char *now) {
    if (strcmp(before, now) != 0) {
        pt_log(PT_LOG_DEBUG, PT_EVENT("committer"), PT_STR("state", now));
    }
}

/* Under the lock: the first ask whose time has come, releases before claims. */
static pt_ask *first_ask(const pt_inbox *in, bool releases_only, int64_t now) {
    for (pt_ask *ask = in->asks; ask; ask = ask->next) {
        if (ask->kind == PT_ASK_RELEASE) {
            return ask;
        }
    }
    for (pt_ask *ask = releases_only ? NULL : in->asks; ask; ask = ask->next) {
        if (ask->not_before_us <= now) {
            return ask;
        }
    }
    return NULL;
}

/* Under the lock: when the first claim that waits is to be tried again. */
static int64_t next_claim_us(const pt_inbox *in) {
    int64_t next = INT64_MAX;
    for (const pt_ask *ask = in->asks; ask; ask = ask->next) {
        next = ask->not_before_us < next ? ask->not_before_us : next;
    }
    return next;
}

static pt_ask *take(pt_inbox *in, pt_ask *ask) {
    if (ask) {
        remove_ask(&in->asks, ask);
        ask->state = PT_ASK_TAKEN;
    }
    return ask;
}

/* Under the lock. While a claim waits for its next attempt nothing but a release is served: a
 * commit would meet the same catalog. */
static bool find_next(pt_inbox *in, int64_t job_us, pt_next *next, pt_ask **ask, pt_batch **batch) {
    const pt_monitor *m = in->monitor;
    int64_t now = pt_monotonic_us();
    if ((*ask = take(in, first_ask(in, m->abandon, now))) != NULL) {
        *next = PT_NEXT_ASK;
    } else if (in->asks && !m->abandon && !m->end) {
        return false;
    } else if (job_us <= now && !m->abandon && !m->end) {
        *next = PT_NEXT_JOB;
    } else if ((*batch = pt_batch_take_first(&in->to_commit)) != NULL) {
        *next = PT_NEXT_BATCH;
    } else if (m->end && in->batches->under_way == 0) {
        *next = PT_NEXT_END;
    } else {
        return false;
    }
    return true;
}

pt_next pt_inbox_next(pt_inbox *in, int64_t job_us, pt_ask **ask, pt_batch **batch) {
    pt_monitor *m = in->monitor;
    pt_next next;
    (void)pt_inbox_enter(in, PT_COMMITTER_IDLE, NULL);
    pthread_mutex_lock(&m->lock);
    while (!find_next(in, job_us, &next, ask, batch)) {
        int64_t until = m->abandon || m->end ? pt_monotonic_us() + PT_SECOND
                        : in->asks           ? next_claim_us(in)
                                             : job_us;
        (void)pt_monitor_wait(m, until);
    }
    pthread_mutex_unlock(&m->lock);
    if (next == PT_NEXT_END) {
        (void)pt_inbox_enter(in, PT_COMMITTER_ENDED, NULL);
    }
    return next;
}

bool pt_inbox_rest(pt_inbox *in, int64_t until_us, pt_ask **ask) {
    pt_monitor *m = in->monitor;
    pthread_mutex_lock(&m->lock);
    *ask = NULL;
    while (!m->abandon && m->code == PT_OK && !(*ask = take(in, first_ask(in, true, 0))) &&
           pt_monitor_wait(m, until_us)) {
    }
    pthread_mutex_unlock(&m->lock);
    return *ask != NULL;
}

void pt_inbox_answer(pt_inbox *in, pt_ask *ask, int code, const pt_error *err) {
    pthread_mutex_lock(&in->monitor->lock);
    ask->code = code;
    ask->err = *err;
    ask->state = PT_ASK_DONE;
    pt_monitor_signal(in->monitor);
    pthread_mutex_unlock(&in->monitor->lock);
}

void pt_inbox_put_back(pt_inbox *in, pt_ask *ask, int64_t not_before_us) {
    pthread_mutex_lock(&in->monitor->lock);
    ask->not_before_us = not_before_us;
    ask->state = PT_ASK_QUEUED;
    ask->next = in->asks;
    in->asks = ask;
    pt_monitor_signal(in->monitor);
    pthread_mutex_unlock(&in->monitor->lock);
}

pt_committer_state pt_inbox_enter(pt_inbox *in, pt_committer_state state, const char *job) {
    pthread_mutex_lock(&in->monitor->lock);
    pt_committer_state before = in->state;
    const char *name_before = state_name(in);
    in->state = state;
    if (job || state == PT_COMMITTER_IDLE) {
        in->job = job;
    }
    const char *name = state_name(in);
    if (before != state || name != name_before) {
        pt_monitor_signal(in->monitor);
    }
    pthread_mutex_unlock(&in->monitor->lock);
    log_state(name_before, name);
    return before;
}

void pt_inbox_set_job_awaited(pt_inbox *in, bool awaited) {
    pthread_mutex_lock(&in->monitor->lock);
    in->job_awaited = awaited;
    pt_monitor_signal(in->monitor);
    pthread_mutex_unlock(&in->monitor->lock);
}
