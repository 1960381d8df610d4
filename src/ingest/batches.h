/* What the reader, the stager and the committer share: batches on their way, requests, and how it
 * stands.
 *
 *   free -> (reader fills) -> to_stage -> (stager) -> to_commit -> (committer) -> free
 *
 * A batch that has become big is offered to the stager while the reader still fills it: what is
 * sealed then is staged but for the rest of a row group.
 *
 * One lock guards all of it; it is taken a few times for each batch, never for a record. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "lake/catalog.h"
#include "lake/flush.h"

#define PT_BATCHES 3

typedef struct pt_batch {
    pt_flush *flush;   /* owned */
    int64_t opened_us; /* monotonic, when the first record came; 0: empty */
    int64_t newest_us; /* wall clock of the newest record, for the lag in seconds */
    int64_t sealed_us; /* monotonic; 0: not yet */
    size_t shared;     /* the part that was offered to the stager; SIZE_MAX: none */
    bool dropped;      /* the reader gave it back while the stager was reading it */
    bool
        halted; /* the stager is told to leave it, and has not yet: what it read of it is not all */
    struct pt_batch *next;
} pt_batch;

typedef struct pt_counters {
    uint64_t rows, dead_letters; /* committed */
    uint64_t commits, conflicts;
    int64_t last_commit_us;      /* monotonic; 0: none yet */
    int64_t stage_us, commit_us; /* summed up */
} pt_counters;

/* Who stands still; each says so for itself. */
typedef enum pt_worker { PT_WORKER_STAGER, PT_WORKER_COMMITTER, PT_WORKERS } pt_worker;

typedef enum pt_claim_state { PT_CLAIM_NONE, PT_CLAIM_ASKED, PT_CLAIM_DONE } pt_claim_state;

typedef struct pt_line {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below changed; CLOCK_MONOTONIC */
    pt_batch batches[PT_BATCHES];
    pt_batch *free, *to_stage, *to_commit; /* lists, oldest first */
    pt_batch *offered; /* being filled; the stager may begin with a part of it */
    pt_batch *ahead;   /* was offered, and the stager reads it */
    size_t under_way;  /* sealed and not yet back in free */

    pt_claim_state claim_state;
    pt_claim *claims; /* the asker's */
    size_t n_claims;
    const pt_ledger_starts *starts; /* likewise; set before a claim is asked for, NULL: none */
    int claim_code;
    pt_error claim_error;

    bool folding;    /* the committer is at a fold (ingest/fold.c), and may look at its claims */
    bool fold_due;   /* it is about to begin one */
    bool hold_folds; /* none begins */

    bool patience; /* a flush is being committed in pieces, which takes its time, and the stager:
                      who drains the line waits on, unless a stop was asked for; nothing is staged
                      ahead */

    bool end;     /* workers return when nothing is left to do */
    bool abandon; /* workers give up what they have and return batches uncommitted */
    const char *paused[PT_WORKERS]; /* what each waits for, NULL: it goes on */
    bool left;                      /* rows that were read have been given up uncommitted */
    int code;                       /* why the run must end; the first one stays */
    pt_error why;
    pt_counters counters;
    size_t keep_bytes; /* memory that a batch holds on to between two flushes; set before the first
                          batch is taken */
} pt_line;

int pt_line_init(pt_line *line, const pt_table *const *tables, size_t n_tables,
                 pt_error *err) PT_CHECKED;
void pt_line_clear(pt_line *line);

/* Reader: an empty batch, NULL when none is free within the time. */
pt_batch *pt_line_take_free(pt_line *line, int64_t timeout_us);
/* Lets the stager begin with rows [slice] of the batch while they are being written; once for a
 * batch. */
void pt_line_offer(pt_line *line, pt_batch *batch, size_t slice);
void pt_line_seal(pt_line *line, pt_batch *batch);
/* Gives a batch back unused; rows in it are dropped. */
void pt_line_return(pt_line *line, pt_batch *batch);
size_t pt_line_under_way(pt_line *line);
/* hold: from here on no fold begins, which drain and abandon would not know of when they return. */
void pt_line_hold_folds(pt_line *line, bool hold);
/* Waits until nothing is under way, a fold that is due included unless folds are held; false: not
 * within the time, or the run has failed. */
bool pt_line_drain(pt_line *line, int64_t timeout_us);
/* wanted: what the stager reads ahead of a batch is dropped, so that the stager is free when what
 * has been sealed is staged. */
void pt_line_patience(pt_line *line, bool wanted);
/* Throws away what is under way and waits until that is done, a fold included. */
void pt_line_abandon(pt_line *line);
/* Reader: asks the committer to claim partitions and waits for the answer. */
int pt_line_claim(pt_line *line, pt_claim *claims, size_t n_claims, pt_error *err) PT_CHECKED;

/* Workers. */
/* NULL: end. *slice: SIZE_MAX of a sealed batch; else only that part of it, which is still being
 * written; pt_line_ahead_done then. */
pt_batch *pt_line_next_to_stage(pt_line *line, size_t *slice);
void pt_line_ahead_done(pt_line *line, pt_batch *batch);
void pt_line_staged(pt_line *line, pt_batch *batch);
void pt_line_done(pt_line *line, pt_batch *batch);    /* committed */
void pt_line_give_up(pt_line *line, pt_batch *batch); /* or not, as far as we know */
void pt_line_folded(pt_line *line);                   /* or not: the end of `folding` */
void pt_line_fold_due(pt_line *line, bool due);
/* Whether rows were dropped or given up: the next start reads them again. */
bool pt_line_left_rows(pt_line *line);
bool pt_line_abandoned(pt_line *line);
void pt_line_fail(pt_line *line, const pt_error *why);
/* A worker waits for something: logged when it begins and when it ends, not more. */
void pt_line_pause(pt_line *line, pt_worker who, const char *what, const pt_error *why);
void pt_line_go_on(pt_line *line, pt_worker who);
bool pt_line_paused(pt_line *line); /* any of them */
int pt_line_failed(pt_line *line, pt_error *err);
