#include "lake/inlined.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "duck/result.h"
#include "lake/commit_message.h"
#include "lake/guard.h"

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

static void add_table(pt_text *sql, const pt_table *t) {
    pt_text_add_sql_string(sql, t->schema_name);
    pt_text_add(sql, ", table_name => ");
    pt_text_add_sql_string(sql, t->name);
    pt_text_add(sql, ")");
}

int pt_inlined_forbid(pt_engine *engine, pt_session *session, const pt_table *t, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql, "CALL \"%s\".set_option('data_inlining_row_limit', 0, schema => ",
                 pt_engine_alias(engine));
    add_table(&sql, t);
    int code = pt_statement_run(session, &sql, err);
    *t->settings.forbidden = true;
    return code;
}

bool pt_inlined_unfit(const pt_flush *flush, const pt_slice *slice) {
    return pt_slice_rows(slice) <= slice->table->inline_rows &&
           (flush->to_files || pt_rows_has_nul(slice->rows));
}

/* A table has one of these for each of its schemas so far. */
static int list_tables(pt_engine *engine, pt_session *session, const pt_table *t, pt_result *out,
                       pt_error *err) {
    pt_text sql = {0};
    const char *alias = pt_engine_alias(engine);
    pt_text_addf(&sql,
                 "SELECT i.table_name FROM \"__ducklake_metadata_%s\".ducklake_inlined_data_tables "
                 "i JOIN \"__ducklake_metadata_%s\".ducklake_table t USING (table_id) "
                 "JOIN \"__ducklake_metadata_%s\".ducklake_schema s USING (schema_id) WHERE "
                 "t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND t.table_name = ",
                 alias, alias, alias);
    pt_text_add_sql_string(&sql, t->name);
    pt_text_add(&sql, " AND s.schema_name = ");
    pt_text_add_sql_string(&sql, t->schema_name);
    return pt_statement_result(session, &sql, out, err);
}

int pt_inlined_count(pt_engine *engine, pt_session *session, const pt_table *t, int64_t *rows,
                     pt_error *err) {
    pt_result tables = {0};
    *rows = 0;
    PT_TRY(list_tables(engine, session, t, &tables, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < tables.n_rows; i++) {
        pt_text sql = {0};
        int64_t n = 0;
        pt_text_addf(&sql, "SELECT count(*) FROM \"__ducklake_metadata_%s\".",
                     pt_engine_alias(engine));
        pt_text_add_sql_name(&sql, pt_result_cell(&tables, i, 0));
        code = pt_text_check(&sql, err);
        if (code == PT_OK) {
            code = pt_session_int(session, pt_text_get(&sql), &n, err);
        }
        pt_text_free(&sql);
        *rows += n;
    }
    pt_result_clear(&tables);
    return code;
}

int pt_inlined_fold(pt_engine *engine, pt_session *session, const char *pipeline, pt_slice *slice,
                    int64_t *rows, pt_error *err) {
    const pt_table *t = slice->table;
    int64_t start = pt_now_us();
    pt_text sql = {0};
    pt_result flushed = {0};
    (void)pt_failpoint("fold.begun");
    PT_TRY(pt_message_table(engine, session, pipeline, "folds the inlined rows of", t->label, err));
    pt_text_add(&sql, "FROM ducklake_flush_inlined_data(");
    pt_text_add_sql_string(&sql, pt_engine_alias(engine));
    pt_text_add(&sql, ", schema_name => ");
    add_table(&sql, t);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), &flushed, err);
    }
    *rows = code == PT_OK && flushed.n_rows ? pt_result_int(&flushed, 0, 2) : 0;
    if (code == PT_OK && !pt_rule_broken("guard")) {
        code = pt_guard_fold(engine, session, slice, start, *rows, err);
    }
    (void)pt_failpoint("fold.written");
    pt_result_clear(&flushed);
    pt_text_free(&sql);
    return code;
}
