#include "ingest/batches.h"

#include <string.h>

#include "base/clock.h"
#include "base/signals.h"

/* Bytes: to measure a batch takes far longer than to add a record. */
#define MEASURE_EVERY   ((uint64_t)1 << 20)
#define AWAITED_WITHIN  1000            /* records beyond the limit while it awaits a row */
#define ROW_AWAITED_FOR (5 * PT_SECOND) /* beyond its interval, likewise */

int pt_batches_init(pt_batches *b, pt_monitor *monitor, const pt_table *const *tables,
                    size_t n_tables, pt_error *err) {
    *b = (pt_batches){.monitor = monitor, .keep_bytes = SIZE_MAX};
    for (size_t i = 0; i < PT_BATCHES; i++) {
        PT_TRY(pt_flush_new(tables, n_tables, &b->batches[i].flush, err));
        b->batches[i].next = b->free;
        b->free = &b->batches[i];
    }
    return PT_OK;
}

void pt_batches_clear(pt_batches *b) {
    for (size_t i = 0; i < PT_BATCHES; i++) {
        pt_flush_free(&b->batches[i].flush);
        pt_plan_release(&b->batches[i].plan);
    }
    pt_plan_release(&b->plan);
}

void pt_batch_append(pt_batch **list, pt_batch *batch) {
    batch->next = NULL;
    while (*list) {
        list = &(*list)->next;
    }
    *list = batch;
}

pt_batch *pt_batch_take_first(pt_batch **list) {
    pt_batch *batch = *list;
    if (batch) {
        *list = batch->next;
        batch->next = NULL;
    }
    return batch;
}

/* ---- the reader ---- */

void pt_batches_use(pt_batches *b, pt_plan *plan) {
    pt_plan *before = b->plan;
    b->plan = pt_plan_hold(plan);
    pt_plan_release(&before);
}

static bool fits(const pt_flush *flush, const pt_plan *plan) {
    bool same = flush->n_slices == plan->n_tables;
    for (size_t i = 0; same && i < plan->n_tables; i++) {
        same = flush->slices[i].table == plan->tables[i];
    }
    return same;
}

/* A batch that nobody else has: for the tables of the plan in use. */
static int begin(const pt_batches *b, pt_batch *batch, pt_error *err) {
    if (batch->plan == b->plan) {
        return PT_OK;
    }
    if (!fits(batch->flush, b->plan)) {
        pt_flush *flush = NULL;
        PT_TRY(
            pt_flush_new((const pt_table *const *)b->plan->tables, b->plan->n_tables, &flush, err));
        pt_flush_free(&batch->flush);
        batch->flush = flush;
    }
    pt_plan_release(&batch->plan);
    batch->plan = pt_plan_hold(b->plan);
    return PT_OK;
}

static void put_back(pt_batches *b, pt_batch *batch, const pt_error *why) {
    pt_monitor_fail(b->monitor, why);
    pthread_mutex_lock(&b->monitor->lock);
    pt_batch_append(&b->free, batch);
    pthread_mutex_unlock(&b->monitor->lock);
}

pt_batch *pt_batches_take_free(pt_batches *b, int64_t timeout_us) {
    pt_monitor *m = b->monitor;
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&m->lock);
    while (!b->free && m->code == PT_OK && pt_monitor_wait(m, deadline)) {
    }
    pt_batch *batch = m->code == PT_OK ? pt_batch_take_first(&b->free) : NULL;
    pthread_mutex_unlock(&m->lock);
    pt_error err;
    if (batch && begin(b, batch, &err) != PT_OK) {
        put_back(b, batch, &err);
        return NULL;
    }
    if (batch) {
        pt_flush_reset(batch->flush, b->keep_bytes);
        batch->opened_us = batch->sealed_us = 0;
        batch->records = batch->unmeasured = 0;
        batch->shared = SIZE_MAX;
        batch->dropped = batch->halted = false;
    }
    return batch;
}

void pt_batches_offer(pt_batches *b, pt_batch *batch, size_t slice) {
    pthread_mutex_lock(&b->monitor->lock);
    batch->shared = slice;
    if (!b->in_pieces) {
        pt_rows_share(batch->flush->slices[slice].rows);
        b->offered = batch;
    }
    pt_monitor_signal(b->monitor);
    pthread_mutex_unlock(&b->monitor->lock);
}

/* Under the lock: no more rows come. */
static void finish(pt_batches *b, pt_batch *batch, bool complete) {
    if (batch->shared != SIZE_MAX && !batch->halted) {
        pt_rows_finish(batch->flush->slices[batch->shared].rows, complete);
    }
    if (b->offered == batch) {
        b->offered = NULL;
    }
}

void pt_batches_seal(pt_batches *b, pt_batch *batch) {
    pthread_mutex_lock(&b->monitor->lock);
    batch->sealed_us = pt_monotonic_us();
    finish(b, batch, true);
    pt_batch_append(&b->to_stage, batch);
    b->under_way++;
    pt_monitor_signal(b->monitor);
    pthread_mutex_unlock(&b->monitor->lock);
}

void pt_batches_return(pt_batches *b, pt_batch *batch) {
    pthread_mutex_lock(&b->monitor->lock);
    finish(b, batch, false);
    b->rows_left += (uint64_t)pt_flush_rows(batch->flush);
    if (b->ahead == batch) {
        batch->dropped = true; /* the stager gives it back */
    } else {
        pt_batch_append(&b->free, batch);
    }
    pt_monitor_signal(b->monitor);
    pthread_mutex_unlock(&b->monitor->lock);
}

