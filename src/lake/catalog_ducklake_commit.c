/* A commit: one transaction that makes a flush a snapshot of the lake. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "duck/file_names.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "duck/uuid.h"
#include "lake/catalog_ducklake.h"
#include "lake/erasing.h"
#include "lake/flush_message.h"
#include "lake/gate.h"
#include "lake/guard.h"
#include "lake/inlined.h"
#include "lake/registered.h"
#include "lake/settings_check.h"

/* ---- the transaction ---- */

typedef struct commit_job {
    pt_ducklake *c;
    int64_t snapshot; /* that the commit makes */
    pt_flush *flush;
} commit_job;

/* hive_partitioning: else a folder region=eu anywhere in the path takes the place of the column. */
static int register_file(const commit_job *job, const pt_slice *slice, pt_error *err) {
    const pt_table *t = slice->table;
    pt_session *session = job->c->session;
    pt_text path = {0};
    pt_file_names_add_pattern(&path, slice->staged);
    int code = pt_text_check(&path, err);
    if (code == PT_OK &&
        pt_session_exec(session, NULL, err,
                        "CALL ducklake_add_data_files(?, ?, ?, schema => ?, "
                        "hive_partitioning => false)",
                        PT_VALUES(pt_str(pt_session_alias(session)), pt_str(t->name),
                                  pt_str(pt_text_get(&path)), pt_str(t->schema_name))) != PT_OK) {
        code = pt_fail_in(err, "registering %s", slice->staged);
    }
    pt_text_free(&path);
    return code;
}

/* Guards the files that the INSERT of a slice wrote, if any. */
static int guard_rows(const commit_job *job, size_t slice_at, size_t slot, pt_slice *slice,
                      pt_error *err) {
    pt_ducklake *c = job->c;
    size_t *inlines = slice_at < PT_SCAN_SLOTS ? &c->inlines[slice_at] : NULL;
    size_t n = pt_slice_rows(slice);
    bool unfit = job->flush->to_files || pt_rows_has_nul(slice->rows);
    if (!slice->table->shows_files || pt_rule_broken("guard") ||
        (inlines && n <= *inlines && !unfit)) {
        return PT_OK;
    }
    PT_TRY(pt_guard_insert(c->session, slice->table, slot, &slice->guarded, err));
    if (inlines && (slice->guarded.n || !unfit)) {
        *inlines = slice->guarded.n ? 0 : n;
    }
    return PT_OK;
}

static int insert_rows(const commit_job *job, size_t slice_at, pt_slice *slice, pt_error *err) {
    pt_ducklake *c = job->c;
    const pt_table *t = slice->table;
    size_t slot = slice_at % PT_SCAN_SLOTS;
    pt_text sql = {0};
    if (pt_inlined_unfit(job->flush, slice)) {
        PT_TRY(pt_inlined_forbid(c->session, t, err));
    }
    pt_scan_show(c->scan, slot, slice->rows, t->types, t->names);
    pt_text_add(&sql, "INSERT INTO ");
    pt_table_add_sql_name(t, c->session, &sql);
    pt_text_addf(&sql, " BY NAME SELECT * FROM pintail_rows(%zu)", slot);
    pt_slice_add_where(slice, &sql);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK && pt_failpoint("insert.before")) {
        code = pt_fail(err, PT_E_LAKE, "failpoint: DuckLake cannot inline that");
    } else if (code == PT_OK && pt_session_run(c->session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "inserting %zu rows into %s", pt_slice_rows(slice), t->label);
    }
    pt_text_free(&sql);
    return code == PT_OK ? guard_rows(job, slice_at, slot, slice, err) : code;
}

static int insert_ledger(const commit_job *job, pt_error *err) {
    const pt_ducklake *c = job->c;
    pt_ledger_commit commit = {.pipeline = c->base.pipeline,
                               .id = job->flush->commit_id,
                               .snapshot = job->snapshot};
    return pt_ledger_insert(c->session, &commit, job->flush->entries, job->flush->n_entries, err);
}

/* Of the tables that get rows. */
static int check_settings(const commit_job *job, pt_error *err) {
    const pt_flush *flush = job->flush;
    const pt_table **tables = calloc(flush->n_slices + 1, sizeof *tables);
    size_t n = 0;
    if (!tables) {
        return pt_fail_nomem(err, "a list of tables");
    }
    for (size_t i = 0; i < flush->n_slices; i++) {
        if (pt_slice_rows(&flush->slices[i])) {
            tables[n++] = flush->slices[i].table;
        }
    }
    int code = pt_settings_check(job->c->session, tables, n, err);
    free(tables);
    return code;
}

/* DuckLake writes delete files for it, which are guarded like data files. */
static int take_back(pt_ducklake *c, pt_flush *flush, pt_error *err) {
    const pt_erasing *e = flush->erasing;
    PT_TRY(pt_erase_count(c->session, e->what, e->cuts, e->n_cuts, e->erased, err));
    PT_TRY(pt_erasing_enter(flush, err));
    int64_t start_us = pt_now_us();
    PT_TRY(pt_erase_run(c->session, e->what, e->cuts, e->n_cuts, err));
    for (size_t i = 0; i < flush->n_slices && !pt_rule_broken("guard"); i++) {
        pt_slice *slice = &flush->slices[i];
        PT_TRY(pt_guard_deletes(c->session, slice->table, start_us, &slice->guarded, err));
    }
    return PT_OK;
}

