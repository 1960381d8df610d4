#include "lake/inlined.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "duck/result.h"
#include "duck/session.h"
#include "lake/commit_message.h"
#include "lake/guard.h"
#include "lake/metadata.h"

/* A NUL is more than DuckLake can inline, the sign of -0.0 more than SQLite keeps and more than the
 * file of a fold would. Where there is only INSERT, no file would be better. */
static bool keeps_values(const pt_slice *slice) {
    return !pt_rows_has_nul(slice->rows) &&
           !(pt_rows_has_minus_zero(slice->rows) && slice->table->way == PT_WAY_REGISTER);
}

bool pt_inlined_slice(const pt_slice *slice) {
    const pt_rows *rows = slice->rows;
    size_t n = pt_slice_rows(slice);
    return n && !slice->piece && n <= slice->table->inline_rows && slice->table->shows_files &&
           pt_rows_bytes(rows) <= PT_INLINE_BYTES && keeps_values(slice);
}

int pt_inlined_forbid(pt_session *session, const pt_table *t, pt_error *err) {
    int code = pt_session_exec(session, NULL, err,
                               "CALL @lake.set_option('data_inlining_row_limit', 0, schema => ?, "
                               "table_name => ?)",
                               PT_VALUES(pt_str(t->schema_name), pt_str(t->name)));
    *t->settings.forbidden = true;
    return code;
}

bool pt_inlined_unfit(const pt_flush *flush, const pt_slice *slice) {
    return pt_slice_rows(slice) <= slice->table->inline_rows &&
           (flush->to_files || pt_rows_has_nul(slice->rows));
}

int pt_inlined_count(pt_session *session, const pt_table *t, int64_t *rows, pt_error *err) {
    return pt_metadata_inlined_rows(session, t->schema_name, t->name, rows, err);
}

int pt_inlined_fold(pt_session *session, const char *pipeline, const pt_table *t,
                    pt_guarded *guarded, int64_t *rows, pt_error *err) {
    int64_t start = pt_now_us();
    pt_result flushed = {0};
    (void)pt_failpoint("fold.begun");
    PT_TRY(pt_message_table(session, pipeline, "folds the inlined rows of", t->label, err));
    int code = pt_session_exec(
        session, &flushed, err,
        "FROM ducklake_flush_inlined_data(?, schema_name => ?, table_name => ?)",
        PT_VALUES(pt_str(pt_session_alias(session)), pt_str(t->schema_name), pt_str(t->name)));
    *rows = code == PT_OK && flushed.n_rows ? pt_result_int(&flushed, 0, 2) : 0;
    if (code == PT_OK && !pt_rule_broken("guard")) {
        code = pt_guard_fold(session, t, start, *rows, guarded, err);
    }
    (void)pt_failpoint("fold.written");
    pt_result_clear(&flushed);
    return code;
}
