/* The rows of a table against the ledger. Only where the counts of a window and the ledger disagree
 * are the offsets themselves looked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/windows.h"

typedef struct verdict {
    const char *topic;
    int32_t partition;
    int64_t expected, rows, offsets, unknown; /* rows by the ledger; in the table, of known offsets;
                                                 different ones; rows of unknown offsets */
    bool exact; /* no offset was committed twice: offsets and rows can be compared */
    int64_t pipelines, resets;
    const char *pipeline; /* all of them, "a, b" */
} verdict;

/* A single pipeline is named, several are not. */
static const char *owner(const verdict *v) {
    return v->pipelines == 1 ? v->pipeline : NULL;
}

static int find_duplicates(pt_rows_audit *j, const verdict *v, pt_error *err) {
    char why[400] = "";
    if (v->pipelines > 1) {
        (void)snprintf(why, sizeof why, ": the pipelines %s all read this topic into this table",
                       v->pipeline);
    } else if (v->resets) {
        (void)snprintf(why, sizeof why, ": the pipeline was reset and read them again");
    }
    pt_finding *f = pt_audit_find(j->a->audit, "duplicate", owner(v), v->topic, j->t->name,
                                  v->partition, v->rows - v->offsets,
                                  "%" PRId64 " rows too many with the same offset%s",
                                  v->rows - v->offsets, why);
    pt_query sql = {0};
    pt_query_add(&sql, "SELECT o FROM ");
    pt_rows_add_from(&sql, j);
    pt_query_add(&sql, " r WHERE ");
    pt_rows_add_is_partition(&sql, "r", v->topic, v->partition);
    pt_query_addf(&sql, " AND o >> %d IN (SELECT w FROM audit_windows d WHERE ", PT_WINDOW_BITS);
    pt_rows_add_is_partition(&sql, "d", v->topic, v->partition);
    pt_query_addf(&sql,
                  " AND known AND n > d ORDER BY w LIMIT %d) GROUP BY o HAVING count(*) > 1 ORDER "
                  "BY o LIMIT %d",
                  PT_AUDIT_EXAMPLES, PT_AUDIT_EXAMPLES);
    return pt_auditor_examples(j->a, &sql, f, err);
}

/* Offsets of the first ranges with too few rows that are neither in the table nor in the dead
 * letters. */
static int missing_examples(pt_rows_audit *j, const verdict *v, pt_finding *f, pt_error *err) {
    pt_query sql = {0};
    pt_query_addf(&sql, "WITH l AS (SELECT a, b, n FROM audit_ledger x WHERE ");
    pt_rows_add_table_is(&sql, j);
    pt_query_add(&sql, " AND kind = 'commit' AND b > a AND ");
    pt_rows_add_is_partition(&sql, "x", v->topic, v->partition);
    pt_query_add(&sql, "), r AS (SELECT o FROM ");
    pt_rows_add_from(&sql, j);
    pt_query_add(&sql, " q WHERE ");
    pt_rows_add_is_partition(&sql, "q", v->topic, v->partition);
    pt_query_add(&sql,
                 "), c AS (SELECT l.a, count(DISTINCT r.o) AS n FROM r ASOF JOIN l ON r.o >= "
                 "l.a WHERE r.o < l.b GROUP BY l.a), "
                 "bad AS (SELECT l.a, l.b FROM l LEFT JOIN c ON c.a = l.a WHERE coalesce(c.n, "
                 "0) < l.n ORDER BY l.a LIMIT 3) "
                 "SELECT o FROM (SELECT unnest(range(a, least(b, a + 2000000))) AS o FROM "
                 "bad) s WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.o = s.o) "
                 "AND NOT EXISTS (SELECT 1 FROM audit_dead d WHERE d.o = s.o AND ");
    pt_rows_add_is_partition(&sql, "d", v->topic, v->partition);
    pt_query_addf(&sql, ") ORDER BY o LIMIT %d", PT_AUDIT_EXAMPLES);
    return pt_auditor_examples(j->a, &sql, f, err);
}

static int find_unknown(pt_rows_audit *j, const verdict *v, pt_error *err) {
    pt_finding *f = pt_audit_find(j->a->audit, "unknown_offset", owner(v), v->topic, j->t->name,
                                  v->partition, v->unknown,
                                  "%" PRId64 " rows have offsets that the ledger never committed",
                                  v->unknown);
    pt_query sql = {0};
    pt_query_add(&sql, "SELECT DISTINCT o FROM ");
    pt_rows_add_from(&sql, j);
    pt_query_add(&sql, " r WHERE ");
    pt_rows_add_is_partition(&sql, "r", v->topic, v->partition);
    pt_query_addf(&sql,
                  " AND o IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_ranges x WHERE x.topic = "
                  "r.topic AND x.p = r.p AND r.o >= x.a AND r.o < x.b) ORDER BY o LIMIT %d",
                  PT_AUDIT_EXAMPLES);
    return pt_auditor_examples(j->a, &sql, f, err);
}

