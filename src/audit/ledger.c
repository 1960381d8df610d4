/* The ledger as temporary tables, and the partitions that it knows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/auditor.h"

/* A 'reset' row begins a new generation of its partition: like ledger.c, every row of its epoch or
 * a later one belongs to it. Its own range is empty and lies where ingest went on; it names no
 * table and is shown with the one of its neighbours. */
static int load_ledger(pt_auditor *a, pt_error *err) {
    pt_query sql = {0};
    pt_query_add(&sql,
                 "CREATE OR REPLACE TEMP TABLE audit_ledger AS SELECT pipeline AS g, topic, "
                 "\"partition\" AS p, "
                 "CASE WHEN kind = 'reset' THEN next_offset ELSE from_offset END AS a, next_offset "
                 "AS b, row_count AS n, dead_letter_count AS d, kind, "
                 "coalesce(nullif(target_table, ''), arg_max(nullif(target_table, ''), epoch) OVER "
                 "(PARTITION BY pipeline, topic), '') AS t, coalesce(cluster_id, '') AS cluster, "
                 "coalesce(topic_id, '') AS topic_id, epoch, committed_at AS at, "
                 "sum(CASE WHEN kind = 'reset' THEN 1 ELSE 0 END) OVER (PARTITION BY pipeline, "
                 "topic, \"partition\" ORDER BY epoch) AS gen, "
                 "kind IN ('commit', 'skip', 'reset') AS moves, from_offset AS was "
                 "FROM @lake.pintail.offsets");
    PT_TRY(pt_auditor_run(a, &sql, err));
    pt_query_add(&sql,
                 "CREATE OR REPLACE TEMP TABLE audit_dead AS SELECT pipeline AS g, topic, "
                 "\"partition\" AS p, \"offset\" AS o, "
                 "coalesce(target_table, '') AS t, coalesce(error_code, '') AS code, EXISTS "
                 "(SELECT 1 FROM audit_ledger l WHERE l.kind = 'reset' AND l.g = d.pipeline "
                 "AND l.topic = d.topic AND l.p = d.\"partition\" AND l.b <= d.\"offset\" AND l.at "
                 ">= d.ingest_time) AS old FROM @lake.pintail.dead_letters d");
    PT_TRY(pt_auditor_run(a, &sql, err));
    pt_query_add(&sql, "CREATE OR REPLACE TEMP TABLE audit_spans AS ");
    pt_auditor_add_merged(&sql, "g, topic, p", NULL);
    return pt_auditor_run(a, &sql, err);
}

static int add_partition(pt_auditor *a, const pt_result *t, size_t row, pt_error *err) {
    pt_audit *audit = a->audit;
    const char *g = pt_result_cell(t, row, 0), *topic = pt_result_cell(t, row, 1),
               *table = pt_result_cell(t, row, 2);
    if (!g || !topic || !table || !pt_auditor_wants(a, g, topic, *table ? table : NULL)) {
        return PT_OK;
    }
    pt_audit_partition *grown = realloc(audit->partitions,
                                        (audit->n_partitions + 1) * sizeof *grown);
    if (!grown) {
        return pt_fail_nomem(err, "a partition");
    }
    audit->partitions = grown;
    pt_audit_partition *p = &grown[audit->n_partitions++];
    *p = (pt_audit_partition){
        .pipeline = strdup(g),
        .topic = strdup(topic),
        .table = strdup(table),
        .partition = (int32_t)pt_result_int(t, row, 3),
        .first_offset = pt_result_cell(t, row, 4) ? pt_result_int(t, row, 4) : -1,
        .next_offset = pt_result_cell(t, row, 5) ? pt_result_int(t, row, 5) : -1,
        .rows = -1,
        .ledger_rows = pt_result_int(t, row, 6),
        .ledger_dead_letters = pt_result_int(t, row, 7),
        .not_exposed = pt_result_int(t, row, 8),
        .skipped = pt_result_int(t, row, 9),
        .dead_letters = pt_result_int(t, row, 10),
        .current = pt_result_int(t, row, 11) != 0,
        .lag = -1,
        .behind_us = -1,
        .last_offset = -1,
        .last_us = INT64_MIN,
        .last_epoch = -1,
    };
    const char *cluster = pt_result_cell(t, row, 12), *id = pt_result_cell(t, row, 13);
    (void)snprintf(p->cluster_id, sizeof p->cluster_id, "%s", cluster ? cluster : "");
    (void)snprintf(p->topic_id, sizeof p->topic_id, "%s", id ? id : "");
    return p->pipeline && p->topic && p->table ? PT_OK : pt_fail_nomem(err, "a partition");
}

