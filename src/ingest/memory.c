#include "ingest/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/schema.h"
#include "duck/failure.h"

#define MIB ((uint64_t)1 << 20)
/* Code, libraries, two DuckDBs with a lake attached, threads: measured 105-125. */
#define FIXED            (144 * MIB)
#define LEAST            (FIXED + 112 * MIB)
#define ATTACHED         (32 * MIB) /* what DuckDB counts of the fixed part */
#define MESSAGE_OVERHEAD 256        /* of librdkafka, for each message in its queue */
#define ENCODER          (64 * MIB) /* of DuckDB, for each thread that encodes Parquet */
#define QUEUE_MOST       12         /* 64ths */
#define ONE_MESSAGE      (64 << 10) /* a queue that holds less would stall */

/* Of what the fixed part leaves, in 64ths: three batches 21, queue 3 + 3 (payloads, overhead),
 * fetched 2 twice (as it comes, decompressed), polled 1, DuckDB 24 + 8. */
int pt_memory_divide(uint64_t whole, uint64_t queue_bytes, pt_memory *out, pt_error *err) {
    if (whole < LEAST) {
        return pt_fail(err, PT_E_USAGE,
                       "--memory %" PRIu64 "MiB is too little: the process itself needs %" PRIu64
                       "MiB, give it at least %" PRIu64 "MiB",
                       whole / MIB, FIXED / MIB, LEAST / MIB);
    }
    uint64_t part = (whole - FIXED) / 64;
    if (queue_bytes > QUEUE_MOST * part) {
        return pt_fail(err, PT_E_USAGE,
                       "--queue-bytes %" PRIu64 "MiB does not fit into --memory %" PRIu64
                       "MiB: at most %" PRIu64 "MiB of it",
                       queue_bytes / MIB, whole / MIB, QUEUE_MOST * part / MIB);
    }
    uint64_t queue = queue_bytes ? queue_bytes : 3 * part;
    uint64_t extra = queue > 3 * part ? queue - 3 * part
                                      : 0; /* what a larger queue takes from the batches */
    *out = (pt_memory){
        .whole = whole,
        .queue_bytes = queue < ONE_MESSAGE ? ONE_MESSAGE : queue,
        .queue_messages = 3 * part / MESSAGE_OVERHEAD,
        .fetch_bytes = 2 * part,
        .poll_bytes = part,
        .batch_bytes = (21 * part - extra) / 3,
        .large_bytes = 24 * part,
        .small_bytes = 8 * part + ATTACHED,
        .threads = (unsigned)(24 * part / ENCODER ? 24 * part / ENCODER : 1),
    };
    return PT_OK;
}

void pt_least_add(pt_least *least, const pt_rows *rows) {
    least->bytes += pt_rows_chunk_memory(rows);
    least->columns += pt_rows_columns(rows);
}

int pt_least_add_schema(pt_least *least, const char *schema_text, const pt_type *more,
                        size_t n_more, pt_error *err) {
    pt_schema *schema = NULL;
    pt_rows *rows = NULL;
    PT_TRY(pt_schema_parse(schema_text, &schema, err));
    pt_type *types = calloc(schema->n_columns + n_more + 1, sizeof *types);
    for (size_t i = 0; types && i < schema->n_columns; i++) {
        types[i] = schema->columns[i].type;
    }
    for (size_t i = 0; types && i < n_more; i++) {
        types[schema->n_columns + i] = more[i];
    }
    int code = types ? pt_rows_new(types, schema->n_columns + n_more, &rows, err)
                     : pt_fail_nomem(err, "a schema");
    if (code == PT_OK) {
        pt_least_add(least, rows);
    }
    pt_rows_free(&rows);
    free(types);
    pt_schema_free(&schema);
    return code;
}

int pt_memory_check_batch(const pt_memory *m, const pt_least *least, pt_error *err) {
    if (least->bytes <= m->batch_bytes) {
        return PT_OK;
    }
    uint64_t wanted = FIXED + (least->bytes * 3 / 21 + 1) * 64 + MIB;
    return pt_fail(err, PT_E_USAGE,
                   "--memory %" PRIu64 "MiB is too little for tables of %" PRIu64
                   " columns: the smallest batch takes %" PRIu64 "MiB, and there are three; "
                   "give --memory %" PRIu64 "MiB, or read fewer columns or topics in one process",
                   m->whole / MIB, least->columns, least->bytes / MIB + 1, wanted / MIB + 1);
}

void pt_memory_explain(const pt_memory *m, pt_error *err) {
    size_t kept = pt_failure_without_advice(err->text);
    if (pt_error_is(err, PT_WHY_MEMORY_LIMIT) && err->text[kept]) {
        (void)snprintf(err->text + kept, sizeof err->text - kept,
                       "; give more than --memory %" PRIu64 "MiB", m->whole / MIB);
    }
}
