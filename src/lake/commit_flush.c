#include "lake/committer.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "duck/file_names.h"
#include "duck/transaction.h"
#include "lake/commit_message.h"
#include "lake/committer_internal.h"
#include "lake/gate.h"
#include "lake/guard.h"
#include "lake/inlined.h"
#include "lake/settings.h"

/* ---- the transaction ---- */

typedef struct commit_job {
    pt_committer *committer;
    pt_flush *flush;
} commit_job;

/* Where the partition of entry i stands when that entry is applied: after an earlier entry of the
 * same flush, else what is committed; -1 unknown. */
static int64_t stands_before(const pt_flush *flush, size_t i, const pt_claim *claim) {
    const pt_ledger_entry *e = &flush->entries[i];
    for (size_t k = i; k > 0; k--) {
        const pt_ledger_entry *before = &flush->entries[k - 1];
        if (before->partition == e->partition && strcmp(before->topic, e->topic) == 0) {
            return before->next_offset;
        }
    }
    return claim->next_offset;
}

/* In memory, before the transaction: every entry is of an owned partition and goes on where the
 * last one ended. */
static int check_entries(const pt_committer *c, pt_flush *flush, pt_error *err) {
    for (size_t i = 0; i < flush->n_entries; i++) {
        pt_ledger_entry *e = &flush->entries[i];
        const pt_claim *claim = pt_committer_find(c, e->topic, e->partition);
        if (!claim) {
            return pt_fail(err, PT_E_FENCED,
                           "topic %s partition %" PRId32 " is no longer assigned to this process",
                           e->topic, e->partition);
        }
        int64_t stands = stands_before(flush, i, claim);
        if (stands >= 0 && stands != e->from_offset && !pt_rule_broken("continuity")) {
            return pt_fail(err, PT_E_FENCED,
                           "topic %s partition %" PRId32 ": the lake stands at offset %" PRId64
                           ", the flush begins at %" PRId64,
                           e->topic, e->partition, stands, e->from_offset);
        }
        e->epoch = claim->epoch;
    }
    return PT_OK;
}

static int register_file(const commit_job *job, const pt_slice *slice, pt_error *err) {
    const pt_committer *c = job->committer;
    pt_text sql = {0};
    pt_text_add(&sql, "CALL ducklake_add_data_files(");
    pt_text_add_sql_string(&sql, pt_engine_alias(c->engine));
    pt_text_add(&sql, ", ");
    pt_text_add_sql_string(&sql, slice->table->name);
    pt_text_add(&sql, ", ");
    pt_file_names_add_sql(&sql, slice->staged);
    pt_text_add(&sql, ", schema => ");
    pt_text_add_sql_string(&sql, slice->table->schema_name);
    pt_text_add(&sql,
                ", hive_partitioning => false)"); /* else a folder region=eu anywhere in the path
                                                     takes the place of the column region */
    int code = pt_text_check(&sql, err);
    if (code == PT_OK && pt_session_run(c->session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "registering %s", slice->staged);
    }
    pt_text_free(&sql);
    return code;
}

/* Guards the files that the INSERT of a part wrote, if any. */
static int guard_rows(const commit_job *job, size_t slice_at, size_t slot, pt_slice *slice,
                      pt_error *err) {
    pt_committer *c = job->committer;
    size_t *inlines = slice_at < PT_SCAN_SLOTS ? &c->inlines[slice_at] : NULL;
    size_t n = pt_slice_rows(slice);
    bool unfit = job->flush->to_files || pt_rows_has_nul(slice->rows);
    if (!slice->table->guard || pt_rule_broken("guard") || (inlines && n <= *inlines && !unfit)) {
        return PT_OK;
    }
    PT_TRY(pt_guard_slice(c->engine, c->session, slice, slot, err));
    if (inlines && (slice->n_guarded || !unfit)) {
        *inlines = slice->n_guarded ? 0 : n;
    }
    return PT_OK;
}

static int insert_rows(const commit_job *job, size_t slice_at, pt_slice *slice, pt_error *err) {
    pt_committer *c = job->committer;
    const pt_table *t = slice->table;
    size_t slot = slice_at % PT_SCAN_SLOTS;
    pt_text sql = {0};
    if (pt_inlined_unfit(job->flush, slice)) {
        PT_TRY(pt_inlined_forbid(c->engine, c->session, t, err));
    }
    pt_scan_show(c->scan, slot, slice->rows, t->types, t->names);
    pt_text_add(&sql, "INSERT INTO ");
    pt_table_add_sql_name(t, c->engine, &sql);
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
    const pt_committer *c = job->committer;
    pt_ledger_commit commit = {.pipeline = c->pipeline,
                               .id = job->flush->commit_id,
                               .snapshot = job->flush->snapshot};
    return pt_ledger_insert(c->engine, c->session, &commit, job->flush->entries,
                            job->flush->n_entries, err);
}

