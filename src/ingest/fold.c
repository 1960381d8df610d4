#include "ingest/fold.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "ingest/backoff.h"

#define FOLD_ROWS         10000 /* in the catalog: reading them takes about as long as a commit */
#define FOLD_BYTES        (8 << 20) /* decoded, of what came since the start */
#define FOLD_LEDGER_ROWS  100000 /* which nobody reads but those who claim partitions, and check */
#define FOLD_LEDGER_SOON  10     /* in a test */
#define FOLD_LOGGED_AFTER 5      /* conflicts */

static const pt_table *target_of(const pt_fold *f, size_t table) {
    return table < f->n_tables ? f->tables[table] : pt_catalog_ledger(f->catalog);
}

bool pt_fold_keeps(const pt_slice *slice) {
    size_t n = pt_slice_rows(slice);
    return n && !slice->staged && n <= slice->table->inline_rows;
}

void pt_fold_note(pt_fold *f, const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        const pt_slice *slice = &flush->slices[i];
        size_t n = pt_slice_rows(slice);
        if (pt_fold_keeps(slice)) {
            f->inlined[i].rows += (int64_t)n;
            f->inlined[i].bytes += (int64_t)pt_rows_bytes(slice->rows);
            f->inlined[i].since_us = f->inlined[i].since_us ? f->inlined[i].since_us
                                                            : pt_monotonic_us();
        }
    }
    f->inlined[f->n_tables].rows += pt_catalog_ledger(f->catalog) ? (int64_t)flush->n_entries : 0;
}

/* Monotonic time when the table is to be folded; INT64_MAX: nothing to fold. */
static int64_t fold_due(const pt_fold *f, size_t table) {
    const pt_inlined *in = &f->inlined[table];
    bool ledger = table == f->n_tables;
    if (in->rows == 0 ||
        (ledger &&
         in->rows < (pt_rule_broken("fold-rarely") ? FOLD_LEDGER_SOON : FOLD_LEDGER_ROWS))) {
        return INT64_MAX;
    }
    int64_t due = ledger || in->rows >= FOLD_ROWS || in->bytes >= FOLD_BYTES
                      ? 0
                      : in->since_us + f->interval_us;
    return due > in->not_before_us ? due : in->not_before_us;
}

static int64_t due(void *arg) {
    const pt_fold *f = arg;
    int64_t first = INT64_MAX;
    for (size_t i = 0; i <= f->n_tables && pt_catalog_owns(f->catalog); i++) {
        int64_t table_due = fold_due(f, i);
        first = table_due < first ? table_due : first;
    }
    return first;
}

static size_t next_table(const pt_fold *f) {
    int64_t now = pt_monotonic_us();
    size_t table = 0;
    while (table < f->n_tables && fold_due(f, table) > now) {
        table++;
    }
    return table;
}

/* A count that fails (another process may be dropping what is counted) stops nothing: the next fold
 * finds what is there. */
static void count_table(pt_fold *f, pt_inlined *in, const pt_table *target) {
    pt_upkeep count = {.kind = PT_UPKEEP_COUNT, .table = target};
    pt_error ignored;
    in->bytes = 0;
    in->rows = pt_catalog_upkeep(f->catalog, &count, &ignored) == PT_COMMITTED ? count.n : 1;
    in->since_us = in->rows ? pt_monotonic_us() : 0;
}

static void fold_later(pt_inlined *in, pt_backoff_cause cause) {
    in->not_before_us = pt_monotonic_us() + pt_backoff_us(cause, in->failures);
}

/* No record is at stake: what fails before its COMMIT is tried again later, and if the catalog is
 * away the next commit deals with that. */
static pt_outcome fold_failed(pt_inlined *in, pt_outcome outcome, const pt_error *err) {
    bool soon = outcome == PT_UNKNOWN || outcome == PT_TRY_AGAIN;
    if (err->code == PT_E_LAKE_CHANGED) {
        return PT_REFUSED;
    }
    if (++in->failures == (soon ? FOLD_LOGGED_AFTER : 1)) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows stay in the catalog for longer"),
               PT_STR("error", err->text));
    }
    fold_later(in, soon ? PT_BACKOFF_JOB_CONFLICT : PT_BACKOFF_JOB_FAILED);
    return outcome == PT_UNKNOWN ? PT_UNKNOWN : PT_TRY_AGAIN;
}

/* What the lost run has done, the catalog knows by now. */
static void settle(void *arg) {
    pt_fold *f = arg;
    count_table(f, &f->inlined[f->unsettled], target_of(f, f->unsettled));
}

/* Another process has folded them, or DuckLake folds none of this table. What other processes write
 * meanwhile reads the same, once. */
static void nothing_folded(pt_fold *f, pt_inlined *in, const pt_table *target) {
    unsigned failures = in->failures + 1;
    *in = (pt_inlined){0};
    count_table(f, in, target);
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
    fold_later(in, failures > 1 ? PT_BACKOFF_JOB_FAILED : PT_BACKOFF_JOB_CONFLICT);
}

static pt_outcome run(void *arg, pt_error *err) {
    pt_fold *f = arg;
    size_t table = next_table(f);
    pt_inlined *in = &f->inlined[table];
    pt_upkeep fold = {.kind = PT_UPKEEP_FOLD, .table = target_of(f, table)};
    int64_t start = pt_monotonic_us();
    f->unsettled = table;
    pt_outcome outcome = pt_catalog_upkeep(f->catalog, &fold, err);
    if (outcome != PT_COMMITTED) {
        return fold_failed(in, outcome, err);
    }
    if (fold.n == 0) {
        nothing_folded(f, in, fold.table);
    } else {
        *in = (pt_inlined){0};
        pt_log(PT_LOG_DEBUG, PT_EVENT("inlined rows written to files"),
               PT_STR("table", fold.table->label), PT_INT("rows", fold.n),
               PT_INT("us", pt_monotonic_us() - start));
    }
    return PT_COMMITTED;
}

pt_job pt_fold_job(pt_fold *fold) {
    return (pt_job){
        .name = "folding", .awaited = true, .due = due, .run = run, .settle = settle, .arg = fold};
}

void pt_fold_close(pt_fold *f) {
    free(f->inlined);
    f->inlined = NULL;
}

int pt_fold_open(pt_fold *f, pt_error *err) {
    f->inlined = calloc(f->n_tables + 1, sizeof *f->inlined);
    if (!f->inlined) {
        return pt_fail_nomem(err, "the tables");
    }
    for (size_t i = 0; i <= f->n_tables; i++) {
        const pt_table *target = target_of(f, i);
        if (target &&
            (i == f->n_tables || target->inline_rows)) { /* else what is there is somebody else's */
            count_table(f, &f->inlined[i], target);
        }
    }
    return PT_OK;
}

void pt_fold_retry(pt_fold *f) {
    for (size_t i = 0; i <= f->n_tables; i++) {
        f->inlined[i].not_before_us = 0;
    }
}
