/* The rows of a table against the ledger.
 *
 * One scan of two columns: rows are grouped into windows of 65536 offsets, and in each window a
 * bitmap tells how many different offsets there are. That is exact, takes 8 KiB a window whatever
 * the number of rows, and is several times faster than DISTINCT. Only where the counts and the
 * ledger disagree the offsets themselves are looked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/auditor.h"

#define WINDOW_BITS  16
#define PASS_WINDOWS 16384 /* in one scan: 128 MiB of bitmaps for each thread, at worst */

typedef struct rows_job {
    pt_auditor *a;
    const pt_audit_name *name;
    const pt_audit_table *t;
    bool has_topic; /* column _kafka_topic */
    bool merged;    /* several topics and no such column: they are audited as one, named '*' */
    char *topic;    /* without the column: the only topic, or "*" */
} rows_job;

/* ---- pieces of SQL ---- */

static void add_table_is(pt_text *sql, const rows_job *j) {
    pt_text_add(sql, "t = ");
    pt_text_add_sql_string(sql, j->t->name);
}

/* (SELECT ... AS topic, p, o FROM the table) */
static void add_rows(pt_text *sql, const rows_job *j) {
    pt_text_add(sql, "(SELECT ");
    if (j->has_topic) {
        pt_text_add(sql, "_kafka_topic");
    } else {
        pt_text_add_sql_string(sql, j->topic);
    }
    pt_text_addf(sql, " AS topic, _kafka_partition AS p, _kafka_offset::BIGINT AS o FROM %s)",
                 pt_text_get(&j->name->sql));
}

static void add_is_partition(pt_text *sql, const char *alias, const char *topic, int32_t p) {
    pt_text_addf(sql, "%s.topic = ", alias);
    pt_text_add_sql_string(sql, topic);
    pt_text_addf(sql, " AND %s.p = %" PRId32, alias, p);
}

static const char *ledger_topic(const rows_job *j) {
    return j->merged ? "'*'" : "topic";
}

/* ---- preparation ---- */

static int find_topics(rows_job *j, int64_t *n, pt_error *err) {
    pt_text sql = {0};
    pt_result table;
    PT_TRY(pt_audit_table_has(j->a, j->name, "_kafka_topic", &j->has_topic, err));
    pt_text_add(&sql, "SELECT DISTINCT topic FROM audit_ledger WHERE ");
    add_table_is(&sql, j);
    PT_TRY(pt_auditor_table(j->a, &sql, &table, err));
    *n = (int64_t)table.n_rows;
    j->merged = !j->has_topic && table.n_rows > 1;
    j->topic = strdup(
        table.n_rows == 1 && pt_result_cell(&table, 0, 0) ? pt_result_cell(&table, 0, 0) : "*");
    pt_result_clear(&table);
    return j->topic ? PT_OK : pt_fail_nomem(err, "a topic");
}

static int make_ranges(rows_job *j, pt_error *err) {
    pt_text sql = {0}, where = {0};
    add_table_is(&where, j);
    pt_text_addf(&sql,
                 "CREATE OR REPLACE TEMP TABLE audit_ranges AS SELECT %s AS topic, p, a, b FROM (",
                 ledger_topic(j));
    pt_auditor_add_merged(&sql, j->merged ? "p" : "topic, p", pt_text_get(&where));
    pt_text_add(&sql, ")");
    pt_text_free(&where);
    return pt_auditor_run(j->a, &sql, err);
}

/* ---- the scan ---- */

/* One pass over the offsets from `from` up to, not including, `until`. The first one also takes
 * what lies below and rows without offset, the last one what lies above. */
static int scan_pass(rows_job *j, int64_t from, int64_t until, bool first, bool last,
                     pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql,
                 "INSERT INTO audit_windows SELECT r.topic, r.p, CASE WHEN x.a IS NULL THEN -1 "
                 "ELSE r.o >> %d END AS w, count(*), "
                 "coalesce(bit_count(bitstring_agg(r.o & %d, 0::BIGINT, %d::BIGINT) FILTER (x.a IS "
                 "NOT NULL)), 0), x.a IS NOT NULL, "
                 "r.topic IS NULL OR r.p IS NULL OR r.o IS NULL AS alien FROM ",
                 WINDOW_BITS, (1 << WINDOW_BITS) - 1, (1 << WINDOW_BITS) - 1);
    add_rows(&sql, j);
    pt_text_add(&sql, " r LEFT JOIN audit_ranges x ON x.topic = r.topic AND x.p = r.p AND r.o >= "
                      "x.a AND r.o < x.b WHERE true");
    if (!first) {
        pt_text_addf(&sql, " AND r.o >= %" PRId64, from);
    }
    if (!last) {
        pt_text_addf(&sql,
                     first ? " AND (r.o IS NULL OR r.o < %" PRId64 ")" : " AND r.o < %" PRId64,
                     until);
    }
    pt_text_add(&sql, " GROUP BY ALL");
    return pt_auditor_run(j->a, &sql, err);
}

