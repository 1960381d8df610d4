/* pintail's own tables in the lake: the ledger, the claims (epochs) and the dead letters.
 *
 * pintail.offsets has one row for each topic, partition and flush (kind 'commit'), plus a row for
 * each deliberate jump (kind 'skip', 'reset'). The largest next_offset of (pipeline, topic,
 * partition) in rows of these kinds since its last 'reset' row is where ingest continues. Rows of
 * kind 'replay', 'discard' and 'moved' count rows and dead letters that came or went later, one
 * offset each. pintail.epochs has one row for each claim of a partition; the largest epoch of
 * (pipeline, topic, partition) owns it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "duck/engine.h"
#include "duck/result.h"

/* A partition that this process owns, as the lake knows it. */
typedef struct pt_claim {
    const char *topic; /* not owned */
    int32_t partition;
    int64_t epoch;       /* out of pt_claims_raise */
    int64_t next_offset; /* where to go on; -1: never committed */
    char cluster_id[64]; /* of the last row, "" when unknown */
    char topic_id[64];
    /* The last commit that brought records: out of pt_ledger_read. */
    int64_t read_from, read_to; /* its range; -1: there is none */
    int64_t read_at_us;         /* when it was */
    char read_table[128];       /* what it went to; a longer name is cut */
    int32_t leader_epoch; /* of its last record, which is the one before read_to; -1: unknown */
    /* Its last record, as the table or the dead letters have it: out of pt_last_records_read. */
    bool asked;
    int64_t last_offset, last_us; /* -1: there is none; INT64_MIN: a record without a time */
    int64_t last_ingest_us;       /* its ingest_time */
} pt_claim;

/* Fills all of each claim but topic, partition and epoch. */
int pt_ledger_read(pt_session *session, const char *pipeline, pt_claim *claims, size_t n_claims,
                   pt_error *err) PT_CHECKED;

/* Begins the owner of a claim that `pintail reset` makes; its process ends without a commit of
 * records. */
#define PT_RESET_OWNER "reset:"

/* The largest epoch of each partition of the pipeline: rows of (topic, partition, epoch, owner).
 * Inside a transaction, it is the fence's other half. */
int pt_ledger_epochs(pt_session *session, const char *pipeline, pt_result *out,
                     pt_error *err) PT_CHECKED;

/* One row of the ledger to be written by a commit. */
typedef struct pt_ledger_entry {
    const char *topic;
    int32_t partition;
    int64_t from_offset, next_offset;
    int64_t rows, dead_letters;
    int64_t epoch; /* filled in by the committer */
    const char *cluster_id, *topic_id, *target_table, *kind;
    int32_t leader_epoch; /* of the last record; -1: unknown */
    const char *detail;   /* JSON, for kinds that need it; NULL: none */
} pt_ledger_entry;

/* What the rows of one commit share. */
typedef struct pt_ledger_commit {
    const char *pipeline;
    const char *id;   /* UUID */
    int64_t snapshot; /* that the commit makes */
} pt_ledger_commit;

/* Where the partitions of topics begin, if the claim is the pipeline's first of the topic: all of
 * them are recorded with it, so that every member begins where the first one said. A partition that
 * came later begins at its first offset, and that is recorded, too. */
typedef struct pt_ledger_starts {
    const pt_ledger_entry
        *entries; /* [n] of kind 'skip', from the partition's first offset to where
                     it begins; all partitions of each topic that is claimed */
    size_t n;
} pt_ledger_starts;

/* Inside a commit's transaction. */
int pt_ledger_insert(pt_session *session, const pt_ledger_commit *commit,
                     const pt_ledger_entry *entries, size_t n, pt_error *err) PT_CHECKED;
