/* Records -> batch: where each partition stands, decoding, dead letters.
 *
 * Everything here belongs to the reader thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/record.h"
#include "decode/decode.h"
#include "ingest/batches.h"
#include "ingest/options.h"
#include "ingest/plan.h"
#include "ingest/route.h"
#include "kafka/consumer.h"
#include "lake/dead_letter.h"

/* Makes the consumer continue at a place, and forget what it has fetched of the partition. */
typedef int (*pt_refetch)(void *arg, const pt_place *place, pt_error *err);

typedef struct pt_reader {
    const pt_ingest_options *options;
    pt_batches *batches;
    const char *pipeline, *cluster_id;
    pt_ledger_starts starts; /* of the claim under way (ingest/first_start.h) */
    pt_route *routes;
    size_t n_routes;
    pt_batch *batch;                /* open; NULL: none taken yet */
    bool jumped;                    /* some partition has a 'skip' row to be written */
    uint64_t records, dead_letters; /* read in this run */
    uint64_t polls;                 /* number of the poll whose records are being taken */
    pt_refetch refetch;
    void *refetch_arg;
    pt_header *headers;
    size_t cap_headers;
} pt_reader;

typedef enum pt_take_end {
    PT_TAKE_ALL,    /* the run is at its end */
    PT_TAKE_FULL,   /* the batch is full: seal it */
    PT_TAKE_NOT_NOW /* the decoder cannot read the next record yet: call again; err says why */
} pt_take_end;

/* Takes the run's records from *from on into the open batch (there is one), and moves *from behind
 * what it has taken. Drops what is below the expected offset or not assigned. PT_E_DATA: the record
 * at *from must end the run (--on-error fail, --max-dead-letters) and is not in the batch. */
int pt_reader_take(pt_reader *reader, const pt_records *run, size_t *from, int64_t now_us,
                   pt_take_end *end, pt_error *err) PT_CHECKED;

/* Nothing visible lies before the position of `end` (PT_POLLED_END). */
int pt_reader_end(pt_reader *reader, const pt_records *end, pt_error *err) PT_CHECKED;
/* Between two batches: the next records are decoded by this plan, and go to its tables. */
void pt_reader_use(pt_reader *reader, pt_plan *plan);
/* After an assignment, a revocation or a pause: the next message of each partition has to show that
 * the consumer has left out nothing. */
void pt_reader_unverify(pt_reader *reader);

bool pt_reader_has_rows(const pt_reader *reader);
/* Adds the ledger rows and seals the batch. Seals one without rows only if with_positions and a
 * position has moved; takes a batch for that when none is open. */
int pt_reader_seal(pt_reader *reader, bool with_positions, pt_error *err) PT_CHECKED;
/* Forgets the open batch and all positions: this member takes and seals nothing more. */
void pt_reader_drop(pt_reader *reader);

pt_route *pt_reader_route(pt_reader *reader, const char *topic);
/* NULL when the topic or partition is unknown. */
pt_partition *pt_reader_partition(pt_reader *reader, const char *topic, int32_t partition);
