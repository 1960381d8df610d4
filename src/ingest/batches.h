/* A batch, from empty to committed, and when it is full or due.
 *
 *   free -> (reader fills) -> to stage -> (stager) -> (committer's inbox) -> (committer) -> free
 *
 * A batch that has become big is offered to the stager while the reader still fills it: what is
 * sealed then is staged but for the rest of a row group.
 *
 * The monitor's lock guards everything here that more than one thread uses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ingest/monitor.h"
#include "ingest/plan.h"
#include "lake/flush.h"

#define PT_BATCHES 3

typedef struct pt_batch {
    pt_flush *flush;     /* owned */
    pt_plan *plan;       /* held: the one that it was begun with; NULL: none was in use */
    int64_t opened_us;   /* monotonic, when the first record came; 0: empty */
    int64_t sealed_us;   /* monotonic; 0: not yet */
    uint64_t records;    /* the reader's: rows and dead letters */
    uint64_t unmeasured; /* the reader's: about so many bytes came since its size was looked at */
    size_t shared;       /* the slice that was offered to the stager; SIZE_MAX: none */
    bool dropped;        /* the reader gave it back while the stager was reading it */
    bool halted; /* the stager has to leave it, and has not yet: it has not read all of the slice */
    struct pt_batch *next;
} pt_batch;

/* A batch is full when it reaches one of the first three, and due when it reaches the last. */
typedef struct pt_batch_limits {
    uint64_t records;
    uint64_t bytes;      /* decoded */
    uint64_t memory;     /* bytes that its vectors take */
    int64_t interval_us; /* age of its first record */
} pt_batch_limits;

typedef struct pt_batches {
    pt_monitor *monitor;
    pt_batch batches[PT_BATCHES];
    pt_batch *free, *to_stage; /* lists, oldest first */
    pt_batch *offered;         /* being filled; the stager may begin with a slice of it */
    pt_batch *ahead;           /* was offered, and the stager reads it */
    size_t under_way;          /* sealed and not yet back in free */
    bool in_pieces; /* the committer commits a flush in pieces and needs the stager for them: the
                       stager stages nothing ahead, and a drain waits on unless a stop is asked for
                     */
    uint64_t rows_left;     /* rows that the member has read and given up uncommitted */
    pt_plan *plan;          /* held: what batches are begun with; the reader's; NULL: none */
    pt_batch_limits limits; /* set before the first batch is taken, as keep_bytes is */
    size_t keep_bytes;      /* memory that a batch keeps between two flushes */
} pt_batches;

int pt_batches_init(pt_batches *batches, pt_monitor *monitor, const pt_table *const *tables,
                    size_t n_tables, pt_error *err) PT_CHECKED;
void pt_batches_clear(pt_batches *batches);

/* ---- the reader ---- */

/* The batches that are begun from here on are of this plan; the others keep theirs. */
void pt_batches_use(pt_batches *batches, pt_plan *plan);
/* An empty batch, NULL when none is free within the time, or the member has failed. */
pt_batch *pt_batches_take_free(pt_batches *batches, int64_t timeout_us);
/* Lets the stager begin with the rows of a slice while the reader writes them; once for a batch. */
void pt_batches_offer(pt_batches *batches, pt_batch *batch, size_t slice);
void pt_batches_seal(pt_batches *batches, pt_batch *batch);
/* Gives a batch back unused; its rows are dropped. */
void pt_batches_return(pt_batches *batches, pt_batch *batch);
/* Waits until no batch is under way; false: not within the time, or the member has failed. */
bool pt_batches_drain(pt_batches *batches, int64_t timeout_us);
/* Throws away what is under way, and waits until that is done. */
void pt_batches_abandon(pt_batches *batches);
/* Whether it dropped rows or gave them up: the next start reads them again. */
bool pt_batches_left_rows(pt_batches *batches);

/* ---- the reader: when the open batch is to be sealed ---- */

/* It has a record that the lake refused, and no row yet of that record's table. Only such a row can
 * show whether the record is at fault, so the batch may grow and wait a little longer for one. */
bool pt_batch_awaits_row(const pt_batch *batch);
/* Called after each record. */
bool pt_batch_full(pt_batch *batch, const pt_batch_limits *limits);
/* Microseconds until its first record is old enough; 0: it is. */
int64_t pt_batch_time_left(const pt_batch *batch, const pt_batch_limits *limits);
/* Its first record is old enough, and no batch waits for an earlier one. batch NULL: none is open.
 */
bool pt_batches_due(pt_batches *batches, const pt_batch *batch);
/* While one batch is being committed and another one waits for it, a third one gains nothing by
 * being sealed: it grows until it is full. So a catalog that is slow, or that many writers share,
 * gets fewer and bigger flushes. */
bool pt_batches_queued(pt_batches *batches);

/* ---- the stager ---- */

/* NULL: the end. *slice: SIZE_MAX of a sealed batch; else that slice alone, which the reader still
 * writes: pt_batches_ahead_done then. */
pt_batch *pt_batches_next_to_stage(pt_batches *batches, size_t *slice);
void pt_batches_ahead_done(pt_batches *batches, pt_batch *batch);

/* ---- the stager and the committer ---- */

void pt_batches_done(pt_batches *batches, pt_batch *batch);    /* committed */
void pt_batches_give_up(pt_batches *batches, pt_batch *batch); /* or not, as far as we know */
/* wanted: the stager drops what it reads ahead of a batch, and is free when it has staged what is
 * sealed. */
void pt_batches_in_pieces(pt_batches *batches, bool wanted);

/* Of a list of batches; under the lock. */
void pt_batch_append(pt_batch **list, pt_batch *batch);
pt_batch *pt_batch_take_first(pt_batch **list);
