/* What the commit of a flush says of itself (lake/commit_message.h). */
#pragma once

#include "lake/flush.h"

/* Of a flush or a reset: commit id, pipeline, and the offsets, rows and dead letters of each
 * partition; of more than 1,000 partitions the first ones, how many are left out, and the sums of
 * all. */
int pt_message_flush(pt_session *session, const char *pipeline, const pt_flush *flush,
                     pt_error *err) PT_CHECKED;
