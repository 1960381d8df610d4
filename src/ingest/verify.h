/* Whether the broker's log is still the one that was read. An unclean leader election or a restored
 * disk takes records back, and others come in their place under the same offsets. So reading begins
 * with the last record that the lake holds: it has to be the same one, by its time and leader
 * epoch. Where the lake does not have it any more, the broker is asked whether its log of that
 * epoch goes so far. The same again whenever a connection has ended, with the last record that was
 * read.
 *
 * Everything here belongs to the reader thread. */
#pragma once

#include "ingest/reader.h"
#include "kafka/consumer.h"
#include "lake/ledger.h"

/* At a claim, when p->next is known: fills where fetching begins, and what is compared there. */
void pt_verify_begin(pt_partition *partition, const pt_claim *claim, pt_assigned *assigned);

/* While a proof is awaited (partition->verify_at >= 0): for a record of the run; record NULL: for
 * the end of the partition, at the run's position. *again: the partition is fetched again, what
 * came is not for now. PT_E_KAFKA: the log is not the lake's; PT_E_REWOUND: it is not the one that
 * was read, the lake's own place is to be looked at. */
int pt_verify_see(pt_reader *reader, const pt_route *route, pt_partition *partition,
                  const pt_records *run, const pt_record *record, bool *again,
                  pt_error *err) PT_CHECKED;

/* The broker does not confirm the epoch: its log of that epoch ends at cut->end. Codes as above. */
int pt_verify_cut(pt_reader *reader, const pt_polled *cut, pt_error *err) PT_CHECKED;

/* Of every assigned partition: what was read last is to be proven, or where nothing was read only
 * the place. The caller frees *places. */
int pt_verify_again(pt_reader *reader, pt_place **places, size_t *n, pt_error *err) PT_CHECKED;
