#include "ingest/batches.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"

int pt_line_init(pt_line *line, const pt_table *const *tables, size_t n_tables, pt_error *err) {
    memset(line, 0, sizeof *line);
    line->keep_bytes = SIZE_MAX;
    pt_cond_init(&line->changed);
    (void)pthread_mutex_init(&line->lock, NULL);
    for (size_t i = 0; i < PT_BATCHES; i++) {
        int code = pt_flush_new(tables, n_tables, &line->batches[i].flush, err);
        if (code != PT_OK) {
            return code;
        }
        line->batches[i].next = line->free;
        line->free = &line->batches[i];
    }
    return PT_OK;
}

void pt_line_clear(pt_line *line) {
    for (size_t i = 0; i < PT_BATCHES; i++) {
        pt_flush_free(&line->batches[i].flush);
    }
    (void)pthread_cond_destroy(&line->changed);
    (void)pthread_mutex_destroy(&line->lock);
}

static void append(pt_batch **list, pt_batch *batch) {
    batch->next = NULL;
    while (*list) {
        list = &(*list)->next;
    }
    *list = batch;
}

static pt_batch *take_first(pt_batch **list) {
    pt_batch *batch = *list;
    if (batch) {
        *list = batch->next;
        batch->next = NULL;
    }
    return batch;
}

static void signal_change(pt_line *line) {
    (void)pthread_cond_broadcast(&line->changed);
}

/* Waits for a change until the deadline; false when it has passed. Under the lock. */
static bool wait_until(pt_line *line, int64_t deadline_us) {
    struct timespec t = pt_deadline(deadline_us);
    return pthread_cond_timedwait(&line->changed, &line->lock, &t) == 0 ||
           pt_monotonic_us() < deadline_us;
}

pt_batch *pt_line_take_free(pt_line *line, int64_t timeout_us) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&line->lock);
    while (!line->free && line->code == PT_OK && wait_until(line, deadline)) {
    }
    pt_batch *batch = line->code == PT_OK ? take_first(&line->free) : NULL;
    pthread_mutex_unlock(&line->lock);
    if (batch) {
        pt_flush_reset(batch->flush, line->keep_bytes);
        batch->opened_us = batch->newest_us = batch->sealed_us = 0;
        batch->shared = SIZE_MAX;
        batch->dropped = batch->halted = false;
    }
    return batch;
}