static int judge_counts(pt_rows_audit *j, const verdict *v, pt_error *err) {
    int64_t have = v->exact && !j->merged ? v->offsets : v->rows;
    if (have < v->expected) {
        pt_finding *f = pt_audit_find(j->a->audit, "missing_rows", owner(v), v->topic, j->t->name,
                                      v->partition, v->expected - have,
                                      "the ledger counts %" PRId64 " rows, %" PRId64
                                      " are there: lost, or deleted by somebody",
                                      v->expected, have);
        PT_TRY(v->exact && !j->merged ? missing_examples(j, v, f, err)
                                      : (f ? PT_OK : pt_fail_nomem(err, "a finding")));
    } else if (have > v->expected) {
        if (!pt_audit_find(j->a->audit, "ledger", owner(v), v->topic, j->t->name, v->partition,
                           have - v->expected,
                           "there are %" PRId64 " rows where the ledger counts %" PRId64, have,
                           v->expected)) {
            return pt_fail_nomem(err, "a finding");
        }
    }
    return PT_OK;
}

/* Notes the counts at the partitions that were asked for; false when there is none. */
static bool note_counts(pt_rows_audit *j, const verdict *v) {
    pt_audit *audit = j->a->audit;
    bool any = false;
    for (size_t i = 0; i < audit->n_partitions; i++) {
        pt_audit_partition *p = &audit->partitions[i];
        if (p->partition == v->partition && strcmp(p->table, j->t->name) == 0 &&
            (j->merged || strcmp(p->topic, v->topic) == 0)) {
            any = true;
            if (j->merged) {
                p->duplicates = -1;
            } else {
                int64_t have = v->exact ? v->offsets : v->rows;
                p->rows = v->rows;
                p->duplicates = v->rows - v->offsets;
                p->gaps += have < v->expected ? v->expected - have : 0;
            }
        }
    }
    return any;
}

static int judge(pt_rows_audit *j, const verdict *v, pt_error *err) {
    bool asked = note_counts(j, v);
    if (!asked && (v->expected || v->rows ||
                   !(j->merged || pt_auditor_wants(j->a, owner(v), v->topic, NULL)))) {
        return PT_OK; /* of another topic or pipeline than asked for */
    }
    if (!j->merged && v->rows > v->offsets) {
        PT_TRY(find_duplicates(j, v, err));
    }
    if (v->unknown) {
        PT_TRY(find_unknown(j, v, err));
    }
    return judge_counts(j, v, err);
}

