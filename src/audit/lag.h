/* What the broker says of the partitions that an audit found: how far behind they are. */
#pragma once

#include "audit/findings.h"
#include "base/error.h"
#include "kafka/watermarks.h"

/* Fills lag and behind_us of the audit's partitions, and adds partitions of their topics that were
 * never committed. What cannot be told (another cluster, a topic that is gone) becomes a note. */
int pt_lag_measure(pt_audit *audit, pt_watermarks *watermarks, pt_error *err) PT_CHECKED;

/* Findings for each pipeline and topic with more than so many records or dead letters; -1: no
 * threshold. A lag that is unknown is an error. */
int pt_lag_judge(pt_audit *audit, int64_t max_lag, int64_t max_dead_letters,
                 pt_error *err) PT_CHECKED;
