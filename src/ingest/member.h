/* One member of the group: opens the lake, joins, reads until a stop, an end or a failure, leaves.
 * It runs in the caller's thread, the reader's. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "ingest/options.h"

typedef struct pt_member_end {
    bool started;   /* lake and broker answered */
    bool assigned;  /* it had partitions */
    bool committed; /* something */
    bool lost; /* PT_E_FENCED because partitions were lost, not because another process fenced them
                */
    bool paused; /* it said so in the log, and not that it goes on */
    bool left;   /* rows that it had read were not committed, or nobody knows: the next start reads
                    them again */
} pt_member_end;

/* owner: for pintail.epochs, unlike that of any other member. goes_on: what the log says at the
 * start. The codes that another life may follow: PT_E_FENCED, PT_E_SOURCE, PT_E_LAKE_CHANGED,
 * PT_E_LAKE_DOWN, PT_E_LAKE_BUSY, PT_E_KAFKA_DOWN. */
int pt_member_run(const pt_ingest_options *options, const char *owner, bool goes_on,
                  pt_member_end *end, pt_error *err) PT_CHECKED;
