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
    bool lost;      /* PT_E_FENCED because the group took partitions, not another process */
    bool paused;    /* it has logged "paused", and not yet "goes on" */
    bool left; /* some rows that it read are not committed, or their outcome is unknown: the next
                  start reads them again */
} pt_member_end;

/* owner: for pintail.epochs, unlike that of any other member. resumes: an earlier member paused, so
 * the log says "goes on" instead of "started". Another member may follow after PT_E_FENCED,
 * PT_E_SOURCE, PT_E_REWOUND, PT_E_REFUSED, PT_E_LAKE_CHANGED, PT_E_LAKE_DOWN, PT_E_LAKE_BUSY and
 * PT_E_KAFKA_DOWN. */
int pt_member_run(const pt_ingest_options *options, const char *owner, bool resumes,
                  pt_member_end *end, pt_error *err) PT_CHECKED;