void pt_line_offer(pt_line *line, pt_batch *batch, size_t slice) {
    pthread_mutex_lock(&line->lock);
    batch->shared = slice;
    if (!line->patience) {
        pt_rows_share(batch->flush->slices[slice].rows);
        line->offered = batch;
    }
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

/* Under the lock: no more rows come. */
static void finish(pt_line *line, pt_batch *batch, bool complete) {
    if (batch->shared != SIZE_MAX && !batch->halted) {
        pt_rows_finish(batch->flush->slices[batch->shared].rows, complete);
    }
    if (line->offered == batch) {
        line->offered = NULL;
    }
}

void pt_line_seal(pt_line *line, pt_batch *batch) {
    pthread_mutex_lock(&line->lock);
    batch->sealed_us = pt_monotonic_us();
    finish(line, batch, true);
    append(&line->to_stage, batch);
    line->under_way++;
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

void pt_line_return(pt_line *line, pt_batch *batch) {
    pthread_mutex_lock(&line->lock);
    finish(line, batch, false);
    line->left |= pt_flush_rows(batch->flush) > 0;
    if (line->ahead == batch) {
        batch->dropped = true; /* the stager gives it back */
    } else {
        append(&line->free, batch);
    }
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

size_t pt_line_under_way(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    size_t n = line->under_way;
    pthread_mutex_unlock(&line->lock);
    return n;
}

void pt_line_hold_folds(pt_line *line, bool hold) {
    pthread_mutex_lock(&line->lock);
    line->hold_folds = hold;
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

void pt_line_folded(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    line->folding = false;
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

void pt_line_fold_due(pt_line *line, bool due) {
    pthread_mutex_lock(&line->lock);
    line->fold_due = due;
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

static bool is_busy(const pt_line *line) {
    return line->under_way || line->folding || (line->fold_due && !line->hold_folds);
}

/* Under the lock. */
static void halt_ahead(pt_line *line) {
    if (line->offered) {
        pt_rows_finish(line->offered->flush->slices[line->offered->shared].rows, true);
        line->offered = NULL;
    }
    if (line->ahead && !line->ahead->sealed_us && !line->ahead->dropped) {
        line->ahead->halted = true;
        pt_rows_finish(line->ahead->flush->slices[line->ahead->shared].rows, false);
    }
}

void pt_line_patience(pt_line *line, bool wanted) {
    pthread_mutex_lock(&line->lock);
    line->patience = wanted;
    if (wanted) {
        halt_ahead(line);
    }
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

bool pt_line_drain(pt_line *line, int64_t timeout_us) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    pthread_mutex_lock(&line->lock);
    while (is_busy(line) && line->code == PT_OK) {
        bool in_time = wait_until(line, deadline);
        if (line->patience && !pt_stop_asked()) {
            deadline = pt_monotonic_us() + timeout_us;
        } else if (!in_time) {
            break;
        }
    }
    bool drained = !is_busy(line) && line->code == PT_OK;
    pthread_mutex_unlock(&line->lock);
    return drained;
}

void pt_line_abandon(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    line->abandon = true;
    signal_change(line);
    while (line->under_way || line->folding) {
        (void)wait_until(line, pt_monotonic_us() + PT_SECOND);
    }
    line->abandon = false;
    pthread_mutex_unlock(&line->lock);
}

int pt_line_claim(pt_line *line, pt_claim *claims, size_t n_claims, pt_error *err) {
    pthread_mutex_lock(&line->lock);
    line->claims = claims;
    line->n_claims = n_claims;
    line->claim_state = PT_CLAIM_ASKED;
    signal_change(line);
    while (line->claim_state != PT_CLAIM_DONE) {
        (void)wait_until(line, pt_monotonic_us() + PT_SECOND);
    }
    line->claim_state = PT_CLAIM_NONE;
    int code = line->claim_code;
    if (code != PT_OK) {
        *err = line->claim_error;
    }
    pthread_mutex_unlock(&line->lock);
    return code;
}

pt_batch *pt_line_next_to_stage(pt_line *line, size_t *slice) {
    pthread_mutex_lock(&line->lock);
    while (!line->to_stage && !line->offered && !line->end) {
        (void)wait_until(line, pt_monotonic_us() + 60 * PT_SECOND);
    }
    pt_batch *batch = take_first(&line->to_stage);
    *slice = SIZE_MAX;
    if (!batch && !line->end) {
        batch = line->ahead = line->offered;
        line->offered = NULL;
        *slice = batch ? batch->shared : SIZE_MAX;
    }
    pthread_mutex_unlock(&line->lock);
    return batch;
}

void pt_line_ahead_done(pt_line *line, pt_batch *batch) {
    pthread_mutex_lock(&line->lock);
    line->ahead = NULL;
    if (batch->halted) { /* now that nobody follows, they are as if they had not been offered */
        pt_rows_finish(batch->flush->slices[batch->shared].rows, true);
        batch->halted = false;
    }
    if (batch->dropped) {
        append(&line->free, batch);
    } else if (batch->sealed_us) {
        batch->flush->stage_us += pt_monotonic_us() - batch->sealed_us;
    }
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

void pt_line_staged(pt_line *line, pt_batch *batch) {
    pthread_mutex_lock(&line->lock);
    append(&line->to_commit, batch);
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

void pt_line_done(pt_line *line, pt_batch *batch) {
    pthread_mutex_lock(&line->lock);
    append(&line->free, batch);
    line->under_way--;
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

void pt_line_give_up(pt_line *line, pt_batch *batch) {
    pthread_mutex_lock(&line->lock);
    line->left |= pt_flush_rows(batch->flush) > 0;
    pthread_mutex_unlock(&line->lock);
    pt_line_done(line, batch);
}

bool pt_line_left_rows(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    bool left = line->left;
    pthread_mutex_unlock(&line->lock);
    return left;
}

bool pt_line_abandoned(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    bool abandoned = line->abandon || line->code != PT_OK;
    pthread_mutex_unlock(&line->lock);
    return abandoned;
}

void pt_line_fail(pt_line *line, const pt_error *why) {
    pthread_mutex_lock(&line->lock);
    if (line->code == PT_OK) {
        line->code = (int)why->code;
        line->why = *why;
    }
    signal_change(line);
    pthread_mutex_unlock(&line->lock);
}

int pt_line_failed(pt_line *line, pt_error *err) {
    pthread_mutex_lock(&line->lock);
    int code = line->code;
    if (code != PT_OK) {
        *err = line->why;
    }
    pthread_mutex_unlock(&line->lock);
    return code;
}

/* Under no lock. Returns what the worker waited for before. */
static const char *set_paused(pt_line *line, pt_worker who, const char *what) {
    pthread_mutex_lock(&line->lock);
    const char *before = line->paused[who];
    line->paused[who] = what;
    pthread_mutex_unlock(&line->lock);
    return before;
}

void pt_line_pause(pt_line *line, pt_worker who, const char *what, const pt_error *why) {
    const char *before = set_paused(line, who, what);
    if (!before || strcmp(before, what) != 0) {
        pt_log(PT_LOG_WARN, PT_EVENT("paused"), PT_STR("waiting_for", what),
               PT_STR("error", why->text));
    }
}

bool pt_line_paused(pt_line *line) {
    bool paused = false;
    pthread_mutex_lock(&line->lock);
    for (int who = 0; who < PT_WORKERS; who++) {
        paused |= line->paused[who] != NULL;
    }
    pthread_mutex_unlock(&line->lock);
    return paused;
}

void pt_line_go_on(pt_line *line, pt_worker who) {
    const char *before = set_paused(line, who, NULL);
    if (before) {
        pt_log(PT_LOG_INFO, PT_EVENT("goes on"), PT_STR("waited_for", before));
    }
}
