/* The ledger by itself, and the dead letters against it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/auditor.h"

/* ---- loading ---- */

/* A 'reset' row begins a new generation of its partition: like ledger.c, every row of its epoch or
 * a later one belongs to it. Its own range is empty and lies where ingest went on; it names no
 * table and is shown with the one of its neighbours. */
static int load_ledger(pt_auditor *a, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql,
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
                 "FROM \"%s\".pintail.offsets",
                 pt_engine_alias(a->engine));
    PT_TRY(pt_auditor_run(a, &sql, err));
    pt_text_addf(&sql,
                 "CREATE OR REPLACE TEMP TABLE audit_dead AS SELECT pipeline AS g, topic, "
                 "\"partition\" AS p, \"offset\" AS o, "
                 "coalesce(target_table, '') AS t, coalesce(error_code, '') AS code, EXISTS "
                 "(SELECT 1 FROM audit_ledger l WHERE l.kind = 'reset' AND l.g = d.pipeline "
                 "AND l.topic = d.topic AND l.p = d.\"partition\" AND l.b <= d.\"offset\" AND l.at "
                 ">= d.ingest_time) AS old FROM \"%s\".pintail.dead_letters d",
                 pt_engine_alias(a->engine));
    PT_TRY(pt_auditor_run(a, &sql, err));
    pt_text_add(&sql, "CREATE OR REPLACE TEMP TABLE audit_spans AS ");
    pt_auditor_add_merged(&sql, "g, topic, p", "true");
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
    pt_text sql = {0};
    pt_result table;
    pt_text_addf(
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
        "\"%s\".pintail.epochs e WHERE NOT EXISTS "
        "(SELECT 1 FROM audit_ledger l WHERE l.g = e.pipeline AND l.topic = e.topic AND l.p = "
        "e.\"partition\")) "
        "SELECT g, topic, t, p, first, next, n, d, hidden, skipped + CASE WHEN current THEN "
        "coalesce(jumped, 0) ELSE 0 END, coalesce(found, 0), current::INTEGER, cluster, topic_id "
        "FROM these LEFT JOIN dead USING (g, topic, t, p) LEFT JOIN ahead USING (g, topic, p) "
        "UNION ALL "
        "SELECT g, topic, coalesce((SELECT max(t) FROM audit_ledger l WHERE l.g = c.g AND l.topic "
        "= c.topic), ''), p, NULL, NULL, 0, 0, 0, 0, 0, 1, '', '' "
        "FROM claimed c ORDER BY g, topic, t, p",
        pt_engine_alias(a->engine));
    PT_TRY(pt_auditor_table(a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        code = add_partition(a, &table, i, err);
    }
    pt_result_clear(&table);
    return code;
}

static int load_reasons(pt_auditor *a, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT g, topic, code, count(*) AS n, t, count(*) FILTER (old) FROM "
                      "audit_dead GROUP BY g, topic, t, code ORDER BY g, topic, n DESC, code");
    return pt_auditor_table(a, &sql, &a->audit->reasons, err);
}

int pt_audit_ledger_load(pt_auditor *a, pt_error *err) {
    PT_TRY(load_ledger(a, err));
    PT_TRY(load_partitions(a, err));
    return load_reasons(a, err);
}

/* ---- findings ---- */

static pt_audit_partition *find_partition(pt_audit *audit, const char *g, const char *topic,
                                          const char *t, int64_t p) {
    pt_audit_partition *found = NULL;
    for (size_t i = 0; i < audit->n_partitions; i++) {
        pt_audit_partition *x = &audit->partitions[i];
        if (x->partition == p && strcmp(x->pipeline, g) == 0 && strcmp(x->topic, topic) == 0 &&
            (!t || strcmp(x->table, t) == 0)) {
            found = found && found->current ? found : x;
        }
    }
    return found;
}