static int write_flush(void *arg, pt_error *err) {
    commit_job *job = arg;
    pt_ducklake *c = job->c;
    (void)pt_failpoint("commit.begun");
    PT_TRY(pt_gate_pass(c, job->flush, &job->snapshot, err));
    (void)pt_failpoint("commit.epochs");
    if (job->flush->erasing) {
        PT_TRY(take_back(c, job->flush, err));
    }
    PT_TRY(check_settings(job, err));
    PT_TRY(pt_message_flush(c->session, c->base.pipeline, job->flush, err));
    for (size_t i = 0; i < job->flush->n_slices; i++) {
        pt_slice *slice = &job->flush->slices[i];
        if (slice->staged) {
            PT_TRY(register_file(job, slice, err));
        } else if (pt_slice_rows(slice)) {
            PT_TRY(insert_rows(job, i, slice, err));
        }
    }
    (void)pt_failpoint("commit.registered");
    if (!pt_rule_broken("ledger-row")) {
        PT_TRY(insert_ledger(job, err));
    }
    if (pt_failpoint("commit.ledger")) {
        return pt_fail(err, PT_E_LAKE_DOWN, "failpoint: server closed the connection unexpectedly");
    }
    return PT_OK;
}

/* The flush is committed: its guards stay for a while, and older ones go. What fails there costs no
 * row, and is logged. */
static void keep_guards(pt_ducklake *c, pt_flush *flush) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_keep_add(&c->keep, flush->slices[i].table, &flush->slices[i].guarded);
    }
    pt_ducklake_tend_guards(c, false);
}

void pt_ducklake_drop_guards(pt_ducklake *c, pt_flush *flush) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_guards_drop(c->session, flush->slices[i].table, &flush->slices[i].guarded);
    }
}

/* The transaction, and what has to follow it. */
static int commit(pt_ducklake *c, pt_flush *flush, pt_error *err) {
    PT_TRY(pt_ducklake_check_attached(c, err));
    PT_TRY(pt_gate_check_file(c, err));
    PT_TRY(pt_ducklake_renew(c, err));
    if (!*flush->commit_id) {
        PT_TRY(pt_uuid_any(c->session, flush->commit_id, err));
    }
    commit_job job = {.c = c, .flush = flush};
    pt_turnstile *turnstile = c->base.conflicts ? c->turnstile : NULL;
    int64_t start = pt_monotonic_us();
    pt_turnstile_enter(turnstile);
    int code = pt_transaction(c->session, write_flush, &job, err);
    pt_turnstile_leave(turnstile);
    flush->commit_us = pt_monotonic_us() - start;
    if (code == PT_E_LAKE_BUSY) {
        c->base.conflicts++;
    }
    if (code == PT_OK && pt_failpoint("commit.answer")) {
        return pt_transaction_lost(err);
    }
    if (code == PT_OK) { /* what was written may have gone into the file that was there before */
        PT_TRY(pt_gate_check_file(c, err));
    }
    if (code == PT_OK) {
        keep_guards(c, flush);
        (void)pt_failpoint("commit.committed");
        c->commits++;
        c->last_snapshot = job.snapshot;
        memcpy(c->last_id, flush->commit_id, sizeof c->last_id);
    } else if (code != PT_E_LAKE_DOWN && !pt_error_is(err, PT_WHY_OUTCOME_UNKNOWN)) {
        pt_ducklake_drop_guards(c, flush);
    }
    return code;
}

pt_outcome pt_ducklake_commit(pt_catalog *catalog, pt_flush *flush, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    int code = commit(c, flush, err);
    if (code == PT_E_LAKE_DOWN || (code != PT_OK && pt_error_is(err, PT_WHY_OUTCOME_UNKNOWN))) {
        c->answers = code == PT_E_LAKE;
        return PT_UNKNOWN;
    }
    return code == PT_OK ? PT_COMMITTED : code == PT_E_LAKE_BUSY ? PT_TRY_AGAIN : PT_REFUSED;
}

static int look(void *arg, pt_error *err) {
    return pt_gate_look(arg, err);
}

int pt_ducklake_look_back(pt_catalog *catalog, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    PT_TRY(pt_gate_check_file(c, err));
    return pt_transaction(c->session, look, c, err);
}

/* ---- afterwards ---- */

static int make_room(pt_ducklake *c, size_t n, pt_error *err) {
    if (c->n_seen < n) {
        uint64_t *grown = realloc(c->seen, n * sizeof *grown);
        if (!grown) {
            return pt_fail_nomem(err, "the tables");
        }
        c->seen = grown;
        memset(c->seen + c->n_seen, 0, (n - c->n_seen) * sizeof *grown);
        c->n_seen = n;
    }
    return PT_OK;
}

/* Of each table the first file after each attach: what makes a path relative cannot change in
 * between. A look that fails is tried again with the next flush. */
int pt_ducklake_inspect(pt_catalog *catalog, const pt_flush *flush, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(make_room(c, flush->n_slices, err));
    for (size_t i = 0; c->session && i < flush->n_slices; i++) {
        bool seen = false;
        if (!flush->slices[i].staged || c->seen[i] == pt_engine_number(c->engine)) {
            continue;
        }
        int code = pt_registered_check(c->session, &flush->slices[i], &seen, err);
        if (seen) {
            PT_TRY(code);
            c->seen[i] = pt_engine_number(c->engine);
        }
    }
    return PT_OK;
}
