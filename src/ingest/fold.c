#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "ingest/workers_internal.h"

#define FOLD_ROWS         10000 /* in the catalog: reading them takes about as long as a commit */
#define FOLD_BYTES        (8 << 20) /* decoded, of what came since the start */
#define FOLD_LEDGER_ROWS  100000 /* which nobody reads but those who claim partitions, and check */
#define FOLD_LEDGER_SOON  10     /* in a test */
#define FOLD_AGAIN        (10 * PT_SECOND)  /* after a failure */
#define FOLD_AGAIN_MOST   (600 * PT_SECOND) /* the wait doubles up to here */
#define FOLD_LOGGED_AFTER 5                 /* conflicts */
#define FOLD_AGAIN_SOON   PT_SECOND         /* after a conflict, or when the catalog is back */

static const pt_table *target_of(const pt_workers *w, size_t table) {
    return table < w->n_tables ? w->tables[table] : pt_catalog_ledger(w->catalog);
}

bool pt_fold_keeps(const pt_slice *slice) {
    size_t n = pt_slice_rows(slice);
    return n && !slice->staged && n <= slice->table->inline_rows;
}

void pt_fold_note(pt_workers *w, const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        const pt_slice *slice = &flush->slices[i];
        size_t n = pt_slice_rows(slice);
        if (pt_fold_keeps(slice)) {
            w->inlined[i].rows += (int64_t)n;
            w->inlined[i].bytes += (int64_t)pt_rows_bytes(slice->rows);
            w->inlined[i].since_us = w->inlined[i].since_us ? w->inlined[i].since_us
                                                            : pt_monotonic_us();
        }
    }
    w->inlined[w->n_tables].rows += pt_catalog_ledger(w->catalog) ? (int64_t)flush->n_entries : 0;
}

/* Monotonic time when the table is to be folded; INT64_MAX: nothing to fold. */
static int64_t fold_due(const pt_workers *w, size_t table) {
    const pt_inlined *in = &w->inlined[table];
    bool ledger = table == w->n_tables;
    if (in->rows == 0 ||
        (ledger &&
         in->rows < (pt_rule_broken("fold-rarely") ? FOLD_LEDGER_SOON : FOLD_LEDGER_ROWS))) {
        return INT64_MAX;
    }
    int64_t due = ledger || in->rows >= FOLD_ROWS || in->bytes >= FOLD_BYTES
                      ? 0
                      : in->since_us + w->fold_interval_us;
    return due > in->not_before_us ? due : in->not_before_us;
}

size_t pt_fold_next(const pt_workers *w, int64_t *next_us) {
    int64_t now = pt_monotonic_us();
    *next_us = now + 60 * PT_SECOND;
    for (size_t i = 0; i <= w->n_tables; i++) {
        int64_t due = fold_due(w, i);
        if (due <= now) {
            *next_us = now;
            return i;
        }
        *next_us = due < *next_us ? due : *next_us;
    }
    return SIZE_MAX;
}

void pt_fold_set_due(pt_workers *w) {
    int64_t next_us;
    pt_line_fold_due(w->line, pt_catalog_owns(w->catalog) && pt_fold_next(w, &next_us) != SIZE_MAX);
}

/* A count that fails (another process may be dropping what is counted) stops nothing: the next fold
 * finds what is there. */
static void count_table(pt_workers *w, pt_inlined *in, const pt_table *target) {
    pt_upkeep count = {.kind = PT_UPKEEP_COUNT, .table = target};
    pt_error ignored;
    in->bytes = 0;
    in->rows = pt_catalog_upkeep(w->catalog, &count, &ignored) == PT_COMMITTED ? count.n : 1;
    in->since_us = in->rows ? pt_monotonic_us() : 0;
}

/* The wait doubles with each failure. */
static void fold_later(pt_inlined *in, int64_t wait) {
    wait <<= in->failures < 9 ? in->failures - 1 : 8;
    in->not_before_us = pt_monotonic_us() + (wait < FOLD_AGAIN_MOST ? wait : FOLD_AGAIN_MOST);
}

/* No record is at stake: what fails before its COMMIT is tried again later, and if the catalog is
 * away the next commit deals with that. */
static void fold_failed(pt_workers *w, pt_inlined *in, const pt_table *table, pt_outcome outcome,
                        pt_error *err) {
    bool soon = outcome == PT_UNKNOWN || outcome == PT_TRY_AGAIN;
    if (err->code == PT_E_LAKE_CHANGED) {
        pt_line_fail(w->line, err);
        return;
    }
    if (++in->failures == (soon ? FOLD_LOGGED_AFTER : 1)) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows stay in the catalog for longer"),
               PT_STR("error", err->text));
    }
    if (outcome == PT_UNKNOWN) {
        if (pt_workers_settle(w, NULL, err) == PT_TRY_AGAIN) {
            pt_line_go_on(w->line, PT_WORKER_COMMITTER);
            count_table(w, in, table);
        } else {
            pt_line_fail(w->line, err);
        }
    }
    fold_later(in, soon ? FOLD_AGAIN_SOON : FOLD_AGAIN);
}

/* Another process has folded them, or DuckLake folds none of this table. What other processes write
 * meanwhile reads the same, once. */
static void nothing_folded(pt_workers *w, pt_inlined *in, const pt_table *target) {
    unsigned failures = in->failures + 1;
    *in = (pt_inlined){0};
    count_table(w, in, target);
    if (in->rows == 0) {
        return;
    }
    in->failures = failures;
    if (failures == 2) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows stay in the catalog for longer"),
               PT_STR("table", target->label), PT_INT("rows", in->rows),
               PT_STR("error", "DuckLake folds none of them; if its option auto_compact is off for "
                               "this table, its schema or the lake, switch it on and start again"));
    }
    fold_later(in, failures > 1 ? FOLD_AGAIN : FOLD_AGAIN_SOON);
}

void pt_fold_run(pt_workers *w, size_t table) {
    pt_inlined *in = &w->inlined[table];
    pt_upkeep fold = {.kind = PT_UPKEEP_FOLD, .table = target_of(w, table)};
    pt_error err = {0};
    int64_t start = pt_monotonic_us();
    if (!pt_catalog_owns(w->catalog)) { /* those who have partitions fold */
        in->not_before_us = start + FOLD_AGAIN;
        return;
    }
    pt_outcome outcome = pt_catalog_upkeep(w->catalog, &fold, &err);
    if (outcome != PT_COMMITTED) {
        fold_failed(w, in, fold.table, outcome, &err);
    } else if (fold.n == 0) {
        nothing_folded(w, in, fold.table);
    } else {
        *in = (pt_inlined){0};
        pt_log(PT_LOG_DEBUG, PT_EVENT("inlined rows written to files"),
               PT_STR("table", fold.table->label), PT_INT("rows", fold.n),
               PT_INT("us", pt_monotonic_us() - start));
    }
}

int pt_fold_open(pt_workers *w, pt_error *err) {
    w->inlined = calloc(w->n_tables + 1, sizeof *w->inlined);
    if (!w->inlined) {
        return pt_fail_nomem(err, "the tables");
    }
    for (size_t i = 0; i <= w->n_tables; i++) {
        const pt_table *target = target_of(w, i);
        if (target &&
            (i == w->n_tables || target->inline_rows)) { /* else what is there is somebody else's */
            count_table(w, &w->inlined[i], target);
        }
    }
    return PT_OK;
}

void pt_fold_retry(pt_workers *w) {
    for (size_t i = 0; i <= w->n_tables; i++) {
        w->inlined[i].not_before_us = 0;
    }
}
