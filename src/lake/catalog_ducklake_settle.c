/* A COMMIT without an answer: whether it has landed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/failpoint.h"
#include "duck/result.h"
#include "duck/session.h"
#include "lake/catalog_ducklake.h"
#include "lake/gate.h"
#include "lake/guard.h"

/* After the fence: its rows are in the ledger, or never will be. */
static int look_for_flush(const pt_ducklake *c, const pt_flush *flush, bool *committed,
                          pt_error *err) {
    int64_t rows = 0;
    *committed = false;
    if (!*flush->commit_id) { /* never attempted */
        return PT_OK;
    }
    PT_TRY(pt_session_exec_int(c->session, &rows, err,
                               "SELECT count(*) FROM @lake.pintail.offsets WHERE commit_id = ?",
                               PT_VALUES(pt_str(flush->commit_id))));
    if (rows != 0 && (size_t)rows != flush->n_entries) {
        return pt_fail(err, PT_E_INTERNAL,
                       "%" PRId64 " of the %zu rows of one transaction are in the ledger", rows,
                       flush->n_entries);
    }
    *committed = rows != 0;
    return PT_OK;
}

static int settle_flush(pt_ducklake *c, pt_flush *flush, bool *committed, pt_error *err) {
    PT_TRY(look_for_flush(c, flush, committed, err));
    for (size_t i = 0; *committed && i < flush->n_slices; i++) {
        const pt_slice *slice = &flush->slices[i];
        PT_TRY(pt_guards_restore(c->session, slice->table, &slice->guarded, err));
    }
    pt_ducklake_drop_guards(c, flush);
    return PT_OK;
}

/* Only the catalog knows whether it landed: it has no row in the ledger. */
static int settle_fold(pt_ducklake *c, pt_error *err) {
    uint64_t restored;
    if (c->fold.table) {
        PT_TRY(pt_guards_restore_table(c->session, c->fold.table, &restored, err));
        pt_guards_drop(c->session, c->fold.table, &c->fold.guarded);
        c->fold.table = NULL;
    }
    return PT_OK;
}

/* Without the flush the lake must stand where it stood: nobody else can have written for claims
 * that were ours. */
static int check_positions(const pt_ducklake *c, const int64_t *before, pt_error *err) {
    for (size_t i = 0; i < c->base.n_claims; i++) {
        if (c->base.claims[i].next_offset != before[i]) {
            return pt_gate_went_back(c, before, "all that we have committed", err);
        }
    }
    return PT_OK;
}

static int fence_and_decide(pt_ducklake *c, pt_flush *flush, const int64_t *before, bool *committed,
                            pt_error *err) {
    const pt_claiming again = {.claims = c->base.claims, .n = c->base.n_claims};
    PT_TRY(pt_ducklake_raise_and_read(c, &again, err));
    (void)pt_failpoint("recover.claimed");
    c->last_snapshot = -1; /* the claims are newer */
    PT_TRY(settle_fold(c, err));
    if (flush) {
        PT_TRY(settle_flush(c, flush, committed, err));
    }
    return *committed ? PT_OK : check_positions(c, before, err);
}

static int settle(pt_ducklake *c, pt_flush *flush, bool *committed, pt_error *err) {
    int code = pt_gate_check_owner(c, err);
    if (code != PT_OK) { /* whoever took over has committed since: a fold is settled */
        pt_error later;
        int ignored = pt_ducklake_restore_fold(c, &later);
        (void)ignored;
    }
    PT_TRY(code);
    int64_t *before = calloc(c->base.n_claims + 1, sizeof *before);
    if (!before) {
        return pt_fail_nomem(err, "claims");
    }
    for (size_t i = 0; i < c->base.n_claims; i++) {
        before[i] = c->base.claims[i].next_offset;
    }
    code = fence_and_decide(c, flush, before, committed, err);
    free(before);
    return code;
}

/* Over the connection that there is, where the catalog gave a reason and so is there: a tenth of
 * the time. When that fails, a new connection tells. */
static int settle_here(pt_ducklake *c, pt_flush *flush, bool *committed, pt_error *err) {
    c->answers = false;
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached");
    }
    c->schema_version = -1;
    c->all_stood = false;
    return settle(c, flush, committed, err) == PT_OK
               ? PT_OK
               : pt_fail(err, PT_E_LAKE_DOWN, "the outcome of a COMMIT is not known yet");
}

static int settle_anew(pt_ducklake *c, pt_flush *flush, bool *committed, pt_error *err) {
    pt_ducklake_detach(c);
    PT_TRY(pt_ducklake_attach(c, err));
    (void)pt_failpoint("recover.attached");
    return settle(c, flush, committed, err);
}

pt_outcome pt_ducklake_settle(pt_catalog *catalog, pt_flush *flush, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    bool committed = false;
    int code = c->answers ? settle_here(c, flush, &committed, err)
                          : settle_anew(c, flush, &committed, err);
    if (code == PT_E_LAKE_DOWN || code == PT_E_LAKE_BUSY) {
        return PT_UNKNOWN;
    }
    return code != PT_OK ? PT_REFUSED : committed ? PT_COMMITTED : PT_TRY_AGAIN;
}
