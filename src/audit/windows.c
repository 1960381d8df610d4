#include "audit/windows.h"

#include <string.h>

#define PASS_WINDOWS 16384 /* in one scan: 128 MiB of bitmaps for each thread, at worst */

/* ---- pieces of SQL ---- */

void pt_rows_add_table_is(pt_query *sql, const pt_rows_audit *j) {
    pt_query_add(sql, "t = ");
    pt_query_value(sql, pt_str(j->t->name));
}

/* (SELECT ... AS topic, p, o FROM the table) */
void pt_rows_add_from(pt_query *sql, const pt_rows_audit *j) {
    pt_query_add(sql, "(SELECT ");
    if (j->has_topic) {
        pt_query_add(sql, "_kafka_topic");
    } else {
        pt_query_value(sql, pt_str(j->topic));
        pt_query_add(sql, "::VARCHAR");
    }
    pt_query_addf(sql, " AS topic, _kafka_partition AS p, _kafka_offset::BIGINT AS o FROM %s)",
                  pt_text_get(&j->name->sql));
}

void pt_rows_add_is_partition(pt_query *sql, const char *alias, const char *topic, int32_t p) {
    pt_query_addf(sql, "%s.topic = ", alias);
    pt_query_value(sql, pt_str(topic));
    pt_query_addf(sql, " AND %s.p = ", alias);
    pt_query_value(sql, pt_int(p));
}

const char *pt_rows_ledger_topic(const pt_rows_audit *j) {
    return j->merged ? "'*'" : "topic";
}

/* ---- preparation ---- */

int pt_rows_find_topics(pt_rows_audit *j, int64_t *n, pt_error *err) {
    pt_query sql = {0};
    pt_result table;
    PT_TRY(pt_audit_table_has(j->a, j->name, "_kafka_topic", &j->has_topic, err));
    pt_query_add(&sql, "SELECT DISTINCT topic FROM audit_ledger WHERE ");
    pt_rows_add_table_is(&sql, j);
    PT_TRY(pt_auditor_table(j->a, &sql, &table, err));
    *n = (int64_t)table.n_rows;
    j->merged = !j->has_topic && table.n_rows > 1;
    j->topic = strdup(
        table.n_rows == 1 && pt_result_cell(&table, 0, 0) ? pt_result_cell(&table, 0, 0) : "*");
    pt_result_clear(&table);
    return j->topic ? PT_OK : pt_fail_nomem(err, "a topic");
}

static int make_ranges(pt_rows_audit *j, pt_error *err) {
    pt_query sql = {0};
    pt_query_addf(&sql,
                  "CREATE OR REPLACE TEMP TABLE audit_ranges AS SELECT %s AS topic, p, a, b FROM (",
                  pt_rows_ledger_topic(j));
    pt_auditor_add_merged(&sql, j->merged ? "p" : "topic, p", j->t->name);
    pt_query_add(&sql, ")");
    return pt_auditor_run(j->a, &sql, err);
}

/* ---- the scan ---- */

/* One pass over the offsets from `from` up to, not including, `until`. The first one also takes
 * what lies below and rows without offset, the last one what lies above. */
static int scan_pass(pt_rows_audit *j, int64_t from, int64_t until, bool first, bool last,
                     pt_error *err) {
    pt_query sql = {0};
    pt_query_addf(
        &sql,
        "INSERT INTO audit_windows SELECT r.topic, r.p, CASE WHEN x.a IS NULL THEN -1 "
        "ELSE r.o >> %d END AS w, count(*), "
        "coalesce(bit_count(bitstring_agg(r.o & %d, 0::BIGINT, %d::BIGINT) FILTER (x.a IS "
        "NOT NULL)), 0), x.a IS NOT NULL, "
        "r.topic IS NULL OR r.p IS NULL OR r.o IS NULL AS alien FROM ",
        PT_WINDOW_BITS, (1 << PT_WINDOW_BITS) - 1, (1 << PT_WINDOW_BITS) - 1);
    pt_rows_add_from(&sql, j);
    pt_query_add(&sql, " r LEFT JOIN audit_ranges x ON x.topic = r.topic AND x.p = r.p AND r.o >= "
                       "x.a AND r.o < x.b WHERE true");
    if (!first) {
        pt_query_add(&sql, " AND r.o >= ");
        pt_query_value(&sql, pt_int(from));
    }
    if (!last) {
        pt_query_add(&sql, first ? " AND (r.o IS NULL OR r.o < " : " AND (r.o < ");
        pt_query_value(&sql, pt_int(until));
        pt_query_add(&sql, ")");
    }
    pt_query_add(&sql, " GROUP BY ALL");
    return pt_auditor_run(j->a, &sql, err);
}

static int fill_windows(pt_rows_audit *j, pt_error *err) {
    pt_query sql = {0};
    pt_result span;
    pt_query_add(&sql, "CREATE OR REPLACE TEMP TABLE audit_windows (topic VARCHAR, p INTEGER, w "
                       "BIGINT, n BIGINT, d BIGINT, known BOOLEAN, alien BOOLEAN)");
    PT_TRY(pt_auditor_run(j->a, &sql, err));
    pt_query_addf(&sql,
                  "SELECT coalesce(sum(((b - 1) >> %d) - (a >> %d) + 1), 0), coalesce(min(a), 0), "
                  "coalesce(max(b), 0), "
                  "greatest(count(DISTINCT (topic, p)), 1) FROM audit_ranges",
                  PT_WINDOW_BITS, PT_WINDOW_BITS);
    PT_TRY(pt_auditor_table(j->a, &sql, &span, err));
    int64_t windows = pt_result_int(&span, 0, 0), low = pt_result_int(&span, 0, 1),
            high = pt_result_int(&span, 0, 2), slices = pt_result_int(&span, 0, 3);
    pt_result_clear(&span);
    if (windows <= PASS_WINDOWS) {
        return scan_pass(j, 0, 0, true, true, err);
    }
    int64_t step = (PASS_WINDOWS / slices > 1 ? PASS_WINDOWS / slices : 1) << PT_WINDOW_BITS;
    for (int64_t from = low & ~(((int64_t)1 << PT_WINDOW_BITS) - 1); from < high; from += step) {
        PT_TRY(scan_pass(j, from, from + step, from <= low, from + step >= high, err));
    }
    return PT_OK;
}

int pt_rows_scan(pt_rows_audit *j, pt_error *err) {
    PT_TRY(make_ranges(j, err));
    return fill_windows(j, err);
}
