/* Partitions that the group has given to this member, and that it may not read yet.
 *
 * The rebalance asks for the claim. When the committer cannot answer soon (the catalog is away),
 * the rebalance ends without the answer: the partitions stay paused, the member polls on, and the
 * read loop finishes the claim. Until then no record of such a partition reaches a batch.
 *
 * Everything here is the reader's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "ingest/inbox.h"
#include "ingest/reader.h"
#include "ingest/stats.h"
#include "kafka/consumer.h"
#include "lake/ledger.h"

typedef struct pt_pending {
    pt_ask ask;              /* ask.claims owned, [ask.n]; likewise of a release */
    pt_assigned *partitions; /* [ask.n] owned; NULL: it is a release */
    bool *gone;              /* [ask.n] owned; revoked meanwhile */
    pt_ledger_starts starts; /* owned, of the claim */
    bool claimed;            /* where it is read from is known; fetching is to begin */
    bool withdrawn;          /* for a moment, so that a release comes before it */
    unsigned tries;          /* to begin */
    struct pt_pending *next;
} pt_pending;

/* The member's. Fill in all but the list before. */
typedef struct pt_pendings {
    pt_pending *first; /* owned list, oldest first */
    pt_inbox *inbox;
    pt_reader *reader;
    pt_consumer *consumer;
    pt_stats *stats;
} pt_pendings;

/* Asks for the claim of the partitions, and waits a little. *done: it is answered, and each
 * partition's start and epoch are filled. Else they are PT_START_LATER. */
int pt_pending_claim(pt_pendings *pendings, pt_assigned *partitions, size_t n, bool *done,
                     pt_error *err) PT_CHECKED;
/* Called often: finishes claims that are answered, and begins to fetch. */
int pt_pending_finish(pt_pendings *pendings, pt_error *err) PT_CHECKED;
/* The partitions are revoked: those that wait for a claim wait no longer. How many these were. */
size_t pt_pending_revoke(pt_pendings *pendings, const pt_assigned *partitions, size_t n);
/* The committer forgets the partitions. Waits a little until it has: it must not look at a claim
 * that another member has taken over by then. */
void pt_pending_release(pt_pendings *pendings, const pt_assigned *partitions, size_t n);
/* Before the committer's end: nothing more is asked of it. */
void pt_pending_withdraw(pt_pendings *pendings);
/* After it. */
void pt_pending_free(pt_pendings *pendings);
