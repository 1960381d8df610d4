/* The last record of each partition, to be compared with what the broker has there: the log may
 * have gone back. */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "audit/auditor.h"

/* The last commit of each partition, since its last reset, that brought records to this table. A
 * ledger of form 1 knows no leader epochs. */
static int make_last(pt_auditor *a, const pt_audit_table *t, pt_error *err) {
    static const char *const of_form[] = {"NULL::INTEGER", "leader_epoch"};
    const pt_audit_name ledger = {.schema = "pintail", .table = "offsets"};
    bool has = false;
    pt_query sql = {0};
    PT_TRY(pt_audit_table_has(a, &ledger, "leader_epoch", &has, err));
    pt_query_addf(&sql,
                  "CREATE OR REPLACE TEMP TABLE audit_last AS SELECT l.g, l.topic, l.p, l.a, l.b, "
                  "(SELECT max(%s) FROM @lake.pintail.offsets o WHERE o.pipeline = l.g AND "
                  "o.topic = l.topic AND o.\"partition\" = l.p AND o.next_offset = l.b AND o.epoch "
                  "= l.epoch) AS leader_epoch, l.t FROM "
                  "(SELECT *, max(gen) OVER (PARTITION BY g, topic, p) AS alive, row_number() OVER "
                  "(PARTITION BY g, topic, p, gen ORDER BY b DESC) AS nth "
                  "FROM audit_ledger WHERE (kind = 'commit' AND n + d > 0) OR kind = 'reset') l "
                  "WHERE l.kind = 'commit' AND l.nth = 1 AND l.gen = l.alive AND l.t = ",
                  of_form[has]);
    pt_query_value(&sql, pt_str(t->name));
    return pt_auditor_run(a, &sql, err);
}

/* The newest by ingest_time: before the reset the same offsets may have held other records, whose
 * rows are still there. */
static int ask(pt_auditor *a, const pt_audit_name *name, pt_result *out, pt_error *err) {
    bool by_topic = false; /* else a table that several topics went to cannot tell whose a row is */
    bool by_time = false;
    pt_query sql = {0};
    PT_TRY(pt_audit_table_has(a, name, "_kafka_topic", &by_topic, err));
    PT_TRY(pt_audit_table_has(a, name, "ingest_time", &by_time, err));
    pt_query_addf(
        &sql,
        "WITH r AS (SELECT l.g, l.topic, l.p, %s AS seen, r._kafka_offset::BIGINT AS o, "
        "coalesce(epoch_us(r._kafka_timestamp), -1) AS us FROM audit_last l JOIN %s r ON "
        "r._kafka_partition = l.p AND r._kafka_offset >= l.a AND r._kafka_offset < l.b %s "
        "UNION ALL "
        "SELECT l.g, l.topic, l.p, %s, d.\"offset\", coalesce(epoch_us(d.timestamp), -1) "
        "FROM audit_last l JOIN @lake.pintail.dead_letters d ON d.pipeline = l.g AND "
        "d.topic = l.topic AND d.\"partition\" = l.p AND d.\"offset\" >= l.a AND "
        "d.\"offset\" < l.b) "
        "SELECT g, topic, p, n.o, n.us, CASE WHEN l.b = n.o + 1 THEN "
        "coalesce(l.leader_epoch, -1) ELSE -1 END "
        "FROM (SELECT g, topic, p, max({'seen': seen, 'o': o, 'us': us}) AS n FROM r "
        "GROUP BY ALL) JOIN audit_last l USING (g, topic, p)",
        by_time ? "epoch_us(r.ingest_time)" : "0", pt_text_get(&name->sql),
        by_topic ? "AND r._kafka_topic = l.topic"
                 : "AND (SELECT count(DISTINCT x.topic) FROM audit_ledger x WHERE x.t = "
                   "(SELECT any_value(t) FROM audit_last)) = 1",
        by_time ? "epoch_us(d.ingest_time)" : "0");
    return pt_auditor_table(a, &sql, out, err);
}

static void take(pt_auditor *a, const pt_audit_table *t, const pt_result *found, size_t row) {
    for (size_t i = 0; i < a->audit->n_partitions; i++) {
        pt_audit_partition *p = &a->audit->partitions[i];
        if (p->current && p->partition == pt_result_int(found, row, 2) &&
            strcmp(p->pipeline, pt_result_cell(found, row, 0)) == 0 &&
            strcmp(p->topic, pt_result_cell(found, row, 1)) == 0 &&
            strcmp(p->table, t->name) == 0) {
            int64_t us = pt_result_int(found, row, 4);
            p->last_offset = pt_result_int(found, row, 3);
            p->last_us = us < 0 ? INT64_MIN : us;
            p->last_epoch = (int32_t)pt_result_int(found, row, 5);
        }
    }
}

int pt_audit_last_records(pt_auditor *a, const pt_audit_name *name, const pt_audit_table *t,
                          pt_error *err) {
    pt_result found = {0};
    PT_TRY(make_last(a, t, err));
    PT_TRY(ask(a, name, &found, err));
    for (size_t row = 0; row < found.n_rows; row++) {
        take(a, t, &found, row);
    }
    pt_result_clear(&found);
    return PT_OK;
}
