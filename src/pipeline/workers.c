#include "pipeline/workers.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "lake/inlined.h"
#include "lake/registered.h"
#include "lake/transaction.h"

#define UNCLASSIFIED_TRIES 5 /* attempts at a commit that fails for a reason that we cannot place */
#define INLINED_TRIES 2      /* of these, with rows that are to stay in the catalog */
#define FOLD_ROWS 10000              /* in the catalog: reading them takes about as long as a commit */
#define FOLD_BYTES (8 << 20)          /* decoded, of what came since the start */
#define FOLD_LEDGER_ROWS 100000      /* which nobody reads but those who claim partitions, and check */
#define FOLD_LEDGER_SOON 10          /* in a test */
#define FOLD_AGAIN (10 * PT_SECOND)  /* after a failure */
#define FOLD_AGAIN_MOST (600 * PT_SECOND) /* the wait doubles up to here */
#define FOLD_SAID_AFTER 5            /* conflicts */
#define FOLD_AGAIN_SOON PT_SECOND    /* after a conflict, or when the catalog is back */
#define CLAIM_FOR (30 * PT_SECOND)   /* far below max.poll.interval.ms: a rebalance waits for it. Then the run ends, and may begin anew */

/* ---- stager -------------------------------------------------------------------------------------------- */

/* What may pass by waiting: a full disk, an object store out of reach. Not a DuckDB that failed inside: what this batch did to it, it does again. */
static bool may_pass(const pt_error *err) {
    return (err->code == PT_E_LAKE_DOWN || err->code == PT_E_LAKE_BUSY) && !strstr(err->text, "has been invalidated");
}

static void wait_before(pt_line *line, unsigned attempt) {
    if (!pt_line_abandoned(line)) {
        pt_backoff(attempt);
    }
}

static void stage_batch(pt_workers *w, pt_batch *batch) {
    pt_error err;
    for (unsigned attempt = 1; !pt_line_abandoned(w->line); attempt++) {
        if (pt_stage(w->stager, batch->flush, &err) == PT_OK) {
            pt_line_go_on(w->line, PT_WORKER_STAGER);
            if (w->checked(w->arg, &err) == PT_OK) {
                pt_line_staged(w->line, batch);
                return;
            }
        }
        if (!may_pass(&err)) {
            pt_line_fail(w->line, &err);
            break;
        }
        pt_line_pause(w->line, PT_WORKER_STAGER, "staging", &err);
        wait_before(w->line, attempt);
    }
    pt_unstage(pt_stager_session(w->stager), batch->flush);
    pt_line_give_up(w->line, batch);
}

static void *stager_main(void *arg) {
    pt_workers *w = arg;
    pt_batch *batch;
    size_t part;
    while ((batch = pt_line_next_to_stage(w->line, &part)) != NULL) {
        if (part == SIZE_MAX) {
            stage_batch(w, batch);
        } else {
            pt_error err;
            int ignored = pt_stage_ahead(w->stager, batch->flush, part, &err);
            (void)ignored; /* once it is sealed, it is staged as any other, and that says what is wrong */
            pt_line_ahead_done(w->line, batch);
        }
    }
    return NULL;
}

/* ---- committer ----------------------------------------------------------------------------------------- */

static void count(pt_workers *w, const pt_flush *flush) {
    pt_line *line = w->line;
    pthread_mutex_lock(&line->lock);
    size_t dead = pt_rows_count(flush->parts[flush->n_parts - 1].rows);
    line->counters.rows += (uint64_t)pt_flush_rows(flush) - dead;
    line->counters.dead_letters += dead;
    line->counters.commits++;
    line->counters.conflicts = pt_committer_conflicts(w->committer);
    line->counters.last_commit_us = pt_monotonic_us();
    line->counters.stage_us += flush->stage_us;
    line->counters.commit_us += flush->commit_us;
    pthread_mutex_unlock(&line->lock);
}

/* Until the catalog answers again: true when the outcome of the flush is settled, *committed says which. */
static bool recover(pt_workers *w, pt_flush *flush, bool *committed, pt_error *err) {
    pt_line_pause(w->line, PT_WORKER_COMMITTER, "catalog", err);
    for (unsigned attempt = 1; !pt_line_abandoned(w->line); attempt++) {
        wait_before(w->line, attempt);
        int code = pt_committer_recover(w->committer, flush, committed, err);
        if (code == PT_OK) {
            return true;
        }
        if (code != PT_E_LAKE_DOWN && code != PT_E_LAKE_BUSY) {
            return false;
        }
    }
    return false;
}

/* ---- folding: what small parts left in the catalog goes to files ---------------------------------------- */

static const pt_target *target_of(const pt_workers *w, size_t table) {
    return table < w->n_targets ? w->targets[table] : pt_committer_ledger(w->committer);
}

/* Inserted, and few: DuckLake keeps them in the catalog. */
static bool is_inlined(const pt_part *part) {
    size_t n = pt_rows_count(part->rows);
    return n && !part->staged && n <= part->target->inline_rows;
}

