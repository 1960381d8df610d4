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

/* What one life leaves to the next. */
typedef struct lives {
    char owner[128]; /* of the life under way */
    bool assigned;   /* some life had partitions: from then on an outage is waited for */
    bool lost;       /* the last one ended because partitions were lost */
    bool left; /* rows that were read are not committed, and no later life has committed anything */
    bool paused; /* said so in the log */
    pt_backoff patience;
    int64_t wait_us; /* before the next one */
    unsigned fenced; /* within the window */
    int64_t first_fenced_us;
} lives;

static int live(const pt_ingest_options *all_options, lives *l, pt_error *err) {
    pt_member_end end;
    pt_ingest_options of_this = *all_options;
    const pt_ingest_options *options = &of_this;
    of_this.lake.create &= !l->assigned; /* a lake that is gone by now is not made anew */
    int64_t start = pt_monotonic_us();
    int code = pt_member_run(options, l->owner, l->paused, &end, err);
    for (size_t i = 0; i < options->n_routes; i++) {
        pt_tally_settle(&options->tallies[i]);
    }
    if (code == PT_E_LAKE_CHANGED && end.committed) { /* each ALTER of a migration ends a life; one
                                                         that got on is no reason to wait longer */
        l->patience = (pt_backoff){0};
    }
    l->wait_us = end.started ? pt_backoff_after(&l->patience, pt_monotonic_us() - start)
                             : PT_SECOND; /* one that did not start has not joined the group */
    l->wait_us = code == PT_E_REFUSED ? 0 : l->wait_us; /* nothing is to be waited for */
    l->paused = end.paused || (l->paused && !end.started);
    l->assigned |= end.assigned;
    l->lost = end.lost;
    l->left = end.left || (l->left && !end.committed);
    return code;
}

static bool is_down(int code) {
    return code == PT_E_LAKE_DOWN || code == PT_E_LAKE_BUSY || code == PT_E_KAFKA_DOWN;
}

/* Whether another life makes sense after one that ended with code. */
static bool may_follow(const lives *l, int code) {
    return code == PT_E_FENCED || code == PT_E_SOURCE || code == PT_E_REWOUND ||
           code == PT_E_REFUSED || code == PT_E_LAKE_CHANGED || (is_down(code) && l->assigned);
}

/* False: fenced too often. */
static bool note_fence(lives *l, pt_error *err) {
    int64_t now = pt_monotonic_us();
    if (l->fenced == 0 || now - l->first_fenced_us > FENCED_WINDOW) {
        l->fenced = 0;
        l->first_fenced_us = now;
    }
    if (++l->fenced >= FENCED_LIMIT) {
        int ignored = pt_fail_in(err,
                                 "fenced %u times within a minute; is another ingest running with "
                                 "the same --group outside of Kafka's control?",
                                 l->fenced);
        (void)ignored; /* err->code stays */
        return false;
    }
    return true;
}

static void log_why(lives *l, int code, const pt_error *err) {
    if (is_down(code)) {
        if (!l->paused) {
            pt_log(PT_LOG_WARN, PT_EVENT("paused"),
                   PT_STR("waiting_for", code == PT_E_KAFKA_DOWN ? "broker" : "catalog"),
                   PT_STR("error", err->text));
        }
        l->paused = true;
    } else if (code == PT_E_REFUSED) {
        pt_log(PT_LOG_WARN,
               PT_EVENT("the lake refuses a record, which becomes a dead letter where it takes "
                        "others; reading on from it"),
               PT_INT("in_seconds", l->wait_us / PT_SECOND), PT_STR("reason", err->text));
    } else if (code == PT_E_LAKE_CHANGED) {
        pt_log(PT_LOG_WARN, PT_EVENT("beginning again from what the lake is now"),
               PT_INT("in_seconds", l->wait_us / PT_SECOND), PT_STR("reason", err->text));
    } else if (code == PT_E_SOURCE ||
               code == PT_E_REWOUND) { /* the next life says exactly what has changed, or goes on as
                                          --on-missing-data says */
        pt_log(PT_LOG_WARN, PT_EVENT("comparing the topic with the ledger again"),
               PT_INT("in_seconds", l->wait_us / PT_SECOND), PT_STR("reason", err->text));
    } else {
        pt_log(PT_LOG_WARN,
               PT_EVENT(l->lost ? "joining the group again" : "fenced; joining the group again"),
               PT_INT("in_seconds", l->wait_us / PT_SECOND), PT_STR("reason", err->text));
    }
}

static void wait_for_next(const lives *l) {
    int64_t until = pt_monotonic_us() + l->wait_us;
    while (!pt_stop_asked() && pt_monotonic_us() < until) {
        pt_sleep_us(PT_SECOND / 20);
    }
}

/* What the last life waited for does not matter when nothing was left to flush. */
static int stopped(const lives *l, int code, pt_error *err) {
    if (!l->left || code == PT_E_FENCED || is_down(code)) {
        return l->left ? code : PT_OK;
    }
    int ignored = pt_fail_in(err, "stopped before all that was read was committed; nothing is "
                                  "lost, the next start reads it again");
    (void)ignored;
    return (int)(err->code = PT_E_INTERRUPTED);
}

static int run_lives(const pt_ingest_options *options, pt_error *err) {
    lives l = {.assigned = false};
    char host[64] = "?";
    (void)gethostname(host, sizeof host - 1);
    for (unsigned member = 1;; member++) {
        (void)snprintf(l.owner, sizeof l.owner, "%s:%ld:%" PRId64 ":%u", host, (long)getpid(),
                       pt_now_us(), member);
        int code = live(options, &l, err);
        if (!may_follow(&l, code)) {
            return code;
        }
        if (pt_stop_asked()) {
            return stopped(&l, code, err);
        }
        if (code == PT_E_FENCED && !l.lost && !note_fence(&l, err)) {
            return code;
        }
        log_why(&l, code, err);
        wait_for_next(&l);
        if (pt_stop_asked() &&
            (!l.left ||
             code != PT_E_FENCED)) { /* fenced: the rows were of partitions that others have */
            return stopped(&l, code, err);
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
        code = run_lives(&o, err);
        pt_watchdog_stop(&watchdog);
    }
    if (code != PT_OK && is_down(code) && pt_stop_asked()) {
        code =
            (int)(err->code = PT_E_INTERRUPTED); /* it was told to stop, not to be started again */
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
