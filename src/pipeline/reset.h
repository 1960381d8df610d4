/* `pintail reset`: a pipeline begins a topic anew, as a decision that is recorded in the ledger. */
#pragma once

#include "pipeline/ingest.h"

typedef struct pt_reset_options {
    pt_lake_options lake;
    pt_consumer_options consumer; /* brokers and group; topics is set here */
    const char *topic;
    int32_t partition; /* -1: all */
    int64_t to;    /* offset; -1: the broker's first one (earliest), -2: its end (latest) */
} pt_reset_options;

typedef void (*pt_reset_report)(void *arg, int32_t partition, int64_t from, int64_t to);

/* Fences a running ingest of the group, then writes a 'reset' row for the partition, or each of the topic; report is called for each. */
int pt_reset(const pt_reset_options *options, pt_reset_report report, void *arg, pt_error *err) PT_CHECKED;