static void note_inlined(pt_workers *w, const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_parts; i++) {
        const pt_part *part = &flush->parts[i];
        size_t n = pt_rows_count(part->rows);
        if (is_inlined(part)) {
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

/* The table that is to be folded now; SIZE_MAX: none, *next_us says when to look again. */
static size_t table_to_fold(const pt_workers *w, int64_t *next_us) {
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

/* Before anybody can think that nothing is left to do. */
static void tell_due(pt_workers *w) {
    int64_t next_us;
    pt_line_fold_due(w->line, pt_committer_owns(w->committer) && table_to_fold(w, &next_us) != SIZE_MAX);
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
    if (++in->failures == (soon ? FOLD_SAID_AFTER : 1)) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows stay in the catalog for longer"), PT_STR("error", err->text));
    }
    if (unknown) {
        if (recover(w, fold, &committed, err)) {
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

static void fold_table(pt_workers *w, size_t table) {
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

/* What a run leaves in the catalog when it ends, the next one finds. */
static int make_notes(pt_workers *w, pt_error *err) {
    w->inlined = calloc(w->n_targets + 1, sizeof *w->inlined);
    w->seen_by = calloc(w->n_targets, sizeof *w->seen_by);
    if (!w->inlined || !w->seen_by) {
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

static void drop_notes(pt_workers *w) {
    free(w->inlined);
    free(w->seen_by);
    w->inlined = NULL;
    w->seen_by = NULL;
}

/* ---- commits and claims ---------------------------------------------------------------------------------- */

typedef enum outcome { COMMITTED, NOT_COMMITTED, UNKNOWN } outcome;

static bool has_inlined(const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_parts; i++) {
        if (is_inlined(&flush->parts[i])) {
            return true;
        }
    }
    return false;
}

static outcome committed(const pt_flush *flush, const pt_error *refused) {
    if (flush->to_files) {
        pt_log(PT_LOG_WARN, PT_EVENT("rows that cannot stay in the catalog go to files, also those of later flushes"), PT_STR("error", refused->text));
    }
    return COMMITTED;
}

static outcome commit_flush(pt_workers *w, pt_flush *flush, pt_error *err) {
    unsigned unclassified = 0;
    pt_error refused = {0}; /* why its rows could not stay in the catalog, if they are the reason */
    int64_t start = pt_monotonic_us();
    for (unsigned attempt = 1; !pt_line_abandoned(w->line); attempt++) {
        int code = pt_commit(w->committer, flush, err);
        if (code == PT_OK) {
            return committed(flush, &refused);
        }
        pt_error why = *err;
        if (code == PT_E_LAKE_DOWN || pt_transaction_unknown(err)) {
            bool landed = false;
            if (!recover(w, flush, &landed, err)) {
                pt_line_fail(w->line, err);
                return UNKNOWN;
            }
            if (landed) {
                return committed(flush, &refused);
            }
        } else if (code == PT_E_LAKE_BUSY && pt_monotonic_us() - start >= PT_BUSY_SAID_AFTER) {
            pt_line_pause(w->line, PT_WORKER_COMMITTER, "other writers of the catalog", err);
        }
        bool tried_enough = code == PT_E_LAKE && ++unclassified == UNCLASSIFIED_TRIES;
        if (unclassified == INLINED_TRIES && !flush->to_files && has_inlined(flush)) {
            refused = why;
            flush->to_files = true;
        }
        if (tried_enough || (code != PT_E_LAKE_BUSY && code != PT_E_LAKE_DOWN && code != PT_E_LAKE)) {
            pt_line_fail(w->line, tried_enough && flush->to_files ? &refused : &why);
            return NOT_COMMITTED;
        }
        wait_before(w->line, attempt);
    }
    return NOT_COMMITTED;
}

/* Of each table the first file after each attach: what makes a path relative cannot change in between. A look that fails is tried again with the next flush. */
static int check_registered(pt_workers *w, const pt_flush *flush, pt_error *err) {
    pt_engine *engine = pt_committer_engine(w->committer);
    for (size_t i = 0; engine && i < flush->n_parts; i++) {
        bool seen = false;
        if (!flush->parts[i].staged || w->seen_by[i] == pt_engine_number(engine)) {
            continue;
        }
        int code = pt_registered_check(engine, pt_committer_session(w->committer), &flush->parts[i], &seen, err);
        if (seen) {
            PT_TRY(code);
            w->seen_by[i] = pt_engine_number(engine);
        }
    }
    return PT_OK;
}

static void commit_batch(pt_workers *w, pt_batch *batch) {
    pt_error err = {0};
    if (pt_failpoint("batch.lost")) {
        pt_line_done(w->line, batch);
        return;
    }
    switch (commit_flush(w, batch->flush, &err)) {
    case COMMITTED:
        pt_line_go_on(w->line, PT_WORKER_COMMITTER);
        count(w, batch->flush);
        note_inlined(w, batch->flush);
        w->committed(w->arg, batch->flush);
        if (check_registered(w, batch->flush, &err) != PT_OK) {
            pt_line_fail(w->line, &err);
        }
        tell_due(w);
        pt_line_done(w->line, batch);
        break;
    case NOT_COMMITTED:
        pt_unstage(pt_committer_session(w->committer), batch->flush);
        pt_line_give_up(w->line, batch);
        break;
    case UNKNOWN: /* the files may be the lake's: they stay */
        pt_line_give_up(w->line, batch);
        break;
    }
}

static void answer_claim(pt_workers *w) {
    pt_line *line = w->line;
    pt_error err = {0};
    int64_t start = pt_monotonic_us();
    int code = PT_OK;
    for (unsigned attempt = 1;; attempt++) {
        code = pt_committer_claim(w->committer, line->claims, line->n_claims, &err);
        if (code != PT_E_LAKE_DOWN || pt_line_abandoned(line) || pt_stop_asked() || pt_monotonic_us() - start > CLAIM_FOR) {
            break;
        }
        pt_line_pause(line, PT_WORKER_COMMITTER, "catalog", &err);
        pt_backoff(attempt);
    }
    if (code == PT_OK) {
        pt_line_go_on(line, PT_WORKER_COMMITTER);
        code = w->claimed(w->arg, &err);
        for (size_t i = 0; i <= w->n_targets; i++) {
            w->inlined[i].not_before_us = 0;
        }
        tell_due(w);
    }
    pthread_mutex_lock(&line->lock);
    line->claim_code = code;
    line->claim_error = err;
    line->claim_state = PT_CLAIM_DONE;
    (void)pthread_cond_broadcast(&line->changed);
    pthread_mutex_unlock(&line->lock);
}

typedef enum job { JOB_END, JOB_CLAIM, JOB_COMMIT, JOB_FOLD, JOB_LOOK /* what is due now */ } job;

/* Waits for one until `until_us` (monotonic). A claim is waited for by a rebalance, and a table that is to be folded must not wait for a line that is always full. */
static job next_job(pt_line *line, bool fold, int64_t until_us, pt_batch **batch) {
    job next = JOB_LOOK;
    pthread_mutex_lock(&line->lock);
    while (line->claim_state != PT_CLAIM_ASKED && !line->to_commit && !(line->end && line->under_way == 0) && (line->hold_folds || pt_monotonic_us() < until_us)) {
        struct timespec t = pt_deadline(line->hold_folds ? pt_monotonic_us() + PT_SECOND : until_us);
        (void)pthread_cond_timedwait(&line->changed, &line->lock, &t);
    }
    if (line->claim_state == PT_CLAIM_ASKED) {
        next = JOB_CLAIM;
    } else if (fold && !line->hold_folds && !line->abandon) {
        next = JOB_FOLD;
        line->folding = true;
    } else if (line->to_commit) {
        next = JOB_COMMIT;
        *batch = line->to_commit;
        line->to_commit = (*batch)->next;
        (*batch)->next = NULL;
    } else if (line->end && line->under_way == 0) {
        next = JOB_END;
    }
    pthread_mutex_unlock(&line->lock);
    return next;
}

static bool work(pt_workers *w) {
    pt_batch *batch = NULL;
    int64_t until_us;
    size_t table = table_to_fold(w, &until_us);
    switch (next_job(w->line, table != SIZE_MAX, until_us, &batch)) {
    case JOB_CLAIM:
        answer_claim(w);
        return true;
    case JOB_COMMIT:
        commit_batch(w, batch);
        return true;
    case JOB_FOLD:
        fold_table(w, table);
        tell_due(w);
        pt_line_folded(w->line);
        return true;
    case JOB_LOOK:
        return true;
    case JOB_END:
        break;
    }
    return false;
}

static void *committer_main(void *arg) {
    while (work(arg)) {
    }
    return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------------------ */

static void end_line(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    line->end = true;
    (void)pthread_cond_broadcast(&line->changed);
    pthread_mutex_unlock(&line->lock);
}

static int start_threads(pt_workers *w, pt_error *err) {
    if (pthread_create(&w->stager_thread, NULL, stager_main, w) != 0) {
        return pt_fail(err, PT_E_INTERNAL, "the stager thread cannot start");
    }
    if (pthread_create(&w->committer_thread, NULL, committer_main, w) != 0) {
        end_line(w->line);
        (void)pthread_join(w->stager_thread, NULL);
        return pt_fail(err, PT_E_INTERNAL, "the committer thread cannot start");
    }
    (void)pthread_setname_np(w->stager_thread, "stager"); /* for top -H and perf */
    (void)pthread_setname_np(w->committer_thread, "committer");
    return PT_OK;
}

int pt_workers_start(pt_workers *w, pt_error *err) {
    int code = make_notes(w, err);
    if (code == PT_OK) {
        code = start_threads(w, err);
    }
    if (code != PT_OK) {
        drop_notes(w);
    }
    return code;
}

void pt_workers_stop(pt_workers *w) {
    end_line(w->line);
    (void)pthread_join(w->stager_thread, NULL);
    (void)pthread_join(w->committer_thread, NULL);
    drop_notes(w);
}