static int scan(rows_job *j, pt_error *err) {
    pt_text sql = {0};
    pt_result span;
    pt_text_add(&sql, "CREATE OR REPLACE TEMP TABLE audit_windows (topic VARCHAR, p INTEGER, w "
                      "BIGINT, n BIGINT, d BIGINT, known BOOLEAN, alien BOOLEAN)");
    PT_TRY(pt_auditor_run(j->a, &sql, err));
    pt_text_addf(&sql,
                 "SELECT coalesce(sum(((b - 1) >> %d) - (a >> %d) + 1), 0), coalesce(min(a), 0), "
                 "coalesce(max(b), 0), "
                 "greatest(count(DISTINCT (topic, p)), 1) FROM audit_ranges",
                 WINDOW_BITS, WINDOW_BITS);
    PT_TRY(pt_auditor_table(j->a, &sql, &span, err));
    int64_t windows = pt_result_int(&span, 0, 0), low = pt_result_int(&span, 0, 1),
            high = pt_result_int(&span, 0, 2), slices = pt_result_int(&span, 0, 3);
    pt_result_clear(&span);
    if (windows <= PASS_WINDOWS) {
        return scan_pass(j, 0, 0, true, true, err);
    }
    int64_t step = (PASS_WINDOWS / slices > 1 ? PASS_WINDOWS / slices : 1) << WINDOW_BITS;
    for (int64_t from = low & ~(((int64_t)1 << WINDOW_BITS) - 1); from < high; from += step) {
        PT_TRY(scan_pass(j, from, from + step, from <= low, from + step >= high, err));
    }
    return PT_OK;
}

/* ---- findings ---- */

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

static int find_duplicates(rows_job *j, const verdict *v, pt_error *err) {
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
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT o FROM ");
    add_rows(&sql, j);
    pt_text_add(&sql, " r WHERE ");
    add_is_partition(&sql, "r", v->topic, v->partition);
    pt_text_addf(&sql, " AND o >> %d IN (SELECT w FROM audit_windows d WHERE ", WINDOW_BITS);
    add_is_partition(&sql, "d", v->topic, v->partition);
    pt_text_addf(&sql,
                 " AND known AND n > d ORDER BY w LIMIT %d) GROUP BY o HAVING count(*) > 1 ORDER "
                 "BY o LIMIT %d",
                 PT_AUDIT_EXAMPLES, PT_AUDIT_EXAMPLES);
    return pt_auditor_examples(j->a, &sql, f, err);
}

/* Offsets of the first ranges with too few rows that are neither in the table nor in the dead
 * letters. */
static int missing_examples(rows_job *j, const verdict *v, pt_finding *f, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql, "WITH l AS (SELECT a, b, n FROM audit_ledger x WHERE ");
    add_table_is(&sql, j);
    pt_text_add(&sql, " AND kind = 'commit' AND b > a AND ");
    add_is_partition(&sql, "x", v->topic, v->partition);
    pt_text_add(&sql, "), r AS (SELECT o FROM ");
    add_rows(&sql, j);
    pt_text_add(&sql, " q WHERE ");
    add_is_partition(&sql, "q", v->topic, v->partition);
    pt_text_add(&sql, "), c AS (SELECT l.a, count(DISTINCT r.o) AS n FROM r ASOF JOIN l ON r.o >= "
                      "l.a WHERE r.o < l.b GROUP BY l.a), "
                      "bad AS (SELECT l.a, l.b FROM l LEFT JOIN c ON c.a = l.a WHERE coalesce(c.n, "
                      "0) < l.n ORDER BY l.a LIMIT 3) "
                      "SELECT o FROM (SELECT unnest(range(a, least(b, a + 2000000))) AS o FROM "
                      "bad) s WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.o = s.o) "
                      "AND NOT EXISTS (SELECT 1 FROM audit_dead d WHERE d.o = s.o AND ");
    add_is_partition(&sql, "d", v->topic, v->partition);
    pt_text_addf(&sql, ") ORDER BY o LIMIT %d", PT_AUDIT_EXAMPLES);
    return pt_auditor_examples(j->a, &sql, f, err);
}

