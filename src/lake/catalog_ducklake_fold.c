/* Folding: rows that the catalog holds of a table go to files, in a transaction of their own. */
#include "base/failpoint.h"
#include "duck/transaction.h"
#include "lake/catalog_ducklake.h"
#include "lake/guard.h"
#include "lake/inlined.h"
#include "lake/settings_check.h"

typedef struct fold_job {
    pt_ducklake *c;
    int64_t rows;
} fold_job;

static int fold_table(void *arg, pt_error *err) {
    fold_job *job = arg;
    pt_ducklake *c = job->c;
    PT_TRY(pt_settings_check(c->session, &c->fold.table, 1, err));
    return pt_inlined_fold(c->session, c->base.pipeline, c->fold.table, &c->fold.guarded,
                           &job->rows, err);
}

/* After a COMMIT DuckLake drops tables of inlined rows that no schema needs any more. What fails
 * there reads like a COMMIT that failed, and costs the files: so the catalog is asked before their
 * guards go. */
int pt_ducklake_restore_fold(pt_ducklake *c, pt_error *err) {
    uint64_t restored;
    return c->fold.guarded.n ? pt_guards_restore_table(c->session, c->fold.table, &restored, err)
                             : PT_OK;
}

static int fold_once(pt_ducklake *c, int64_t *rows, pt_error *err) {
    fold_job job = {c, 0};
    pt_error ignored;
    PT_TRY(pt_ducklake_check_attached(c, err));
    pt_turnstile_enter(c->turnstile); /* it is rare, and its work is lost in a conflict */
    int code = pt_transaction(c->session, fold_table, &job, err);
    pt_turnstile_leave(c->turnstile);
    if (code == PT_OK && pt_failpoint("fold.answer")) {
        return pt_transaction_lost(err);
    }
    if (code == PT_OK) {
        (void)pt_failpoint("fold.committed");
        *rows = job.rows;
        pt_keep_add(&c->keep, c->fold.table, &c->fold.guarded);
        pt_ducklake_tend_guards(c, false);
    } else if (!pt_error_is(err, PT_WHY_OUTCOME_UNKNOWN) &&
               pt_ducklake_restore_fold(c, &ignored) == PT_OK) {
        pt_guards_drop(c->session, c->fold.table, &c->fold.guarded);
    }
    return code == PT_OK
               ? PT_OK
               : pt_fail_in(err, "writing inlined rows of table %s to files", c->fold.table->label);
}

pt_outcome pt_ducklake_fold(pt_ducklake *c, pt_upkeep *what, pt_error *err) {
    pt_guarded_clear(&c->fold.guarded);
    c->fold.table = what->table;
    int code = fold_once(c, &what->n, err);
    if (code != PT_OK && pt_error_is(err, PT_WHY_OUTCOME_UNKNOWN)) {
        c->answers = code == PT_E_LAKE;
        return PT_UNKNOWN;
    }
    pt_guarded_clear(&c->fold.guarded);
    c->fold.table = NULL;
    return code == PT_OK ? PT_COMMITTED : code == PT_E_LAKE_BUSY ? PT_TRY_AGAIN : PT_REFUSED;
}