/* Ranges that do not begin where the one before ended. */
static int check_chain(pt_auditor *a, pt_error *err) {
    pt_text sql = {0};
    pt_result table;
    pt_text_add(&sql,
                "SELECT g, topic, p, before, a, least(before, b), t FROM (SELECT *, max(b) OVER "
                "(PARTITION BY g, topic, p, gen ORDER BY a, b "
                "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM audit_ledger "
                "WHERE moves) WHERE before IS NOT NULL AND before <> a ORDER BY ALL");
    PT_TRY(pt_auditor_table(a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        const char *g = pt_result_cell(&table, i, 0), *topic = pt_result_cell(&table, i, 1),
                   *t = pt_result_cell(&table, i, 6);
        int64_t before = pt_result_int(&table, i, 3), from = pt_result_int(&table, i, 4),
                until = pt_result_int(&table, i, 5);
        pt_audit_partition *p = find_partition(a->audit, g, topic, t, pt_result_int(&table, i, 2));
        if (!p || from == until) { /* not asked for; or a range without offsets inside another */
            continue;
        }
        pt_finding *f;
        if (from > before) {
            p->gaps += from - before;
            f = pt_audit_find(a->audit, "gap", g, topic, t, p->partition, from - before,
                              "no line of the ledger has the offsets %" PRId64 " to %" PRId64
                              ": they were never committed",
                              before, from - 1);
            for (int64_t o = before; f && o < from && f->n_examples < PT_AUDIT_EXAMPLES; o++) {
                f->examples[f->n_examples++] = o;
            }
        } else {
            f = pt_audit_find(a->audit, "overlap", g, topic, t, p->partition, until - from,
                              "the ledger has the offsets %" PRId64 " to %" PRId64
                              " twice: they were committed twice",
                              from, until - 1);
        }
        code = f ? PT_OK : pt_fail_nomem(err, "a finding");
    }
    pt_result_clear(&table);
    return code;
}

/* Lines that cannot be true. */
static int check_lines(pt_auditor *a, pt_error *err) {
    pt_text sql = {0};
    pt_result table;
    pt_text_add(&sql, "SELECT g, topic, p, t, count(*), min(a), arg_min(b, a), arg_min(n, a), "
                      "arg_min(d, a) FROM audit_ledger "
                      "WHERE kind = 'commit' AND (b < a OR n < 0 OR d < 0 OR n + d > b - a) GROUP "
                      "BY g, topic, p, t ORDER BY ALL");
    PT_TRY(pt_auditor_table(a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        const char *g = pt_result_cell(&table, i, 0), *topic = pt_result_cell(&table, i, 1),
                   *t = pt_result_cell(&table, i, 3);
        if (!find_partition(a->audit, g, topic, t, pt_result_int(&table, i, 2))) {
            continue;
        }
        if (!pt_audit_find(a->audit, "ledger", g, topic, t, (int32_t)pt_result_int(&table, i, 2),
                           pt_result_int(&table, i, 4),
                           "the ledger's line from %" PRId64 " to %" PRId64 " counts %" PRId64
                           " rows and %" PRId64 " dead letters, which cannot be",
                           pt_result_int(&table, i, 5), pt_result_int(&table, i, 6),
                           pt_result_int(&table, i, 7), pt_result_int(&table, i, 8))) {
            code = pt_fail_nomem(err, "a finding");
        }
    }
    pt_result_clear(&table);
    return code;
}

/* expected: by the ledger; found: lines; offsets: different ones; outside: of offsets that the
 * pipeline never committed. */
static int judge_dead(pt_auditor *a, const char *g, const char *topic, int32_t partition,
                      const int64_t n[5], pt_error *err) {
    int64_t expected = n[0], found = n[1], offsets = n[2], outside = n[3];
    bool exact = n[4] !=
                 0; /* no offset was committed twice, so that offsets and lines can be compared */
    pt_audit *audit = a->audit;
    pt_audit_partition *p = find_partition(audit, g, topic, NULL, partition);
    int64_t inside = (exact ? offsets : found) - outside;
    pt_finding *f = NULL;
    bool any = false;
    if (inside < expected) {
        any = true;
        if (p) {
            p->gaps += expected - inside;
        }
        f = pt_audit_find(audit, "missing_dead_letters", g, topic, NULL, partition,
                          expected - inside,
                          "the ledger counts %" PRId64 " dead letters, %" PRId64
                          " are there; if you deleted them, keep a copy elsewhere",
                          expected, inside);
    } else if (inside > expected) {
        any = true;
        f = pt_audit_find(audit, "ledger", g, topic, NULL, partition, inside - expected,
                          "there are %" PRId64 " dead letters where the ledger counts %" PRId64,
                          inside, expected);
    }
    if (any && !f) {
        return pt_fail_nomem(err, "a finding");
    }
    pt_text sql = {0};
    if (exact && found > offsets) {
        f = pt_audit_find(audit, "duplicate", g, topic, "pintail.dead_letters", partition,
                          found - offsets, "%" PRId64 " dead letters too many with the same offset",
                          found - offsets);
        pt_text_add(&sql, "SELECT o FROM audit_dead WHERE g = ");
        pt_text_add_sql_string(&sql, g);
        pt_text_add(&sql, " AND topic = ");
        pt_text_add_sql_string(&sql, topic);
        pt_text_addf(&sql,
                     " AND p = %" PRId32 " GROUP BY o HAVING count(*) > 1 ORDER BY o LIMIT %d",
                     partition, PT_AUDIT_EXAMPLES);
        PT_TRY(pt_auditor_examples(a, &sql, f, err));
    }
    if (outside > 0) {
        f = pt_audit_find(audit, "unknown_offset", g, topic, "pintail.dead_letters", partition,
                          outside,
                          "%" PRId64 " dead letters have offsets that the ledger never committed",
                          outside);
        pt_text_add(&sql, "SELECT DISTINCT o FROM audit_dead d WHERE g = ");
        pt_text_add_sql_string(&sql, g);
        pt_text_add(&sql, " AND topic = ");
        pt_text_add_sql_string(&sql, topic);
        pt_text_addf(&sql,
                     " AND p = %" PRId32
                     " AND NOT EXISTS (SELECT 1 FROM audit_spans s WHERE s.g = d.g AND s.topic = "
                     "d.topic AND s.p = d.p AND d.o >= s.a AND d.o < s.b) "
                     "ORDER BY o LIMIT %d",
                     partition, PT_AUDIT_EXAMPLES);
        PT_TRY(pt_auditor_examples(a, &sql, f, err));
    }
    return PT_OK;
}

static int check_dead(pt_auditor *a, pt_error *err) {
    pt_text sql = {0};
    pt_result table;
    pt_text_add(&sql,
                "WITH l AS (SELECT g, topic, p, sum(d) AS d, sum(b - a) FILTER (kind = 'commit') "
                "AS width FROM audit_ledger GROUP BY ALL), "
                "s AS (SELECT g, topic, p, sum(b - a) AS width FROM audit_spans GROUP BY ALL), "
                "f AS (SELECT d.g, d.topic, d.p, count(*) AS n, count(DISTINCT o) AS offsets, "
                "count(DISTINCT o) FILTER (s.a IS NULL) AS outside "
                "FROM audit_dead d LEFT JOIN audit_spans s ON s.g = d.g AND s.topic = d.topic AND "
                "s.p = d.p AND d.o >= s.a AND d.o < s.b GROUP BY ALL) "
                "SELECT g, topic, p, coalesce(l.d, 0), coalesce(f.n, 0), coalesce(f.offsets, 0), "
                "coalesce(f.outside, 0), "
                "(coalesce(l.width, 0) = coalesce(s.width, 0))::INTEGER FROM l FULL JOIN f USING "
                "(g, topic, p) LEFT JOIN s USING (g, topic, p) "
                "WHERE coalesce(l.d, 0) <> coalesce(f.n, 0) OR f.n <> f.offsets OR f.outside > 0 "
                "ORDER BY ALL");
    PT_TRY(pt_auditor_table(a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        const char *g = pt_result_cell(&table, i, 0), *topic = pt_result_cell(&table, i, 1);
        int32_t p = (int32_t)pt_result_int(&table, i, 2);
        bool known = find_partition(a->audit, g ? g : "", topic ? topic : "", NULL, p) != NULL;
        int64_t n[5];
        for (size_t k = 0; k < 5; k++) {
            n[k] = pt_result_int(&table, i, 3 + k);
        }
        if (g && topic && (known || (a->n_tables == 0 && pt_auditor_wants(a, g, topic, NULL)))) {
            code = judge_dead(a, g, topic, p, n, err);
        }
    }
    pt_result_clear(&table);
    return code;
}

int pt_audit_ledger_check(pt_auditor *a, pt_error *err) {
    PT_TRY(check_chain(a, err));
    PT_TRY(check_lines(a, err));
    return check_dead(a, err);
}
