/* Whether the broker's log is still the one that we have read. An unclean leader election or a
 * restored disk takes records back, and others come in their place under the same offsets. So the
 * reader begins with the last record that the lake holds: its time and leader epoch have to be the
 * same. Where the lake no longer has that record, the reader asks the broker whether its log of
 * that epoch reaches so far. It does the same whenever a connection has ended, with the last record
 * that it has read.
 *
 * Everything here belongs to the reader thread. */
#pragma once

#include "base/error.h"
#include "base/record.h"
#include "ingest/route.h"
#include "kafka/consumer.h"
#include "lake/ledger.h"

/* At a claim, when p->next is known: fills where to begin to fetch, and what to compare there. */
void pt_verify_begin(pt_partition *partition, const pt_claim *claim, pt_assigned *assigned);

typedef enum pt_proof {
    PT_PROOF_OVER,    /* none is awaited any more: what comes may be taken as far as it is new */
    PT_PROOF_AWAITED, /* what came is not for now */
    PT_PROOF_REFETCH, /* likewise; the partition is to be fetched again, from pt_verify_place on */
} pt_proof;

/* While a proof is awaited (partition->verify_at >= 0): for a record of the run; record NULL: for
 * the end of the partition, at the run's position. PT_E_KAFKA: the log is not the lake's;
 * PT_E_REWOUND: it is not the one that was read, the lake's own place is to be looked at. */
int pt_verify_see(const char *pipeline, const pt_route *route, pt_partition *partition,
                  const pt_records *run, const pt_record *record, pt_proof *proof,
                  pt_error *err) PT_CHECKED;
pt_place pt_verify_place(const pt_route *route, const pt_partition *partition, int32_t number);

/* The broker does not confirm the epoch: its log of that epoch ends at cut->end. Codes as above. */
int pt_verify_cut(const char *pipeline, pt_route *route, const pt_polled *cut,
                  pt_error *err) PT_CHECKED;

/* Of every assigned partition: what was read last is to be proven, or where nothing was read only
 * the place. The caller frees *places. */
int pt_verify_again(const pt_route *routes, size_t n_routes, pt_place **places, size_t *n,
                    pt_error *err) PT_CHECKED;