static int compare(pt_rows_audit *j, pt_error *err) {
    pt_query sql = {0};
    pt_result table;
    pt_query_addf(&sql,
                  "WITH l AS (SELECT %s AS topic, p, sum(n) AS n, sum(b - a) FILTER (kind = "
                  "'commit') AS width, count(DISTINCT g) FILTER (kind = 'commit') AS gs, "
                  "string_agg(DISTINCT g, ', ' ORDER BY g) FILTER (kind = 'commit') AS names, "
                  "max(gen) FILTER (kind = 'commit') AS resets FROM audit_ledger WHERE ",
                  pt_rows_ledger_topic(j));
    pt_rows_add_table_is(&sql, j);
    pt_query_add(&sql,
                 " GROUP BY 1, 2), x AS (SELECT topic, p, sum(b - a) AS width FROM audit_ranges "
                 "GROUP BY ALL), "
                 "w AS (SELECT topic, p, sum(n) FILTER (known) AS n, sum(d) FILTER (known) AS d, "
                 "sum(n) FILTER (NOT known) AS unknown "
                 "FROM audit_windows WHERE NOT alien GROUP BY ALL) "
                 "SELECT topic, p, coalesce(l.n, 0), coalesce(w.n, 0), coalesce(w.d, 0), "
                 "coalesce(unknown, 0), (coalesce(l.width, 0) = coalesce(x.width, 0))::INTEGER, "
                 "coalesce(gs, 0), coalesce(names, ''), coalesce(resets, 0) FROM l FULL JOIN w "
                 "USING (topic, p) LEFT JOIN x USING (topic, p) ORDER BY topic, p");
    PT_TRY(pt_auditor_table(j->a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        verdict v = {
            .topic = pt_result_cell(&table, i, 0),
            .partition = (int32_t)pt_result_int(&table, i, 1),
            .expected = pt_result_int(&table, i, 2),
            .rows = pt_result_int(&table, i, 3),
            .offsets = pt_result_int(&table, i, 4),
            .unknown = pt_result_int(&table, i, 5),
            .exact = pt_result_int(&table, i, 6) != 0,
            .pipelines = pt_result_int(&table, i, 7),
            .pipeline = pt_result_cell(&table, i, 8),
            .resets = pt_result_int(&table, i, 9),
        };
        code = judge(j, &v, err);
    }
    pt_result_clear(&table);
    return code;
}

/* Offsets that are in the table and in the dead letters. Not where two pipelines, or a reset, may
 * have judged a record differently. */
static int find_both(pt_rows_audit *j, pt_error *err) {
    pt_query sql = {0};
    pt_result table;
    int64_t dead = 0;
    pt_query_add(&sql, "SELECT count(*) FROM audit_dead WHERE ");
    pt_rows_add_table_is(&sql, j);
    PT_TRY(pt_auditor_int(j->a, &sql, &dead, err));
    if (dead == 0 || j->merged) {
        return PT_OK;
    }
    pt_query_add(&sql, "SELECT d.g, d.topic, d.p, count(DISTINCT d.o), list_sort(list(DISTINCT "
                       "d.o))[1:10] FROM audit_dead d JOIN ");
    pt_rows_add_from(&sql, j);
    pt_query_add(&sql, " r ON r.topic = d.topic AND r.p = d.p AND r.o = d.o WHERE d.");
    pt_rows_add_table_is(&sql, j);
    pt_query_add(&sql,
                 " AND d.topic IN (SELECT topic FROM audit_ledger WHERE kind = 'commit' AND ");
    pt_rows_add_table_is(&sql, j);
    pt_query_add(&sql, " GROUP BY topic HAVING count(DISTINCT g) = 1 AND max(gen) = 0) GROUP BY "
                       "d.g, d.topic, d.p ORDER BY d.g, d.topic, d.p");
    PT_TRY(pt_auditor_table(j->a, &sql, &table, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < table.n_rows; i++) {
        const char *g = pt_result_cell(&table, i, 0), *topic = pt_result_cell(&table, i, 1);
        if (!pt_auditor_wants(j->a, g, topic, NULL)) {
            continue;
        }
        int64_t n = pt_result_int(&table, i, 3);
        pt_finding *f = pt_audit_find(j->a->audit, "row_and_dead_letter", g, topic, j->t->name,
                                      (int32_t)pt_result_int(&table, i, 2), n,
                                      "%" PRId64
                                      " offsets are in the table and in the dead letters",
                                      n);
        code = f ? PT_OK : pt_fail_nomem(err, "a finding");
        for (const char *at = pt_result_cell(&table, i, 4);
             f && at && *at && f->n_examples < PT_AUDIT_EXAMPLES;) { /* [1, 2, 3] */
            at += strcspn(at, "0123456789");
            if (*at) {
                char *end;
                f->examples[f->n_examples++] = strtoll(at, &end, 10);
                at = end;
            }
        }
    }
    pt_result_clear(&table);
    return code;
}

static int count_aliens(pt_rows_audit *j, int64_t *n, pt_error *err) {
    pt_query sql = {0};
    pt_query_add(&sql, "SELECT coalesce(sum(n), 0) FROM audit_windows WHERE alien");
    return pt_auditor_int(j->a, &sql, n, err);
}

static int audit_rows(pt_rows_audit *j, pt_audit_table *t, pt_error *err) {
    bool partition = false, offset = false;
    int64_t topics = 0;
    PT_TRY(pt_rows_find_topics(j, &topics, err));
    PT_TRY(pt_audit_table_has(j->a, j->name, "_kafka_partition", &partition, err));
    PT_TRY(pt_audit_table_has(j->a, j->name, "_kafka_offset", &offset, err));
    if (topics == 0) {
        return pt_audit_note(j->a->audit, err,
                             "the ledger knows nothing of table %s, so its rows were not audited",
                             t->name);
    }
    if (!partition || !offset) {
        return pt_audit_find(j->a->audit, "ledger", NULL, NULL, t->name, -1, t->rows,
                             "the table has no columns _kafka_partition and _kafka_offset any "
                             "more: rows and ledger cannot be compared")
                   ? PT_OK
                   : pt_fail_nomem(err, "a finding");
    }
    if (j->merged) {
        PT_TRY(pt_audit_note(j->a->audit, err,
                             "several topics are in %s, which has no column _kafka_topic: "
                             "duplicates cannot be told there",
                             t->name));
    }
    PT_TRY(pt_rows_scan(j, err));
    PT_TRY(count_aliens(j, &t->foreign_rows, err));
    PT_TRY(compare(j, err));
    return find_both(j, err);
}

int pt_audit_rows_check(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                        pt_error *err) {
    pt_rows_audit j = {.a = a, .name = name, .t = t};
    int code = audit_rows(&j, t, err);
    free(j.topic);
    return code == PT_OK ? PT_OK : pt_fail_in(err, "rows of %s", t->name);
}