static int find_unknown(rows_job *j, const verdict *v, pt_error *err) {
    pt_finding *f = pt_audit_find(j->a->audit, "unknown_offset", owner(v), v->topic, j->t->name,
                                  v->partition, v->unknown,
                                  "%" PRId64 " rows have offsets that the ledger never committed",
                                  v->unknown);
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT DISTINCT o FROM ");
    add_rows(&sql, j);
    pt_text_add(&sql, " r WHERE ");
    add_is_partition(&sql, "r", v->topic, v->partition);
    pt_text_addf(&sql,
                 " AND o IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_ranges x WHERE x.topic = "
                 "r.topic AND x.p = r.p AND r.o >= x.a AND r.o < x.b) ORDER BY o LIMIT %d",
                 PT_AUDIT_EXAMPLES);
    return pt_auditor_examples(j->a, &sql, f, err);
}

static int judge_counts(rows_job *j, const verdict *v, pt_error *err) {
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
static bool note_counts(rows_job *j, const verdict *v) {
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

static int judge(rows_job *j, const verdict *v, pt_error *err) {
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

static int compare(rows_job *j, pt_error *err) {
    pt_text sql = {0};
    pt_result table;
    pt_text_addf(&sql,
                 "WITH l AS (SELECT %s AS topic, p, sum(n) AS n, sum(b - a) FILTER (kind = "
                 "'commit') AS width, count(DISTINCT g) FILTER (kind = 'commit') AS gs, "
                 "string_agg(DISTINCT g, ', ' ORDER BY g) FILTER (kind = 'commit') AS names, "
                 "max(gen) FILTER (kind = 'commit') AS resets FROM audit_ledger WHERE ",
                 ledger_topic(j));
    add_table_is(&sql, j);
    pt_text_add(&sql,
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
static int find_both(rows_job *j, pt_error *err) {
    pt_text sql = {0};
    pt_result table;
    int64_t dead = 0;
    pt_text_add(&sql, "SELECT count(*) FROM audit_dead WHERE ");
    add_table_is(&sql, j);
    PT_TRY(pt_auditor_int(j->a, &sql, &dead, err));
    if (dead == 0 || j->merged) {
        return PT_OK;
    }
    pt_text_add(&sql, "SELECT d.g, d.topic, d.p, count(DISTINCT d.o), list_sort(list(DISTINCT "
                      "d.o))[1:10] FROM audit_dead d JOIN ");
    add_rows(&sql, j);
    pt_text_add(&sql, " r ON r.topic = d.topic AND r.p = d.p AND r.o = d.o WHERE d.");
    add_table_is(&sql, j);
    pt_text_add(&sql, " AND d.topic IN (SELECT topic FROM audit_ledger WHERE kind = 'commit' AND ");
    add_table_is(&sql, j);
    pt_text_add(&sql, " GROUP BY topic HAVING count(DISTINCT g) = 1 AND max(gen) = 0) GROUP BY "
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

static int count_aliens(rows_job *j, int64_t *n, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT coalesce(sum(n), 0) FROM audit_windows WHERE alien");
    return pt_auditor_int(j->a, &sql, n, err);
}

static int audit_rows(rows_job *j, pt_audit_table *t, pt_error *err) {
    bool partition = false, offset = false;
    int64_t topics = 0;
    PT_TRY(find_topics(j, &topics, err));
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
    PT_TRY(make_ranges(j, err));
    PT_TRY(scan(j, err));
    PT_TRY(count_aliens(j, &t->foreign_rows, err));
    PT_TRY(compare(j, err));
    return find_both(j, err);
}

int pt_audit_rows_check(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                        pt_error *err) {
    rows_job j = {.a = a, .name = name, .t = t};
    int code = audit_rows(&j, t, err);
    free(j.topic);
    return code == PT_OK ? PT_OK : pt_fail_in(err, "rows of %s", t->name);
}