static int write_flush(void *arg, pt_error *err) {
    commit_job *job = arg;
    (void)pt_failpoint("commit.begun");
    PT_TRY(pt_gate_pass(job->committer, job->flush, err));
    (void)pt_failpoint("commit.epochs");
    if (job->flush->also) {
        PT_TRY(job->flush->also(job->flush->also_arg, job->committer->engine,
                                job->committer->session, err));
    }
    PT_TRY(pt_settings_check(job->committer->engine, job->committer->session, job->flush, err));
    PT_TRY(pt_message_flush(job->committer->engine, job->committer->session,
                            job->committer->pipeline, job->flush, err));
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

static void note_committed(pt_committer *c, const pt_flush *flush) {
    c->commits++;
    for (size_t i = 0; i < flush->n_entries; i++) {
        pt_committer_find(c, flush->entries[i].topic, flush->entries[i].partition)->next_offset =
            flush->entries[i].next_offset;
    }
    c->last_snapshot = flush->snapshot;
    memcpy(c->last_id, flush->commit_id, sizeof c->last_id);
}

int pt_commit(pt_committer *c, pt_flush *flush, pt_error *err) {
    if (flush->n_entries == 0) {
        return pt_fail(err, PT_E_INTERNAL,
                       "a flush without a ledger row is not fenced and must not be committed");
    }
    PT_TRY(check_entries(c, flush, err));
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached since the catalog failed");
    }
    PT_TRY(pt_gate_check_file(c, err));
    PT_TRY(pt_committer_renew(c, err));
    if (!*flush->commit_id) {
        pt_uuid_new(flush->commit_id);
    }
    commit_job job = {c, flush};
    pt_turnstile *turnstile = c->conflicts ? c->turnstile : NULL;
    int64_t start = pt_monotonic_us();
    pt_turnstile_enter(turnstile);
    int code = pt_transaction(c->session, write_flush, &job, err);
    pt_turnstile_leave(turnstile);
    flush->commit_us = pt_monotonic_us() - start;
    if (code == PT_E_LAKE_BUSY) {
        c->conflicts++;
    }
    if (code == PT_OK && pt_failpoint("commit.answer")) {
        return pt_transaction_lost(err);
    }
    if (code == PT_OK) { /* what was written may have gone into the file that was there before */
        PT_TRY(pt_gate_check_file(c, err));
    }
    if (code == PT_OK) {
        pt_committer_keep_guards(c, flush);
    } else if (code != PT_E_LAKE_DOWN && !pt_transaction_unknown(err)) {
        pt_guards_drop(c->session, flush);
    }
    if (code == PT_OK) {
        (void)pt_failpoint("commit.committed");
        note_committed(c, flush);
    }
    return code;
}

static int look(void *arg, pt_error *err) {
    return pt_gate_look(arg, err);
}

int pt_committer_look_back(pt_committer *c, pt_error *err) {
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached since the catalog failed");
    }
    PT_TRY(pt_gate_check_file(c, err));
    return pt_transaction(c->session, look, c, err);
}

/* ---- folding ---- */

typedef struct fold_job {
    pt_committer *committer;
    pt_slice *slice;
    int64_t rows;
} fold_job;

static int fold_part(void *arg, pt_error *err) {
    fold_job *job = arg;
    const pt_flush fold = {.slices = job->slice, .n_slices = 1};
    PT_TRY(pt_settings_check(job->committer->engine, job->committer->session, &fold, err));
    return pt_inlined_fold(job->committer->engine, job->committer->session,
                           job->committer->pipeline, job->slice, &job->rows, err);
}

/* After a COMMIT DuckLake drops tables of inlined rows that no schema needs any more. What fails
 * there reads like a COMMIT that failed, and costs the files: so the catalog is asked before their
 * guards go. */
int pt_committer_restore_fold(pt_committer *c, const pt_flush *fold, pt_error *err) {
    uint64_t restored;
    return fold->n_slices && fold->slices->n_guarded
               ? pt_guards_restore_table(c->engine, c->session, fold->slices->table, &restored, err)
               : PT_OK;
}

int pt_committer_fold(pt_committer *c, pt_flush *fold, int64_t *rows, pt_error *err) {
    fold_job job = {c, fold->slices, 0};
    pt_error ignored;
    *rows = 0;
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached since the catalog failed");
    }
    pt_turnstile_enter(c->turnstile); /* it is rare, and its work is lost in a conflict */
    int code = pt_transaction(c->session, fold_part, &job, err);
    pt_turnstile_leave(c->turnstile);
    if (code == PT_OK && pt_failpoint("fold.answer")) {
        return pt_transaction_lost(err);
    }
    if (code == PT_OK) {
        (void)pt_failpoint("fold.committed");
        *rows = job.rows;
    }
    if (code == PT_OK) {
        pt_committer_keep_guards(c, fold);
    } else if (!pt_transaction_unknown(err) &&
               pt_committer_restore_fold(c, fold, &ignored) == PT_OK) {
        pt_guards_drop(c->session, fold);
    }
    return code == PT_OK ? PT_OK
                         : pt_fail_in(err, "writing inlined rows of table %s to files",
                                      fold->slices->table->label);
}
