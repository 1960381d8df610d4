#include "duck/transaction.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "duck/session.h"

#define GIVE_UP          (120 * PT_SECOND)
#define GIVE_UP_STOPPING (10 * PT_SECOND)
#define UNKNOWN_TEXT     "COMMIT of unknown outcome"

static void roll_back(pt_session *session) {
    int ignored = pt_session_run(session, "ROLLBACK", NULL);
    (void)ignored; /* nothing more can be done; a dead connection has rolled back by itself */
}

/* DuckLake writes its metadata, and notices conflicts, before it sends COMMIT to the catalog. What
 * fails there has not happened, nor has a COMMIT that SQLite's lock refuses. The text of any other
 * failure of COMMIT proves nothing, not even "conflict": it may come from a server that has
 * committed. */
static bool surely_not_committed(const pt_error *err) {
    return err->code == PT_E_LAKE_BUSY && !pt_error_is(err, PT_WHY_COMMIT_SENT);
}

int pt_transaction(pt_session *session, pt_attempt job, void *arg, pt_error *err) {
    PT_TRY(pt_session_run(session, "BEGIN", err));
    int code = job(arg, err);
    if (code != PT_OK) {
        roll_back(session);
        return code;
    }
    code = pt_session_run(session, "COMMIT", err);
    if (code != PT_OK) {
        bool settled = surely_not_committed(err);
        roll_back(session);
        if (!settled) {
            err->code = code == PT_E_LAKE_BUSY ? PT_E_LAKE_DOWN : err->code;
            pt_error_because(err, PT_WHY_OUTCOME_UNKNOWN);
            return pt_fail_in(err, UNKNOWN_TEXT);
        }
    }
    return code;
}

int pt_transaction_lost(pt_error *err) {
    return pt_fail_why(err, PT_E_LAKE_DOWN, PT_WHY_OUTCOME_UNKNOWN,
                       UNKNOWN_TEXT ": failpoint: the answer was lost");
}

void pt_backoff_sleep(unsigned attempt) {
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = 0x80000000U;
    }
    int64_t ceiling = (int64_t)5000 << (attempt < 8 ? attempt : 8);
    if (ceiling > PT_SECOND) {
        ceiling = PT_SECOND;
    }
    pt_sleep_us(1000 + (int64_t)((double)ceiling * ((double)random / 4294967296.0)));
}

int pt_retry_busy(pt_attempt job, void *arg, pt_error *err) {
    int64_t start = pt_monotonic_us();
    bool said = false;
    for (unsigned attempt = 1;; attempt++) {
        int code = job(arg, err);
        int64_t spent = pt_monotonic_us() - start;
        if (code != PT_E_LAKE_BUSY || spent > GIVE_UP ||
            (pt_stop_asked() && spent > GIVE_UP_STOPPING)) {
            return code;
        }
        if (!said && spent >= PT_BUSY_LOGGED_AFTER) {
            said = true;
            pt_log(PT_LOG_WARN, PT_EVENT("waiting for another writer of the catalog"),
                   PT_INT("gives_up_after_s", GIVE_UP / PT_SECOND), PT_STR("error", err->text));
        }
        pt_backoff_sleep(attempt);
    }
}
