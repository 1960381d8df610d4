/* What the options of pintail ingest fill. */
#pragma once

#include "cli/kafka_args.h"
#include "cli/lake_args.h"
#include "ingest/ingest.h"

typedef struct pt_ingest_args {
    pt_lake_args lake_args;
    pt_kafka_args kafka_args;
    const char *table, *group, *schema, *config;
    pt_string_list topics;
    uint64_t flush_rows, flush_bytes, inline_rows;
    int64_t flush_interval, fold_interval;
    bool until_end, topic_column, key_column, headers_column, verbose;
    const char *start;
    int on_error, on_no_column, on_missing, log_format;
    const char *max_dead_letters;
    uint64_t memory, threads, queue;
    int64_t stop_timeout, commit_timeout, leftover_age;
} pt_ingest_args;

/* Which topic goes into which table: of --topic, or of the file's topics. Errors name the place.
 * pt_ingest_routes_free also after an error. */
int pt_ingest_routes(const pt_ingest_args *args, const pt_option_values *values,
                     pt_route_options **routes, size_t *n, pt_error *err) PT_CHECKED;
void pt_ingest_routes_free(pt_route_options **routes, size_t n);
