/* How it stands, for a person: a line on a terminal, log lines otherwise. */
#pragma once

#include "ingest/batches.h"
#include "ingest/reader.h"
#include "kafka/consumer.h"

typedef struct pt_progress_state {
    int64_t started_us, shown_us; /* monotonic */
    uint64_t shown_rows, shown_commits;
} pt_progress_state;

/* Called often; shows something about once a second on a terminal, and a log line when commits were
 * made (at most one a second). */
void pt_progress_show(pt_progress_state *state, pt_line *line, const pt_reader *reader,
                      pt_consumer *consumer);
/* Names the first keys that no column has, each once for a topic, and counts dead letters now and
 * then (ingest/tally.h). */
void pt_progress_log_unfit(pt_reader *reader);
/* The last line of a run. */
void pt_progress_end(const pt_progress_state *state, pt_line *line, const pt_reader *reader);
