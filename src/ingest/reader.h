/* Records -> batch: where each partition stands, decoding, dead letters, and when a batch is full.
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
#include "ingest/ingest.h"
#include "kafka/consumer.h"
#include "lake/dead_letter.h"

/* After an assignment or a pause librdkafka may go on at a place of its own: when messages of a
 * partition are on their way to the application while the partition is revoked, it notes them as
 * read, and jumps behind them in the pause of a later rebalance (2.15.1:
 * rd_kafka_q_serve_rkmessages notes, rd_kafka_toppar_pause_resume jumps). So a gap right after such
 * an event is asked for once more; only then it is one (control records, compaction). */
typedef enum pt_verified { PT_VERIFIED, PT_UNVERIFIED, PT_REFETCHED } pt_verified;

typedef struct pt_partition {
    bool assigned;
    pt_verified verified;
    uint64_t refetched_in; /* the poll in whose messages the gap was */
    int64_t next;          /* offset that is expected next: below it is dropped */
    int64_t sealed; /* next of the last sealed batch: where the open batch's ledger row begins */
    int64_t
        position; /* next, or beyond it when the broker said that nothing visible is left before */
    int64_t end;  /* --until-end: done at this position; -1 none */
    int64_t rows, dead_letters; /* in the open batch */
    int64_t began;              /* next at the claim */
    int64_t verify_at; /* offset at which the broker's record has to be the last one that was read;
                          -1: no proof is awaited (ingest/verify.h) */
    int64_t last_offset, last_us; /* the last record that was read, before the claim by the lake;
                                     -1: not known. Microseconds, INT64_MIN: it has no time */
    int32_t last_epoch;           /* its leader epoch; -1: not known */
    int64_t skipped_from; /* the lake goes on at `sealed` instead of here (retention, --start
                             latest): a 'skip' row to be written; -1: none */
} pt_partition;

/* One topic on its way into one table. */
typedef struct pt_route {
    const char *topic;
    const pt_table *table; /* of the plan in use, as slice (of a flush) and decoder are */
    size_t slice;
    pt_decoder *decoder;
    const char *topic_id;
    pt_partition *partitions; /* [n_partitions] */
    int32_t n_partitions;
    size_t row_bytes; /* of the vectors, a row */
    pt_tally *tally;
    size_t unknown_logged; /* so many of the keys that no column has */
    bool seen; /* the pipeline has claimed partitions of the topic before: its start is settled */
    bool repeats; /* the table has rows, and this group has not begun the topic: to be said at its
                     first partition */
} pt_route;

/* Makes the consumer go on at a place; what it has fetched of the partition is forgotten. */
typedef int (*pt_refetch)(void *arg, const pt_place *place, pt_error *err);

typedef struct pt_reader {
    const pt_ingest_options *options;
    pt_batches *batches;
    const char *pipeline, *cluster_id;
    pt_ledger_starts starts; /* of the claim under way (ingest/first_start.h) */
    pt_route *routes;
    size_t n_routes;
    pt_batch *batch; /* open; NULL: none taken yet */
    uint64_t batch_rows, since_check;
    bool jumped;                    /* some partition has a 'skip' row to be written */
    uint64_t records, dead_letters; /* read in this run */
    uint64_t polls;                 /* number of the poll whose records are being taken */
    pt_refetch ask;
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
/* Between two batches: what comes from here on is decoded by this plan, and goes where it says. */
void pt_reader_use(pt_reader *reader, pt_plan *plan);
/* After an assignment, a revocation or a pause: the next message of each partition has to prove
 * that nothing was left out. */
void pt_reader_unverify(pt_reader *reader);

bool pt_reader_full(pt_reader *reader); /* rows or bytes */
/* The open batch has a record that the lake refused, and no row yet of its table, which alone can
 * tell whether it is the record. */
bool pt_reader_awaits_row(const pt_reader *reader);
bool pt_reader_has_rows(const pt_reader *reader);
/* Writes the ledger rows and seals the batch; one without rows is sealed only if with_positions and
 * a position moved (taken for it when none is open). */
int pt_reader_seal(pt_reader *reader, bool with_positions, pt_error *err) PT_CHECKED;
/* Forgets the open batch, and with it all positions: nothing more is taken or sealed in this life.
 */
void pt_reader_drop(pt_reader *reader);

pt_route *pt_reader_route(pt_reader *reader, const char *topic);
/* NULL without memory, or when the number is none. It stays until the next call for the route. */
pt_partition *pt_route_partition(pt_route *route, int32_t partition);
/* NULL when the topic or partition is unknown. */
pt_partition *pt_reader_partition(pt_reader *reader, const char *topic, int32_t partition);
