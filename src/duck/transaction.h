/* One transaction on the lake, and how to try it again.
 *
 * DuckLake's own retry is off (ducklake_max_retry_count = 0): it goes by the text of an error, also
 * at COMMIT, and was seen to commit a batch twice. What is tried again here is always
 * the whole transaction. */
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "duck/engine.h"

/* Other writers of the catalog that keep us waiting so long are reported. SQLite's own patience
 * with a lock (META_BUSY_TIMEOUT) is longer: one attempt. */
#define PT_BUSY_LOGGED_AFTER (3 * PT_SECOND)

typedef int (*pt_attempt)(void *arg, pt_error *err);

/* BEGIN, job, COMMIT. After any failure: ROLLBACK, never COMMIT. *err must not be NULL. A COMMIT
 * that fails for anything but a conflict or a lock has an unknown outcome: the error says so by
 * PT_WHY_OUTCOME_UNKNOWN; the code is PT_E_LAKE_DOWN, or PT_E_LAKE for an error that we cannot
 * place. */
int pt_transaction(pt_session *session, pt_attempt job, void *arg, pt_error *err) PT_CHECKED;
/* For a failpoint: an error of a COMMIT whose answer was lost. */
int pt_transaction_lost(pt_error *err) PT_CHECKED;

/* Runs job until it ends in something else than PT_E_LAKE_BUSY; backs off 5 ms to 1 s with jitter;
 * gives up with PT_E_LAKE_BUSY after two minutes or when a stop was asked for and ten seconds have
 * gone by. Logs one warning when it takes longer than PT_BUSY_LOGGED_AFTER. */
int pt_retry_busy(pt_attempt job, void *arg, pt_error *err) PT_CHECKED;

/* Sleeps before attempt n (1, 2, ...): exponential from 5 ms to 1 s, with full jitter. */
void pt_backoff_sleep(unsigned attempt);
