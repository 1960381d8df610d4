/* `pintail reset`: sets where a pipeline reads a topic next, and records that in the ledger. */
#pragma once

#include "ingest/options.h"

typedef struct pt_reset_options {
    pt_lake_options lake;
    pt_consumer_options
        consumer; /* brokers and group; topics is set here. group NULL: the one pipeline of the
                     ledger that has claimed partitions of the topic */
    const char *topic;
    int32_t partition; /* -1: all */
    pt_where to;
    bool to_ledger; /* instead: where the ledger stands. Nothing moves, and from here on the lake's
                       tables of now count as those that the pipeline has filled */
    bool is_new;    /* the ledger need not know the pipeline and topic */
    bool delete_rows; /* deletes what the pipeline has read from there on: rows, dead letters, and
                         the ledger's counts of them */
    bool dry_run;     /* with delete_rows: counts alone */
} pt_reset_options;

typedef struct pt_reset_line {
    int32_t partition;
    int64_t was, to;            /* was -1: the ledger had nothing of it */
    int64_t rows, dead_letters; /* that it deletes */
} pt_reset_line;

typedef void (*pt_reset_report)(void *arg, const pt_reset_line *line);

/* Fences a running ingest of the group, then writes a 'reset' row for the partition, or each of the
 * topic; report is called for each. PT_E_LAKE: the ledger does not know the pipeline, or its rows
 * cannot be told from others'. */
int pt_reset(const pt_reset_options *options, pt_reset_report report, void *arg,
             pt_error *err) PT_CHECKED;
