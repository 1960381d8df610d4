/* The ledger rows that a batch is sealed with. */
#include <stdlib.h>

#include "base/failpoint.h"
#include "ingest/reader.h"

bool pt_reader_has_rows(const pt_reader *r) {
    return r->batch && r->batch->records > 0;
}

static int add_entry(pt_reader *r, const pt_route *route, int32_t partition,
                     const pt_ledger_entry *what, pt_error *err) {
    pt_ledger_entry *entry = pt_flush_add_entry(r->batch->flush);
    if (!entry) {
        return pt_fail_nomem(err, "the ledger rows of a flush");
    }
    *entry = *what;
    entry->topic = route->topic;
    entry->partition = partition;
    entry->cluster_id = r->cluster_id;
    entry->topic_id = route->topic_id;
    entry->target_table = route->table->label;
    return PT_OK;
}

static int add_entries(pt_reader *r, pt_route *route, pt_error *err) {
    for (int32_t i = 0; i < route->n_partitions; i++) {
        pt_partition *p = &route->partitions[i];
        if (!p->assigned || (p->position <= p->sealed && p->skipped_from < 0)) {
            continue;
        }
        if (p->skipped_from >= 0) {
            PT_TRY(add_entry(r, route, i,
                             &(pt_ledger_entry){.kind = "skip",
                                                .from_offset = p->skipped_from,
                                                .next_offset = p->sealed,
                                                .leader_epoch = -1},
                             err));
            p->skipped_from = -1;
        }
        if (p->position > p->sealed) {
            PT_TRY(add_entry(r, route, i,
                             &(pt_ledger_entry){.kind = "commit",
                                                .from_offset = p->sealed,
                                                .next_offset = p->position,
                                                .rows = p->rows,
                                                .dead_letters = p->dead_letters,
                                                .leader_epoch = p->rows + p->dead_letters > 0 &&
                                                                        p->last_offset ==
                                                                            p->position - 1
                                                                    ? p->last_epoch
                                                                    : -1},
                             err));
        }
        p->sealed = p->next = p->position;
        route->tally->rows += (uint64_t)p->rows;
        p->rows = p->dead_letters = 0;
    }
    return PT_OK;
}

/* Whether there is a ledger row to add even without a row of a table. */
static bool moved(const pt_reader *r) {
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t k = 0; k < r->routes[i].n_partitions; k++) {
            const pt_partition *p = &r->routes[i].partitions[k];
            if (p->assigned && (p->position > p->sealed || p->skipped_from >= 0)) {
                return true;
            }
        }
    }
    return false;
}

int pt_reader_seal(pt_reader *r, bool with_positions, pt_error *err) {
    if (!r->batch && with_positions && moved(r)) {
        r->batch = pt_batches_take_free(r->batches, r->options->stop_timeout_us);
    }
    if (!r->batch || (!r->batch->records && !with_positions)) {
        return PT_OK;
    }
    (void)pt_failpoint("seal.before");
    for (size_t i = 0; i < r->n_routes; i++) {
        PT_TRY(add_entries(r, &r->routes[i], err));
    }
    pt_batch *batch = r->batch;
    r->batch = NULL;
    r->jumped = false;
    if (batch->flush->n_entries) {
        pt_batches_seal(r->batches, batch);
    } else {
        pt_batches_return(r->batches, batch);
    }
    return PT_OK;
}

void pt_reader_drop(pt_reader *r) {
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t k = 0; k < r->routes[i].n_partitions; k++) {
            r->routes[i].partitions[k].assigned =
                false; /* its position includes rows that we drop: it must not reach the ledger */
        }
    }
    if (r->batch) {
        pt_batches_return(r->batches, r->batch);
        r->batch = NULL;
    }
}
