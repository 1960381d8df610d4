/* --start: where a topic begins that the pipeline has not seen yet. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "ingest/reader.h"
#include "kafka/consumer.h"
#include "lake/ledger.h"

/* Asks the broker where these partitions begin, with all others of their topics where the pipeline
 * sees the topic for the first time: for the claim that follows. Nothing to ask with --start
 * earliest. PT_E_USAGE: --start is an offset that a partition does not have. */
int pt_first_start_find(pt_reader *reader, pt_consumer *consumer, const pt_assigned *partitions,
                        size_t n, pt_error *err) PT_CHECKED;

/* After the claim: its topics have been seen. */
void pt_first_start_settle(pt_reader *reader, const pt_assigned *partitions, size_t n);

void pt_first_start_free(pt_ledger_starts *starts);
