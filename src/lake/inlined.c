#include "lake/inlined.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "lake/guard.h"
#include "lake/commit_message.h"
#include "duck/result.h"

/* A NUL is more than DuckLake can inline, the sign of -0.0 more than SQLite keeps and more than the file of a fold would. Where there is only INSERT, no file would be better. */
static bool keeps_values(const pt_part *part) {
    return !pt_rows_has_nul(part->rows) && !(pt_rows_has_minus_zero(part->rows) && part->target->stage);
}

bool pt_inlined_part(const pt_part *part) {
    const pt_rows *rows = part->rows;
    size_t n = pt_part_rows(part);
    return n && !part->piece && n <= part->target->inline_rows && part->target->guard && pt_rows_bytes(rows) <= PT_INLINE_BYTES && keeps_values(part);
}

static void add_table(pt_text *sql, const pt_target *t) {
    pt_text_add_sql_string(sql, t->schema_name);
    pt_text_add(sql, ", table_name => ");
    pt_text_add_sql_string(sql, t->name);
    pt_text_add(sql, ")");
}

int pt_inlined_forbid(pt_engine *engine, pt_session *session, const pt_target *t, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql, "CALL \"%s\".set_option('data_inlining_row_limit', 0, schema => ", pt_engine_alias(engine));
    add_table(&sql, t);
    int code = pt_statement_run(session, &sql, err);
    *t->says.forbidden = true;
    return code;
}

bool pt_inlined_unfit(const pt_flush *flush, const pt_part *part) {
    return pt_part_rows(part) <= part->target->inline_rows && (flush->to_files || pt_rows_has_nul(part->rows));
}

/* A table has one of these for each of its schemas so far. */
static int list_tables(pt_engine *engine, pt_session *session, const pt_target *t, pt_table *out, pt_error *err) {
    pt_text sql = {0};
    const char *alias = pt_engine_alias(engine);
    pt_text_addf(&sql,
                 "SELECT i.table_name FROM \"__ducklake_metadata_%s\".ducklake_inlined_data_tables i JOIN \"__ducklake_metadata_%s\".ducklake_table t USING (table_id) "
                 "JOIN \"__ducklake_metadata_%s\".ducklake_schema s USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND t.table_name = ",
                 alias, alias, alias);
    pt_text_add_sql_string(&sql, t->name);
    pt_text_add(&sql, " AND s.schema_name = ");
    pt_text_add_sql_string(&sql, t->schema_name);
    return pt_statement_table(session, &sql, out, err);
}

int pt_inlined_count(pt_engine *engine, pt_session *session, const pt_target *t, int64_t *rows, pt_error *err) {
    pt_table tables = {0};
    *rows = 0;
    PT_TRY(list_tables(engine, session, t, &tables, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < tables.n_rows; i++) {
        pt_text sql = {0};
        int64_t n = 0;
        pt_text_addf(&sql, "SELECT count(*) FROM \"__ducklake_metadata_%s\".", pt_engine_alias(engine));
        pt_text_add_sql_name(&sql, pt_table_cell(&tables, i, 0));
        code = pt_text_check(&sql, err);
        if (code == PT_OK) {
            code = pt_session_int(session, pt_text_get(&sql), &n, err);
        }
        pt_text_free(&sql);
        *rows += n;
    }
    pt_table_clear(&tables);
    return code;
}

int pt_inlined_fold(pt_engine *engine, pt_session *session, const char *pipeline, pt_part *part, int64_t *rows, pt_error *err) {
    const pt_target *t = part->target;
    int64_t start = pt_now_us();
    pt_text sql = {0};
    pt_table flushed = {0};
    (void)pt_failpoint("fold.begun");
    PT_TRY(pt_message_table(engine, session, pipeline, "folds the inlined rows of", t->label, err));
    pt_text_add(&sql, "FROM ducklake_flush_inlined_data(");
    pt_text_add_sql_string(&sql, pt_engine_alias(engine));
    pt_text_add(&sql, ", schema_name => ");
    add_table(&sql, t);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_table(session, pt_text_get(&sql), &flushed, err);
    }
    *rows = code == PT_OK && flushed.n_rows ? pt_table_int(&flushed, 0, 2) : 0;
    if (code == PT_OK && !pt_rule_broken("guard")) {
        code = pt_guard_fold(engine, session, part, start, *rows, err);
    }
    (void)pt_failpoint("fold.written");
    pt_table_clear(&flushed);
    pt_text_free(&sql);
    return code;
}
