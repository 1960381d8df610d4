#include "cli/statement_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "duck/session.h"

#define PT_WATCH_TICK_NS 20000000L

struct pt_sql_watch {
    const pt_sql_watch_options *options;
    bool json; /* what goes to standard error */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    pt_session *session;
    bool running, closing;
};

/* What holds the statement may hold a lock of stdio's, too: no more than a write. */
static void give_up(const pt_sql_watch *w) {
    static const char text[] = "interrupted, and what was under way did not end by that; the "
                               "process ends, what was not committed is rolled back";
    char line[400];
    int n =
        w->json
            ? snprintf(line, sizeof line,
                       "{\"level\":\"error\",\"msg\":\"%s\",\"command\":\"%s\",\"exit_code\":%d}\n",
                       text, w->options->command, w->options->exit_code)
            : snprintf(line, sizeof line, "pintail %s: %s\n", w->options->command, text);
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)n);
    (void)ignored;
    _exit(w->options->exit_code);
}

/* Interrupts again at every tick: an interrupt that comes before DuckDB has begun the statement is
 * lost. */
static void *watch_loop(void *arg) {
    pt_sql_watch *w = arg;
    int64_t stopped = 0; /* when the signal was seen */
    (void)pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        if (!w->running) {
            (void)pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += PT_WATCH_TICK_NS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&w->changed, &w->lock, &until);
        if (w->running && w->session && w->options->cancelled()) {
            pt_session_interrupt(w->session);
        }
        if (w->running && pt_stop_asked()) {
            stopped = stopped ? stopped : pt_monotonic_us();
            if (pt_monotonic_us() - stopped > PT_WATCH_WAIT) {
                give_up(w);
            }
        }
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static int start(pt_sql_watch *w) {
    pt_cond_init(&w->changed);
    (void)pthread_mutex_init(&w->lock, NULL);
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before); /* signals go to the main thread */
    int failed = pthread_create(&w->thread, NULL, watch_loop, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

int pt_sql_watch_open(const pt_sql_watch_options *options, pt_sql_watch **out, pt_error *err) {
    pt_sql_watch *w = calloc(1, sizeof *w);
    *out = w;
    if (!w) {
        return pt_fail_nomem(err, "a thread");
    }
    w->options = options;
    w->json = pt_log_is_json();
    if (start(w) != 0) {
        free(w);
        *out = NULL;
        return pt_fail(err, PT_E_NOMEM, "a thread cannot be started; check ulimit -u");
    }
    return PT_OK;
}

static void set(pt_sql_watch *w, pt_session *session, bool running, bool closing) {
    (void)pthread_mutex_lock(&w->lock);
    w->session = session;
    w->running = running;
    w->closing = closing;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

void pt_sql_watch_begin(pt_sql_watch *watch, pt_session *session) {
    set(watch, session, true, false);
}

void pt_sql_watch_end(pt_sql_watch *watch) {
    set(watch, NULL, false, false);
}

void pt_sql_watch_close(pt_sql_watch **watch) {
    pt_sql_watch *w = *watch;
    if (w) {
        set(w, NULL, false, true);
        (void)pthread_join(w->thread, NULL);
        (void)pthread_mutex_destroy(&w->lock);
        (void)pthread_cond_destroy(&w->changed);
        free(w);
        *watch = NULL;
    }
}