bool pt_batches_drain(pt_batches *b, int64_t timeout_us) {
    pt_monitor *m = b->monitor;
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&m->lock);
    while (b->under_way && m->code == PT_OK) {
        bool in_time = pt_monitor_wait(m, deadline);
        if (b->in_pieces && !pt_stop_asked()) {
            deadline = pt_monotonic_us() + timeout_us;
        } else if (!in_time) {
            break;
        }
    }
    bool drained = !b->under_way && m->code == PT_OK;
    pthread_mutex_unlock(&m->lock);
    return drained;
}

void pt_batches_abandon(pt_batches *b) {
    pt_monitor *m = b->monitor;
    pthread_mutex_lock(&m->lock);
    m->abandon = true;
    pt_monitor_signal(m);
    while (b->under_way) {
        (void)pt_monitor_wait(m, pt_monotonic_us() + PT_SECOND);
    }
    m->abandon = false;
    pthread_mutex_unlock(&m->lock);
}

bool pt_batches_left_rows(pt_batches *b) {
    pthread_mutex_lock(&b->monitor->lock);
    bool left = b->rows_left > 0;
    pthread_mutex_unlock(&b->monitor->lock);
    return left;
}

/* ---- the reader: when the open batch is to be sealed ---- */

bool pt_batch_awaits_row(const pt_batch *batch) {
    const pt_flush *flush = batch->flush;
    for (size_t i = 0; i < flush->n_suspects; i++) {
        if (pt_rows_count(flush->slices[flush->suspects[i].slice].rows) == 0) {
            return true;
        }
    }
    return false;
}

bool pt_batch_full(pt_batch *batch, const pt_batch_limits *limits) {
    if (batch->records >= limits->records + (pt_batch_awaits_row(batch) ? AWAITED_WITHIN : 0)) {
        return true;
    }
    if (batch->unmeasured < MEASURE_EVERY && batch->unmeasured < limits->bytes / 16) {
        return false;
    }
    batch->unmeasured = 0;
    return pt_flush_bytes(batch->flush) >= limits->bytes ||
           pt_flush_memory(batch->flush) >= limits->memory;
}

int64_t pt_batch_time_left(const pt_batch *batch, const pt_batch_limits *limits) {
    int64_t awaited = pt_batch_awaits_row(batch) ? ROW_AWAITED_FOR : 0;
    int64_t left = batch->opened_us + limits->interval_us + awaited - pt_monotonic_us();
    return left > 0 ? left : 0;
}

bool pt_batches_queued(pt_batches *b) {
    pthread_mutex_lock(&b->monitor->lock);
    bool queued = b->under_way >= PT_BATCHES - 1;
    pthread_mutex_unlock(&b->monitor->lock);
    return queued;
}

bool pt_batches_due(pt_batches *b, const pt_batch *batch) {
    return batch && batch->records && pt_batch_time_left(batch, &b->limits) == 0 &&
           !pt_batches_queued(b);
}

/* ---- the stager ---- */

pt_batch *pt_batches_next_to_stage(pt_batches *b, size_t *slice) {
    pt_monitor *m = b->monitor;
    pthread_mutex_lock(&m->lock);
    while (!b->to_stage && !b->offered && !m->end) {
        (void)pt_monitor_wait(m, pt_monotonic_us() + 60 * PT_SECOND);
    }
    pt_batch *batch = pt_batch_take_first(&b->to_stage);
    *slice = SIZE_MAX;
    if (!batch && !m->end) {
        batch = b->ahead = b->offered;
        b->offered = NULL;
        *slice = batch ? batch->shared : SIZE_MAX;
    }
    pthread_mutex_unlock(&m->lock);
    return batch;
}

void pt_batches_ahead_done(pt_batches *b, pt_batch *batch) {
    pthread_mutex_lock(&b->monitor->lock);
    b->ahead = NULL;
    if (batch->halted) { /* nobody follows its rows any more: as if it had not been offered */
        pt_rows_finish(batch->flush->slices[batch->shared].rows, true);
        batch->halted = false;
    }
    if (batch->dropped) {
        pt_batch_append(&b->free, batch);
    } else if (batch->sealed_us) {
        batch->flush->stage_us += pt_monotonic_us() - batch->sealed_us;
    }
    pt_monitor_signal(b->monitor);
    pthread_mutex_unlock(&b->monitor->lock);
}

/* ---- the stager and the committer ---- */

void pt_batches_done(pt_batches *b, pt_batch *batch) {
    pthread_mutex_lock(&b->monitor->lock);
    pt_batch_append(&b->free, batch);
    b->under_way--;
    pt_monitor_signal(b->monitor);
    pthread_mutex_unlock(&b->monitor->lock);
}

void pt_batches_give_up(pt_batches *b, pt_batch *batch) {
    pthread_mutex_lock(&b->monitor->lock);
    b->rows_left += (uint64_t)pt_flush_rows(batch->flush);
    pthread_mutex_unlock(&b->monitor->lock);
    pt_batches_done(b, batch);
}

/* Under the lock. */
static void halt_ahead(pt_batches *b) {
    if (b->offered) {
        pt_rows_finish(b->offered->flush->slices[b->offered->shared].rows, true);
        b->offered = NULL;
    }
    if (b->ahead && !b->ahead->sealed_us && !b->ahead->dropped) {
        b->ahead->halted = true;
        pt_rows_finish(b->ahead->flush->slices[b->ahead->shared].rows, false);
    }
}

void pt_batches_in_pieces(pt_batches *b, bool wanted) {
    pthread_mutex_lock(&b->monitor->lock);
    b->in_pieces = wanted;
    if (wanted) {
        halt_ahead(b);
    }
    pt_monitor_signal(b->monitor);
    pthread_mutex_unlock(&b->monitor->lock);
}
