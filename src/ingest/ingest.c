#include "ingest/ingest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "ingest/backoff.h"
#include "ingest/member.h"
#include "ingest/memory.h"
#include "ingest/stats.h"
#include "ingest/tally.h"
#include "ingest/watchdog.h"

#define FENCED_WINDOW (60 * PT_SECOND)
#define FENCED_LIMIT  3
#define STOP_GRACE    (5 * PT_SECOND) /* to leave the group and close, after --stop-timeout */

/* What one member leaves to the next. */
typedef struct members {
    char owner[128]; /* of the present one */
    bool assigned;   /* one of them had partitions: from then on an outage does not end the run */
    bool lost;       /* the last one ended because partitions were lost */
    bool left;   /* one read rows that are not committed, and no later one has committed anything */
    bool paused; /* the log says "paused" */
    pt_backoff backoff;
    int64_t wait_us; /* before the next one */
    unsigned fenced; /* within the window */
    int64_t first_fenced_us;
} members;

static int run_member(const pt_ingest_options *all_options, members *m, pt_error *err) {
    pt_member_end end;
    pt_ingest_options of_this = *all_options;
    const pt_ingest_options *options = &of_this;
    of_this.lake.create &= !m->assigned; /* ingest does not make a lake again that is gone by now */
    int64_t start = pt_monotonic_us();
    int code = pt_member_run(options, m->owner, m->paused, &end, err);
    for (size_t i = 0; i < options->n_routes; i++) {
        pt_tally_settle(&options->tallies[i]);
    }
    if (code == PT_E_LAKE_CHANGED && end.committed) { /* a migration: the next ALTER comes soon */
        m->backoff = (pt_backoff){0};
    }
    m->wait_us = end.started ? pt_backoff_after(&m->backoff, pt_monotonic_us() - start)
                             : PT_SECOND; /* one that did not start has not joined the group */
    m->wait_us = code == PT_E_REFUSED ? 0 : m->wait_us; /* there is nothing to wait for */
    m->paused = end.paused || (m->paused && !end.started);
    m->assigned |= end.assigned;
    m->lost = end.lost;
    m->left = end.left || (m->left && !end.committed);
    return code;
}

static bool is_down(int code) {
    return code == PT_E_LAKE_DOWN || code == PT_E_LAKE_BUSY || code == PT_E_KAFKA_DOWN;
}

/* Whether another member makes sense after one that ended with code. */
static bool may_follow(const members *m, int code) {
    return code == PT_E_FENCED || code == PT_E_SOURCE || code == PT_E_REWOUND ||
           code == PT_E_REFUSED || code == PT_E_LAKE_CHANGED || (is_down(code) && m->assigned);
}

/* False: fenced too often. */
static bool note_fence(members *m, pt_error *err) {
    int64_t now = pt_monotonic_us();
    if (m->fenced == 0 || now - m->first_fenced_us > FENCED_WINDOW) {
        m->fenced = 0;
        m->first_fenced_us = now;
    }
    if (++m->fenced >= FENCED_LIMIT) {
        int ignored = pt_fail_in(err,
                                 "fenced %u times within a minute; is another ingest running with "
                                 "the same --group outside of Kafka's control?",
                                 m->fenced);
        (void)ignored; /* err->code stays */
        return false;
    }
    return true;
}

