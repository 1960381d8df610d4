/* Whether a table of the ledger is the one that its rows went to (lake/identity.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/auditor.h"
#include "lake/identity.h"

/* Pipelines and topics with rows in the table since the last reset: after one somebody has decided.
 */
static int list_feeders(pt_auditor *a, const pt_audit_name *name, pt_result *out, pt_error *err) {
    pt_query sql = {0};
    pt_query_add(
        &sql,
        "SELECT g, topic, sum(n)::BIGINT FROM (SELECT *, max(gen) OVER (PARTITION BY g, topic, p) "
        "AS alive FROM audit_ledger) WHERE gen = alive AND kind <> 'reset' AND t = ");
    pt_query_value(&sql, pt_str(name->label));
    pt_query_add(&sql, " GROUP BY ALL HAVING sum(n) > 0 ORDER BY ALL");
    return pt_auditor_table(a, &sql, out, err);
}

static int report(pt_auditor *a, const pt_audit_name *name, const pt_result *feeders, size_t row,
                  const char *was, const char *now, pt_error *err) {
    pt_replaced replaced;
    int code = pt_replaced_find(a->session, was, now, &replaced, err);
    char *text = code == PT_OK ? pt_replaced_text(&replaced, name->label) : NULL;
    int64_t rows = pt_result_int(feeders, row, 2);
    if (code == PT_OK &&
        (!text ||
         !pt_audit_find(a->audit, "other_table", pt_result_cell(feeders, row, 0),
                        pt_result_cell(feeders, row, 1), name->label, -1, rows,
                        "the ledger's %" PRId64 " rows went to another table: %s", rows, text))) {
        code = pt_fail_nomem(err, "a finding");
    }
    free(text);
    pt_replaced_clear(&replaced);
    return code;
}

int pt_audit_identity_check(pt_auditor *a, const pt_audit_name *name, pt_error *err) {
    pt_result notes = {0};
    pt_result feeders = {0};
    char *now = NULL;
    int code = pt_identities_read(a->session, &notes, err);
    if (code == PT_OK && notes.n_rows) {
        code = pt_identity_of(a->session, name->schema, name->table, &now, err);
    }
    if (code == PT_OK && now) {
        code = list_feeders(a, name, &feeders, err);
    }
    for (size_t i = 0; code == PT_OK && i < feeders.n_rows; i++) {
        const char *g = pt_result_cell(&feeders, i, 0);
        const char *topic = pt_result_cell(&feeders, i, 1);
        const char *was = g && topic && pt_auditor_wants(a, g, topic, name->label)
                              ? pt_identities_find(&notes, g, topic, name->label)
                              : NULL;
        if (was && strcmp(was, now) != 0) {
            code = report(a, name, &feeders, i, was, now, err);
        }
    }
    free(now);
    pt_result_clear(&feeders);
    pt_result_clear(&notes);
    return code;
}
