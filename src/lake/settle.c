#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/failpoint.h"
#include "duck/result.h"
#include "lake/committer_internal.h"
#include "lake/gate.h"
#include "lake/guard.h"

/* After the fence: its rows are in the ledger, or never will be. */
static int look_for_flush(const pt_committer *c, const pt_flush *flush, bool *committed,
                          pt_error *err) {
    char sql[256];
    int64_t rows = 0;
    *committed = false;
    if (flush->n_entries == 0 || !*flush->commit_id) {
        return PT_OK;
    }
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM \"%s\".pintail.offsets WHERE commit_id = '%s'",
                   pt_engine_alias(c->engine), flush->commit_id);
    PT_TRY(pt_session_int(c->session, sql, &rows, err));
    if (rows != 0 && (size_t)rows != flush->n_entries) {
        return pt_fail(err, PT_E_INTERNAL,
                       "%" PRId64 " of the %zu rows of one transaction are in the ledger", rows,
                       flush->n_entries);
    }
    *committed = rows != 0;
    return PT_OK;
}

static int settle_guards(pt_committer *c, pt_flush *flush, bool committed, pt_error *err) {
    uint64_t restored;
    if (committed) {
        PT_TRY(pt_guards_restore(c->session, flush, err));
    } else if (flush->n_entries == 0 && flush->n_slices) { /* a fold: only the catalog knows */
        PT_TRY(
            pt_guards_restore_table(c->engine, c->session, flush->slices->table, &restored, err));
    }
    pt_guards_drop(c->session, flush);
    return PT_OK;
}

/* Without the flush the lake must stand where it stood: nobody else can have written for claims
 * that were ours. */
static int check_positions(const pt_committer *c, const int64_t *before, pt_error *err) {
    for (size_t i = 0; i < c->n_claims; i++) {
        if (c->claims[i].next_offset != before[i]) {
            return pt_gate_went_back(c, before, "all that we have committed", err);
        }
    }
    return PT_OK;
}

static int fence_and_decide(pt_committer *c, pt_flush *flush, const int64_t *before,
                            bool *committed, pt_error *err) {
    PT_TRY(pt_committer_raise_and_read(c, c->claims, c->n_claims, NULL, NULL, err));
    (void)pt_failpoint("recover.claimed");
    c->last_snapshot = -1; /* the claims are newer */
    PT_TRY(look_for_flush(c, flush, committed, err));
    PT_TRY(settle_guards(c, flush, *committed, err));
    return *committed ? PT_OK : check_positions(c, before, err);
}

static int settle(pt_committer *c, pt_flush *flush, bool *committed, pt_error *err) {
    int code = pt_gate_check_owner(c, err);
    if (code != PT_OK &&
        flush->n_entries == 0) { /* whoever took over has committed since: a fold is settled */
        pt_error later;
        int ignored = pt_committer_restore_fold(c, flush, &later);
        (void)ignored;
    }
    PT_TRY(code);
    int64_t *before = calloc(c->n_claims + 1, sizeof *before);
    if (!before) {
        return pt_fail_nomem(err, "claims");
    }
    for (size_t i = 0; i < c->n_claims; i++) {
        before[i] = c->claims[i].next_offset;
    }
    code = fence_and_decide(c, flush, before, committed, err);
    free(before);
    return code;
}

int pt_committer_settle(pt_committer *c, pt_flush *flush, bool *committed, pt_error *err) {
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached");
    }
    c->schema_version = -1;
    c->all_stood = false;
    return settle(c, flush, committed, err);
}

int pt_committer_recover(pt_committer *c, pt_flush *flush, bool *committed, pt_error *err) {
    pt_committer_detach(c);
    PT_TRY(pt_committer_attach(c, err));
    (void)pt_failpoint("recover.attached");
    return settle(c, flush, committed, err);
}