static void log_why(members *m, int code, const pt_error *err) {
    if (is_down(code)) {
        if (!m->paused) {
            pt_log(PT_LOG_WARN, PT_EVENT("paused"),
                   PT_STR("waiting_for", code == PT_E_KAFKA_DOWN ? "broker" : "catalog"),
                   PT_STR("error", err->text));
        }
        m->paused = true;
    } else if (code == PT_E_REFUSED) {
        pt_log(PT_LOG_WARN,
               PT_EVENT("the lake refuses a record, which becomes a dead letter where it takes "
                        "others; reading on from it"),
               PT_INT("in_seconds", m->wait_us / PT_SECOND), PT_STR("reason", err->text));
    } else if (code == PT_E_LAKE_CHANGED) {
        pt_log(PT_LOG_WARN, PT_EVENT("beginning again from what the lake is now"),
               PT_INT("in_seconds", m->wait_us / PT_SECOND), PT_STR("reason", err->text));
    } else if (code == PT_E_SOURCE ||
               code == PT_E_REWOUND) { /* the next member logs exactly what has changed, or does
                                          as --on-missing-data says */
        pt_log(PT_LOG_WARN, PT_EVENT("comparing the topic with the ledger again"),
               PT_INT("in_seconds", m->wait_us / PT_SECOND), PT_STR("reason", err->text));
    } else {
        pt_log(PT_LOG_WARN,
               PT_EVENT(m->lost ? "joining the group again" : "fenced; joining the group again"),
               PT_INT("in_seconds", m->wait_us / PT_SECOND), PT_STR("reason", err->text));
    }
}

static void wait_for_next(const members *m) {
    int64_t until = pt_monotonic_us() + m->wait_us;
    while (!pt_stop_asked() && pt_monotonic_us() < until) {
        pt_sleep_us(PT_SECOND / 20);
    }
}

/* What the last member waited for does not matter when it left nothing to flush. */
static int stopped(const members *m, int code, pt_error *err) {
    if (!m->left || code == PT_E_FENCED || is_down(code)) {
        return m->left ? code : PT_OK;
    }
    int ignored = pt_fail_in(err, "stopped before all that was read was committed; nothing is "
                                  "lost, the next start reads it again");
    (void)ignored;
    return (int)(err->code = PT_E_INTERRUPTED);
}

static int run_members(const pt_ingest_options *options, pt_error *err) {
    members m = {.assigned = false};
    char host[64] = "?";
    (void)gethostname(host, sizeof host - 1);
    for (unsigned member = 1;; member++) {
        (void)snprintf(m.owner, sizeof m.owner, "%s:%ld:%" PRId64 ":%u", host, (long)getpid(),
                       pt_now_us(), member);
        int code = run_member(options, &m, err);
        if (!may_follow(&m, code)) {
            return code;
        }
        if (pt_stop_asked()) {
            return stopped(&m, code, err);
        }
        if (code == PT_E_FENCED && !m.lost && !note_fence(&m, err)) {
            return code;
        }
        log_why(&m, code, err);
        wait_for_next(&m);
        if (pt_stop_asked() &&
            (!m.left || code != PT_E_FENCED)) { /* fenced: others have the partitions of the rows */
            return stopped(&m, code, err);
        }
    }
}

int pt_ingest(const pt_ingest_options *options, pt_error *err) {
    pt_ingest_options o = *options;
    pt_watchdog watchdog = {.statement_limit_us = o.commit_timeout_us,
                            .stop_limit_us = o.stop_timeout_us + STOP_GRACE};
    pt_stats stats = {.started_us = pt_monotonic_us()};
    o.lake.pulse = &watchdog.pulse;
    o.stats = &stats;
    o.tallies = calloc(o.n_routes + 1, sizeof *o.tallies);
    if (!o.tallies) {
        return pt_fail_nomem(err, "the counts of dead letters");
    }
    int code = pt_watchdog_start(&watchdog, err);
    if (code == PT_OK) {
        code = run_members(&o, err);
        pt_watchdog_stop(&watchdog);
    }
    if (code != PT_OK && is_down(code) && pt_stop_asked()) {
        code = (int)(err->code =
                         PT_E_INTERRUPTED); /* somebody asked for the stop, and for no new start */
    }
    if (code == PT_OK && o.until_end && !pt_stop_asked()) {
        code = pt_tally_judge(o.tallies, o.routes, o.n_routes, err);
    }
    for (size_t i = 0; i < o.n_routes; i++) {
        pt_tally_clear(&o.tallies[i]);
    }
    free(o.tallies);
    if (code != PT_OK) {
        pt_memory_explain(&o.memory, err);
    }
    return code;
}
