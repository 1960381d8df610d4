/* How it stands, for a person: a line on a terminal, log lines otherwise. */
#pragma once

#include "ingest/reader.h"
#include "ingest/stats.h"
#include "kafka/consumer.h"

typedef struct pt_progress_state {
    int64_t shown_us; /* monotonic */
    uint64_t shown_rows, shown_commits;
} pt_progress_state;

/* Before a member: what earlier ones have done is shown. */
void pt_progress_begin(pt_progress_state *state, const pt_stats *stats);

/* Called often; shows something about once a second on a terminal, and a log line when commits were
 * made (at most one a second). */
void pt_progress_show(pt_progress_state *state, const pt_stats *stats, const pt_reader *reader,
                      pt_consumer *consumer);
/* Names the first keys that no column has, each once for a topic, and counts dead letters now and
 * then (ingest/tally.h). */
void pt_progress_log_unfit(pt_reader *reader);
/* The last line of a member: what the run has done so far. */
void pt_progress_end(pt_stats *stats, const pt_reader *reader);