/* Partitions with rows in the ledger, then those that were only claimed: nothing was committed for
 * them yet. */
static int load_partitions(pt_auditor *a, pt_error *err) {
    pt_query sql = {0};
    pt_result table;
    pt_query_add(
        &sql,
        "WITH l AS (SELECT *, max(gen) OVER (PARTITION BY g, topic, p) AS last FROM audit_ledger), "
        "parts AS (SELECT g, topic, t, p, coalesce(min(a) FILTER (kind = 'commit'), min(a)) AS "
        "first, coalesce(max(b) FILTER (gen = last AND moves), max(b)) AS next, "
        "coalesce(sum(n), 0) AS n, coalesce(sum(d), 0) AS d, coalesce(sum(b - a - n - d) FILTER "
        "(kind = 'commit'), 0) AS hidden, "
        "coalesce(sum(b - a) FILTER (kind = 'skip'), 0) AS skipped, max(gen) = max(last) AS alive, "
        "arg_max(cluster, (epoch, b)) AS cluster, "
        "arg_max(topic_id, (epoch, b)) AS topic_id FROM l GROUP BY g, topic, t, p), "
        "dead AS (SELECT g, topic, t, p, count(*) AS found FROM audit_dead GROUP BY ALL), "
        /* resets ahead, unless a later one has gone back behind them */
        "ahead AS (SELECT g, topic, p, sum(b - was)::BIGINT AS jumped FROM (SELECT *, min(b) OVER "
        "(PARTITION BY g, topic, p ORDER BY gen ROWS BETWEEN 1 FOLLOWING AND "
        "UNBOUNDED FOLLOWING) AS later FROM audit_ledger WHERE kind = 'reset') WHERE was BETWEEN 0 "
        "AND b AND coalesce(later, b) >= b GROUP BY ALL), "
        "these AS (SELECT *, alive AND row_number() OVER (PARTITION BY g, topic, p ORDER BY alive "
        "DESC, next DESC, t) = 1 AS current FROM parts), "
        "claimed AS (SELECT DISTINCT pipeline AS g, topic, \"partition\" AS p FROM "
        "@lake.pintail.epochs e WHERE NOT EXISTS "
        "(SELECT 1 FROM audit_ledger l WHERE l.g = e.pipeline AND l.topic = e.topic AND l.p = "
        "e.\"partition\")) "
        "SELECT g, topic, t, p, first, next, n, d, hidden, skipped + CASE WHEN current THEN "
        "coalesce(jumped, 0) ELSE 0 END, coalesce(found, 0), current::INTEGER, cluster, topic_id "
        "FROM these LEFT JOIN dead USING (g, topic, t, p) LEFT JOIN ahead USING (g, topic, p) "
        "UNION ALL "
        "SELECT g, topic, coalesce((SELECT max(t) FROM audit_ledger l WHERE l.g = c.g AND l.topic "
        "= c.topic), ''), p, NULL, NULL, 0, 0, 0, 0, 0, 1, '', '' "
        "FROM claimed c ORDER BY g, topic, t, p");
    PT_TRY(pt_auditor_table(a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        code = add_partition(a, &table, i, err);
    }
    pt_result_clear(&table);
    return code;
}

static int load_reasons(pt_auditor *a, pt_error *err) {
    pt_query sql = {0};
    pt_query_add(&sql, "SELECT g, topic, code, count(*) AS n, t, count(*) FILTER (old) FROM "
                       "audit_dead GROUP BY g, topic, t, code ORDER BY g, topic, n DESC, code");
    return pt_auditor_table(a, &sql, &a->audit->reasons, err);
}

int pt_audit_ledger_load(pt_auditor *a, pt_error *err) {
    PT_TRY(load_ledger(a, err));
    PT_TRY(load_partitions(a, err));
    return load_reasons(a, err);
}
