#include "audit/auditor.h"

#include <string.h>

int pt_auditor_run(pt_auditor *a, pt_query *sql, pt_error *err) {
    return pt_query_run(a->session, sql, NULL, err);
}

int pt_auditor_table(pt_auditor *a, pt_query *sql, pt_result *out, pt_error *err) {
    *out = (pt_result){0};
    return pt_query_run(a->session, sql, out, err);
}

int pt_auditor_int(pt_auditor *a, pt_query *sql, int64_t *out, pt_error *err) {
    return pt_query_int(a->session, sql, out, err);
}

int pt_auditor_examples(pt_auditor *a, pt_query *sql, pt_finding *finding, pt_error *err) {
    pt_result table;
    PT_TRY(pt_auditor_table(a, sql, &table, err));
    if (!finding || !finding->text) {
        pt_result_clear(&table);
        return pt_fail_nomem(err, "a finding");
    }
    for (size_t i = 0; i < table.n_rows && finding->n_examples < PT_AUDIT_EXAMPLES; i++) {
        finding->examples[finding->n_examples++] = pt_result_int(&table, i, 0);
    }
    pt_result_clear(&table);
    return PT_OK;
}

bool pt_is_one_of(const char *text, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0) {
            return true;
        }
    }
    return n == 0;
}

bool pt_auditor_wants(const pt_auditor *a, const char *pipeline, const char *topic,
                      const char *table) {
    const pt_audit_options *o = a->options;
    return (!pipeline || !o->pipeline || strcmp(pipeline, o->pipeline) == 0) &&
           (!topic || pt_is_one_of(topic, o->topics, o->n_topics)) &&
           (!table || pt_is_one_of(table, (const char *const *)a->tables, a->n_tables));
}

void pt_auditor_add_merged(pt_query *sql, const char *key, const char *table) {
    pt_query_addf(sql,
                  "SELECT %s, min(a) AS a, max(b) AS b FROM (SELECT *, sum(opens) OVER "
                  "(PARTITION BY %s ORDER BY a, b ROWS UNBOUNDED PRECEDING) AS island "
                  "FROM (SELECT *, CASE WHEN a > max(b) OVER (PARTITION BY %s ORDER BY a, b ROWS "
                  "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1 ELSE 0 END AS opens "
                  "FROM audit_ledger WHERE kind = 'commit' AND b > a",
                  key, key, key);
    if (table) {
        pt_query_add(sql, " AND t = ");
        pt_query_value(sql, pt_str(table));
    }
    pt_query_addf(sql, ")) GROUP BY %s, island", key);
}
