/* What the committer's thread books for each topic: rows that were committed, records that the lake
 * refuses (ingest/tally.h). Of a route it uses what never changes, and the tally. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ingest/route.h"
#include "kafka/consumer.h"
#include "lake/flush.h"

/* The flush, or a piece of one, is committed. The consumer tells the group how far the lake is;
 * NULL: nobody does. */
void pt_account_committed(const pt_route *routes, size_t n_routes, pt_consumer *consumer,
                          const pt_flush *flush);
/* The lake refuses a record; passed: others of its flush and table were committed. Fills err:
 * PT_E_REFUSED, or why ingest ends. */
int pt_account_refused(const pt_route *routes, size_t n_routes, const char *topic,
                       int32_t partition, int64_t offset, const char *words, bool passed,
                       pt_error *err) PT_CHECKED;
/* Before its commit: the flush has refused records as dead letters. PT_OK: it may be committed,
 * although there is no row of their table beside them. */
int pt_account_alone(const pt_route *routes, size_t n_routes, const pt_flush *flush,
                     pt_error *err) PT_CHECKED;
