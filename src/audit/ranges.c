/* The offsets of the ledger by themselves: gaps and overlaps of its ranges, lines that cannot be
 * true, and the dead letters against it. */
#include <inttypes.h>
#include <string.h>

#include "audit/auditor.h"

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
    pt_query sql = {0};
    pt_result table;
    pt_query_add(&sql,
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
    pt_query sql = {0};
    pt_result table;
    pt_query_add(&sql, "SELECT g, topic, p, t, count(*), min(a), arg_min(b, a), arg_min(n, a), "
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
    pt_query sql = {0};
    if (exact && found > offsets) {
        f = pt_audit_find(audit, "duplicate", g, topic, "pintail.dead_letters", partition,
                          found - offsets, "%" PRId64 " dead letters too many with the same offset",
                          found - offsets);
        pt_query_add(&sql, "SELECT o FROM audit_dead WHERE g = ");
        pt_query_value(&sql, pt_str(g));
        pt_query_add(&sql, " AND topic = ");
        pt_query_value(&sql, pt_str(topic));
        pt_query_add(&sql, " AND p = ");
        pt_query_value(&sql, pt_int(partition));
        pt_query_addf(&sql, " GROUP BY o HAVING count(*) > 1 ORDER BY o LIMIT %d",
                      PT_AUDIT_EXAMPLES);
        PT_TRY(pt_auditor_examples(a, &sql, f, err));
    }
    if (outside > 0) {
        f = pt_audit_find(audit, "unknown_offset", g, topic, "pintail.dead_letters", partition,
                          outside,
                          "%" PRId64 " dead letters have offsets that the ledger never committed",
                          outside);
        pt_query_add(&sql, "SELECT DISTINCT o FROM audit_dead d WHERE g = ");
        pt_query_value(&sql, pt_str(g));
        pt_query_add(&sql, " AND topic = ");
        pt_query_value(&sql, pt_str(topic));
        pt_query_add(&sql, " AND p = ");
        pt_query_value(&sql, pt_int(partition));
        pt_query_addf(&sql,
                      " AND NOT EXISTS (SELECT 1 FROM audit_spans s WHERE s.g = d.g AND s.topic = "
                      "d.topic AND s.p = d.p AND d.o >= s.a AND d.o < s.b) "
                      "ORDER BY o LIMIT %d",
                      PT_AUDIT_EXAMPLES);
        PT_TRY(pt_auditor_examples(a, &sql, f, err));
    }
    return PT_OK;
}

static int check_dead(pt_auditor *a, pt_error *err) {
    pt_query sql = {0};
    pt_result table;
    pt_query_add(&sql,
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
