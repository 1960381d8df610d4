/* --memory, divided among the parts of an ingest, so that the whole process stays below it. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "columns/rows.h"

#define PT_MEMORY_DEFAULT ((uint64_t)512 << 20)

/* Bytes, except where it says messages. */
typedef struct pt_memory {
    uint64_t whole;          /* what was divided */
    uint64_t queue_bytes;    /* payloads that librdkafka fetches ahead, over all partitions */
    uint64_t queue_messages; /* ... and how many of them: each costs far more than the payload of a
                                small record */
    uint64_t fetch_bytes;    /* one answer of a broker, over all partitions */
    uint64_t poll_bytes;     /* messages that one poll takes out of the queue */
    uint64_t batch_bytes;    /* each of the PT_BATCHES batches */
    uint64_t large_bytes;    /* memory_limit of the DuckDB that writes files: the stager's, or the
                                committer's when a table takes INSERT */
    uint64_t small_bytes;    /* memory_limit of the other one */
    unsigned threads;        /* that many may encode Parquet at once in large_bytes */
} pt_memory;

/* queue_bytes: 0, or what the user wants of the queue. PT_E_USAGE when it does not fit. */
int pt_memory_divide(uint64_t whole, uint64_t queue_bytes, pt_memory *out,
                     pt_error *err) PT_CHECKED;

/* What the smallest batch of some tables takes. */
typedef struct pt_least {
    uint64_t bytes, columns;
} pt_least;

/* Adds rows of a table, or of a schema text and more columns, [n_more]. */
void pt_least_add(pt_least *least, const pt_rows *rows);
int pt_least_add_schema(pt_least *least, const char *schema_text, const pt_type *more,
                        size_t n_more, pt_error *err) PT_CHECKED;

/* PT_E_USAGE when the smallest batch of all tables is more than a batch may hold. */
int pt_memory_check_batch(const pt_memory *memory, const pt_least *least, pt_error *err) PT_CHECKED;

/* When DuckDB's share was not enough: its advice, which is about settings of its own, gives way to
 * ours. */
void pt_memory_explain(const pt_memory *memory, pt_error *err);
