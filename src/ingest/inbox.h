/* All that is asked of the committer: one queue, which one thread empties
 * (ingest/committer_thread.h).
 *
 *   reader:  claim these partitions, release those       pt_ask
 *   stager:  commit this batch
 *   clock:   a job is due                                (ingest/job.h)
 *   owner:   end
 *
 * Who asks waits with a deadline. While the committer waits for the catalog it answers nothing, so
 * pt_inbox_await returns at once.
 *
 * What the committer does at the moment has a name, for the log and for metrics. The committer
 * serves in this order: releases, claims, jobs that are due, batches, the end. A claim comes before
 * a batch because a rebalance waits for it. A job comes before a batch so that a reader that is
 * always ahead cannot put it off for ever.
 *
 * The monitor's lock guards everything here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ingest/batches.h"
#include "ingest/monitor.h"
#include "lake/ledger.h"

typedef enum pt_committer_state {
    PT_COMMITTER_IDLE,
    PT_COMMITTER_CLAIMING,
    PT_COMMITTER_COMMITTING,
    PT_COMMITTER_IN_PIECES,  /* a flush that the lake refuses (ingest/halving.h) */
    PT_COMMITTER_AT_A_JOB,   /* its name stands for the state's */
    PT_COMMITTER_RETRYING,   /* waits before the next attempt: other writers, or no reason known */
    PT_COMMITTER_RECOVERING, /* the outcome of a transaction is unknown, or the catalog is away */
    PT_COMMITTER_ENDED,
    PT_COMMITTER_STATES
} pt_committer_state;

const char *pt_committer_state_name(pt_committer_state state);

typedef enum pt_ask_kind { PT_ASK_CLAIM, PT_ASK_RELEASE } pt_ask_kind;
typedef enum pt_ask_state { PT_ASK_NEW, PT_ASK_QUEUED, PT_ASK_TAKEN, PT_ASK_DONE } pt_ask_state;

/* The asker owns it, and keeps it until it is done or withdrawn. */
typedef struct pt_ask {
    pt_ask_kind kind;
    pt_claim *claims; /* [n]; the committer's while the ask is taken */
    size_t n;
    const pt_ledger_starts *starts; /* of a claim; NULL: none (lake/ledger.h) */
    pt_ask_state state;
    int code; /* when it is done */
    pt_error err;
    /* The committer's: of a claim that the catalog did not answer. */
    unsigned attempts;
    int64_t since_us, not_before_us; /* monotonic */
    struct pt_ask *next;
} pt_ask;

typedef struct pt_inbox {
    pt_monitor *monitor; /* the batches' */
    pt_batches *batches; /* the committer ends when none is under way */
    pt_ask *asks;        /* oldest first */
    pt_batch *to_commit; /* likewise */
    pt_committer_state state;
    const char *job;  /* the one that runs */
    pt_wait wait;     /* for the catalog, or for other writers of it */
    bool job_awaited; /* a job is due that a run does not end without; the committer keeps it up to
                         date */
} pt_inbox;

void pt_inbox_init(pt_inbox *inbox, pt_batches *batches);

/* ---- who asks ---- */

void pt_inbox_ask(pt_inbox *inbox, pt_ask *ask);
/* Whether it is done: within the time, and before the committer begins to wait for something. */
bool pt_inbox_await(pt_inbox *inbox, const pt_ask *ask, int64_t timeout_us);
/* Waits while the committer works at it, no longer than the time. */
void pt_inbox_await_taken(pt_inbox *inbox, const pt_ask *ask, int64_t timeout_us);
/* Takes it back; false: the committer works at it, or has done it. */
bool pt_inbox_withdraw(pt_inbox *inbox, pt_ask *ask);
void pt_inbox_commit(pt_inbox *inbox, pt_batch *batch);
/* Waits until no job runs, and none that a run does not end without is due; false: not within the
 * time, or the member has failed. */
bool pt_inbox_drain(pt_inbox *inbox, int64_t timeout_us);
/* "idle", "recovering", or the name of the job that runs. */
const char *pt_inbox_state_name(pt_inbox *inbox);

/* ---- the committer ---- */

/* What is to be done next. */
typedef enum pt_next { PT_NEXT_ASK, PT_NEXT_JOB, PT_NEXT_BATCH, PT_NEXT_END } pt_next;

/* Waits for it; job_us (monotonic): when the first job is due. The committer is idle until then. */
pt_next pt_inbox_next(pt_inbox *inbox, int64_t job_us, pt_ask **ask, pt_batch **batch);
/* Between two attempts of one piece of work: rests until the time has come. An ask that does not
 * have to wait for that work (a release) is handed out before: true. False: the time has come, or
 * the work is given up. */
bool pt_inbox_rest(pt_inbox *inbox, int64_t until_us, pt_ask **ask);
/* code and *err: the answer. */
void pt_inbox_answer(pt_inbox *inbox, pt_ask *ask, int code, const pt_error *err);
/* Puts a claim back: not before that time again. */
void pt_inbox_put_back(pt_inbox *inbox, pt_ask *ask, int64_t not_before_us);
/* job: of PT_COMMITTER_AT_A_JOB, else NULL. Returns the state before. */
pt_committer_state pt_inbox_enter(pt_inbox *inbox, pt_committer_state state, const char *job);
void pt_inbox_set_job_awaited(pt_inbox *inbox, bool awaited);
