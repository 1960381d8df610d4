#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "lake/inlined.h"
#include "duck/transaction.h"
#include "ingest/workers_internal.h"

#define FOLD_ROWS 10000              /* in the catalog: reading them takes about as long as a commit */
#define FOLD_BYTES (8 << 20)          /* decoded, of what came since the start */
#define FOLD_LEDGER_ROWS 100000      /* which nobody reads but those who claim partitions, and check */
#define FOLD_LEDGER_SOON 10          /* in a test */
#define FOLD_AGAIN (10 * PT_SECOND)  /* after a failure */
#define FOLD_AGAIN_MOST (600 * PT_SECOND) /* the wait doubles up to here */
#define FOLD_SAID_AFTER 5            /* conflicts */
#define FOLD_AGAIN_SOON PT_SECOND    /* after a conflict, or when the catalog is back */

static const pt_target *target_of(const pt_workers *w, size_t table) {
    return table < w->n_targets ? w->targets[table] : pt_committer_ledger(w->committer);
}

bool pt_folding_keeps(const pt_part *part) {
    size_t n = pt_part_rows(part);
    return n && !part->staged && n <= part->target->inline_rows;
}

void pt_folding_note(pt_workers *w, const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_parts; i++) {
        const pt_part *part = &flush->parts[i];
        size_t n = pt_part_rows(part);
        if (pt_folding_keeps(part)) {
            w->inlined[i].rows += (int64_t)n;
            w->inlined[i].bytes += (int64_t)pt_rows_bytes(part->rows);
            w->inlined[i].since_us = w->inlined[i].since_us ? w->inlined[i].since_us : pt_monotonic_us();
        }
    }
    w->inlined[w->n_targets].rows += (int64_t)flush->n_entries;
}

/* Monotonic time when the table is to be folded; INT64_MAX: nothing to fold. */
static int64_t fold_due(const pt_workers *w, size_t table) {
    const pt_inlined *in = &w->inlined[table];
    bool ledger = table == w->n_targets;
    if (in->rows == 0 || (ledger && in->rows < (pt_rule_broken("fold-rarely") ? FOLD_LEDGER_SOON : FOLD_LEDGER_ROWS))) {
        return INT64_MAX;
    }
    int64_t due = ledger || in->rows >= FOLD_ROWS || in->bytes >= FOLD_BYTES ? 0 : in->since_us + w->fold_interval_us;
    return due > in->not_before_us ? due : in->not_before_us;
}

size_t pt_folding_next(const pt_workers *w, int64_t *next_us) {
    int64_t now = pt_monotonic_us();
    *next_us = now + 60 * PT_SECOND;
    for (size_t i = 0; i <= w->n_targets; i++) {
        int64_t due = fold_due(w, i);
        if (due <= now) {
            *next_us = now;
            return i;
        }
        *next_us = due < *next_us ? due : *next_us;
    }
    return SIZE_MAX;
}

void pt_folding_tell_due(pt_workers *w) {
    int64_t next_us;
    pt_line_fold_due(w->line, pt_committer_owns(w->committer) && pt_folding_next(w, &next_us) != SIZE_MAX);
}

/* A count that fails (another process may be dropping what is counted) stops nothing: the next fold finds what is there. */
static void count_table(pt_workers *w, pt_inlined *in, const pt_target *target) {
    pt_error ignored;
    in->bytes = 0;
    if (pt_inlined_count(pt_committer_engine(w->committer), pt_committer_session(w->committer), target, &in->rows, &ignored) != PT_OK) {
        in->rows = 1;
    }
    in->since_us = in->rows ? pt_monotonic_us() : 0;
}

/* The wait doubles with each failure. */
static void fold_later(pt_inlined *in, int64_t wait) {
    wait <<= in->failures < 9 ? in->failures - 1 : 8;
    in->not_before_us = pt_monotonic_us() + (wait < FOLD_AGAIN_MOST ? wait : FOLD_AGAIN_MOST);
}

/* No record is at stake: what fails before its COMMIT is tried again later, and if the catalog is away the next commit deals with that. */
static void fold_failed(pt_workers *w, pt_inlined *in, pt_flush *fold, pt_error *err) {
    bool committed;
    bool unknown = pt_transaction_unknown(err);
    bool soon = unknown || err->code == PT_E_LAKE_BUSY;
    if (err->code == PT_E_ANEW) {
        pt_line_fail(w->line, err);
        return;
    }
    if (++in->failures == (soon ? FOLD_SAID_AFTER : 1)) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows stay in the catalog for longer"), PT_STR("error", err->text));
    }
    if (unknown) {
        if (pt_workers_recover(w, fold, &committed, err)) {
            pt_line_go_on(w->line, PT_WORKER_COMMITTER);
            count_table(w, in, fold->parts->target);
        } else {
            pt_line_fail(w->line, err);
        }
    }
    fold_later(in, soon ? FOLD_AGAIN_SOON : FOLD_AGAIN);
}

/* Another process has folded them, or DuckLake folds none of this table. What other processes write meanwhile reads the same, once. */
static void nothing_folded(pt_workers *w, pt_inlined *in, const pt_target *target) {
    unsigned failures = in->failures + 1;
    *in = (pt_inlined){0};
    count_table(w, in, target);
    if (in->rows == 0) {
        return;
    }
    in->failures = failures;
    if (failures == 2) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows stay in the catalog for longer"), PT_STR("table", target->label), PT_INT("rows", in->rows),
               PT_STR("error", "DuckLake folds none of them; if its option auto_compact is off for this table, its schema or the lake, switch it on and start again"));
    }
    fold_later(in, failures > 1 ? FOLD_AGAIN : FOLD_AGAIN_SOON);
}

void pt_folding_run(pt_workers *w, size_t table) {
    pt_inlined *in = &w->inlined[table];
    pt_part part = {.target = target_of(w, table)};
    pt_flush fold = {.parts = &part, .n_parts = 1};
    pt_error err = {0};
    int64_t rows = 0;
    int64_t start = pt_monotonic_us();
    if (!pt_committer_owns(w->committer)) { /* those who have partitions fold */
        in->not_before_us = start + FOLD_AGAIN;
        return;
    }
    if (pt_committer_fold(w->committer, &fold, &rows, &err) != PT_OK) {
        fold_failed(w, in, &fold, &err);
    } else if (rows == 0) {
        nothing_folded(w, in, part.target);
    } else {
        *in = (pt_inlined){0};
        pt_log(PT_LOG_DEBUG, PT_EVENT("inlined rows written to files"), PT_STR("table", part.target->label), PT_INT("rows", rows), PT_INT("us", pt_monotonic_us() - start));
    }
    pt_part_forget_guards(&part);
}

int pt_folding_open(pt_workers *w, pt_error *err) {
    w->inlined = calloc(w->n_targets + 1, sizeof *w->inlined);
    if (!w->inlined) {
        return pt_fail_nomem(err, "the tables");
    }
    for (size_t i = 0; i <= w->n_targets; i++) {
        const pt_target *target = target_of(w, i);
        if (i == w->n_targets || target->inline_rows) { /* else what is there is somebody else's */
            count_table(w, &w->inlined[i], target);
        }
    }
    return PT_OK;
}

void pt_folding_retry(pt_workers *w) {
    for (size_t i = 0; i <= w->n_targets; i++) {
        w->inlined[i].not_before_us = 0;
    }
}
