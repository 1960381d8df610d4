/* Where a partition that was assigned begins. The ledger's next offset decides, if the broker still
 * has it and the topic is still the same one. The group's offsets in Kafka decide nothing. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "ingest/reader.h"
#include "kafka/consumer.h"
#include "lake/ledger.h"

/* *skipped_from: -1, or from where the lake jumps to *start: --start latest, or --on-missing-data
 * skip when the broker no longer has what comes next. PT_E_KAFKA: the ledger's
 * offsets are of another topic, or the broker no longer has them; the text names topic, partition,
 * both offsets and the ways out. */
int pt_start_find(pt_reader *reader, const pt_assigned *assigned, const pt_claim *claim,
                  int64_t *start, int64_t *skipped_from, pt_error *err) PT_CHECKED;
