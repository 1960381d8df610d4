#include "lake/erase.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/query.h"
#include "lake/identity.h"

static void add_is(pt_query *query, const char *before, const char *value) {
    pt_query_add(query, before);
    pt_query_value(query, pt_str(value));
}

/* ---- which tables ---- */

static int add_table(pt_erase *e, const pt_result *found, size_t row, pt_error *err) {
    pt_erase_table *grown = realloc(e->tables, (e->n_tables + 1) * sizeof *grown);
    if (!grown) {
        return pt_fail_nomem(err, "a table");
    }
    e->tables = grown;
    pt_erase_table *t = &grown[e->n_tables++];
    const char *schema = pt_result_cell(found, row, 1), *name = pt_result_cell(found, row, 2);
    *t = (pt_erase_table){.label = strdup(pt_result_cell(found, row, 0)),
                          .schema = schema ? strdup(schema) : NULL,
                          .name = name ? strdup(name) : NULL,
                          .has_topic = pt_result_int(found, row, 3) != 0};
    if (!t->label || (schema && !t->schema) || (name && !t->name)) {
        return pt_fail_nomem(err, "a table");
    }
    int64_t topics = pt_result_int(found, row, 5);
    const char *other = pt_result_cell(found, row, 6);
    if (other) {
        return pt_fail(err, PT_E_LAKE,
                       "--delete-rows: pipeline %s has read topic %s into table %s, too, and rows "
                       "do not tell by which pipeline they came; delete them by hand, or leave "
                       "--delete-rows out",
                       other, e->topic, t->label);
    }
    if (t->name && topics > 1 && !t->has_topic) {
        return pt_fail(err, PT_E_LAKE,
                       "--delete-rows: %" PRId64
                       " topics are in table %s, which has no column _kafka_topic: their rows "
                       "cannot be told apart; delete them by hand, or leave "
                       "--delete-rows out",
                       topics, t->label);
    }
    if (t->name && pt_result_int(found, row, 4) < 2) {
        return pt_fail(err, PT_E_LAKE,
                       "--delete-rows: table %s has no columns _kafka_partition and _kafka_offset, "
                       "by which its rows would be found",
                       t->label);
    }
    return PT_OK;
}

/* A table that was renamed to the name of the one that got the rows has rows of somebody else's. */
static int refuse_foreign(pt_session *session, const pt_erase *e, const pt_erase_table *t,
                          const pt_result *notes, pt_error *err) {
    const char *was = t->name ? pt_identities_find(notes, e->pipeline, e->topic, t->label) : NULL;
    char *now = NULL;
    pt_replaced replaced = {0};
    int code = was ? pt_identity_of(session, t->schema, t->name, &now, err) : PT_OK;
    if (code == PT_OK && now && strcmp(now, was) != 0) {
        code = pt_replaced_find(session, was, now, &replaced, err);
    }
    if (code == PT_OK && replaced.first && strcmp(replaced.first, t->label) != 0) {
        code = pt_fail(
            err, PT_E_LAKE,
            "--delete-rows: table %s is not the one that topic %s went to (that one %s%s), it was "
            "made as %s, and its rows are others; give the tables their names back, or leave "
            "--delete-rows out",
            t->label, e->topic, replaced.was_named ? "is now named " : "was dropped",
            replaced.was_named ? replaced.was_named : "", replaced.first);
    }
    pt_replaced_clear(&replaced);
    free(now);
    return code;
}

static int refuse_foreign_ones(pt_session *session, const pt_erase *e, pt_error *err) {
    pt_result notes = {0};
    int code = pt_identities_read(session, &notes, err);
    for (size_t i = 0; code == PT_OK && i < e->n_tables; i++) {
        code = refuse_foreign(session, e, &e->tables[i], &notes, err);
    }
    pt_result_clear(&notes);
    return code;
}

int pt_erase_open(pt_session *session, const char *pipeline, const char *topic, pt_erase *out,
                  pt_error *err) {
    pt_query query = {0};
    pt_result found;
    const char *alias = pt_session_alias(session);
    *out = (pt_erase){.pipeline = pipeline, .topic = topic};
    pt_query_add(&query,
                 "WITH l AS (SELECT pipeline, topic, target_table AS t, sum(row_count) AS n FROM "
                 "@lake.pintail.offsets WHERE target_table <> '' GROUP BY ALL), ");
    add_is(&query,
           "c AS (SELECT schema_name, table_name, list(lower(column_name)) AS names FROM "
           "duckdb_columns() WHERE database_name = ",
           alias);
    pt_query_add(&query, " GROUP BY ALL), k AS (SELECT *, CASE schema_name WHEN 'main' THEN "
                         "table_name ELSE schema_name || '.' || table_name END AS label FROM c) "
                         "SELECT o.t, schema_name, table_name, coalesce(list_contains(names, "
                         "'_kafka_topic'), false)::INTEGER, "
                         "coalesce(list_contains(names, '_kafka_partition'), false)::INTEGER + "
                         "coalesce(list_contains(names, '_kafka_offset'), false)::INTEGER, "
                         "(SELECT count(DISTINCT topic) FROM l WHERE l.t = o.t AND n > 0), "
                         "(SELECT min(pipeline) FROM l WHERE l.t = o.t AND n > 0 AND l.topic = "
                         "o.topic AND l.pipeline <> o.pipeline) "
                         "FROM l o LEFT JOIN k ON label = o.t WHERE");
    add_is(&query, " o.pipeline = ", pipeline);
    add_is(&query, " AND o.topic = ", topic);
    pt_query_add(&query, " ORDER BY o.t");
    int code = pt_query_run(session, &query, &found, err);
    for (size_t row = 0; code == PT_OK && row < found.n_rows; row++) {
        code = add_table(out, &found, row, err);
    }
    pt_result_clear(&found);
    if (code == PT_OK) {
        code = refuse_foreign_ones(session, out, err);
    }
    if (code != PT_OK) {
        pt_erase_close(out);
    }
    return code;
}

void pt_erase_close(pt_erase *e) {
    for (size_t i = 0; i < e->n_tables; i++) {
        free(e->tables[i].label);
        free(e->tables[i].schema);
        free(e->tables[i].name);
    }
    free(e->tables);
    e->tables = NULL;
    e->n_tables = 0;
}

/* ---- counting ---- */

/* v(p, o). They stand in the text: they are numbers, as many as there are partitions. */
static void add_cuts(pt_text *sql, const pt_cut *cuts, size_t n) {
    pt_text_add(sql, "(VALUES ");
    for (size_t i = 0; i < n; i++) {
        pt_text_addf(sql, "%s(%" PRId32 ", %" PRId64 "::BIGINT)", i ? ", " : "", cuts[i].partition,
                     cuts[i].from);
    }
    pt_text_add(sql, ") v(p, o)");
}

static void add_table_name(pt_text *sql, const pt_erase_table *t) {
    pt_text_add(sql, "@lake.");
    pt_text_add_sql_name(sql, t->schema);
    pt_text_add(sql, ".");
    pt_text_add_sql_name(sql, t->name);
}

static pt_erased *find(pt_erased *out, const pt_cut *cuts, size_t n, int64_t partition) {
    for (size_t i = 0; i < n; i++) {
        if (cuts[i].partition == partition) {
            return &out[i];
        }
    }
    return NULL;
}

static int count_rows(pt_session *session, const pt_erase *e, const pt_erase_table *t,
                      const pt_cut *cuts, size_t n, pt_erased *out, pt_error *err) {
    pt_query query = {0};
    pt_result found;
    pt_query_add(&query, "SELECT v.p, count(*) FROM ");
    add_cuts(&query.sql, cuts, n);
    pt_query_add(&query, " JOIN ");
    add_table_name(&query.sql, t);
    pt_query_add(&query, " t ON t._kafka_partition = v.p AND t._kafka_offset >= v.o");
    if (t->has_topic) {
        add_is(&query, " AND t._kafka_topic = ", e->topic);
    }
    pt_query_add(&query, " GROUP BY v.p");
    PT_TRY(pt_query_run(session, &query, &found, err));
    for (size_t row = 0; row < found.n_rows; row++) {
        pt_erased *x = find(out, cuts, n, pt_result_int(&found, row, 0));
        if (x) {
            x->rows = pt_result_int(&found, row, 1);
        }
    }
    pt_result_clear(&found);
    return PT_OK;
}

static int count_dead(pt_session *session, const pt_erase *e, const pt_erase_table *t,
                      const pt_cut *cuts, size_t n, pt_erased *out, pt_error *err) {
    pt_query query = {0};
    pt_result found;
    pt_query_add(&query, "SELECT v.p, count(*) FROM ");
    add_cuts(&query.sql, cuts, n);
    pt_query_add(
        &query,
        " JOIN @lake.pintail.dead_letters d ON d.\"partition\" = v.p AND d.\"offset\" >= v.o");
    add_is(&query, " AND d.pipeline = ", e->pipeline);
    add_is(&query, " AND d.topic = ", e->topic);
    add_is(&query, " AND d.target_table = ", t->label);
    pt_query_add(&query, " GROUP BY v.p");
    PT_TRY(pt_query_run(session, &query, &found, err));
    for (size_t row = 0; row < found.n_rows; row++) {
        pt_erased *x = find(out, cuts, n, pt_result_int(&found, row, 0));
        if (x) {
            x->dead_letters = pt_result_int(&found, row, 1);
        }
    }
    pt_result_clear(&found);
    return PT_OK;
}

/* What the ledger counts behind a cut: all of it where the cut is before everything, the lines that
 * begin behind it where none goes across; else what is there is taken for it. So what somebody has
 * deleted by hand (or dropped, with the table) is not missed for ever. */
static int count_ledger(pt_session *session, const pt_erase *e, const pt_erase_table *t,
                        const pt_cut *cuts, size_t n, pt_erased *out, pt_error *err) {
    pt_query query = {0};
    pt_result found;
    pt_query_add(
        &query,
        "SELECT v.p, CASE WHEN v.o <= coalesce(min(from_offset) FILTER (kind = 'commit'), "
        "v.o) THEN 2 "
        "WHEN bool_or((kind = 'commit' AND from_offset < v.o AND next_offset > v.o) OR (kind "
        "= 'reset' AND (row_count <> 0 OR dead_letter_count <> 0))) THEN 0 ELSE 1 END, "
        "sum(row_count)::BIGINT, sum(dead_letter_count)::BIGINT, coalesce(sum(row_count) "
        "FILTER (from_offset >= v.o), 0)::BIGINT, "
        "coalesce(sum(dead_letter_count) FILTER (from_offset >= v.o), 0)::BIGINT FROM ");
    add_cuts(&query.sql, cuts, n);
    pt_query_add(&query, " JOIN @lake.pintail.offsets l ON l.\"partition\" = v.p");
    add_is(&query, " AND l.pipeline = ", e->pipeline);
    add_is(&query, " AND l.topic = ", e->topic);
    add_is(&query, " AND l.target_table = ", t->label);
    pt_query_add(&query, " GROUP BY v.p, v.o");
    PT_TRY(pt_query_run(session, &query, &found, err));
    for (size_t row = 0; row < found.n_rows; row++) {
        pt_erased *x = find(out, cuts, n, pt_result_int(&found, row, 0));
        size_t way = (size_t)pt_result_int(&found, row, 1);
        if (x) {
            x->ledger_rows = way == 2   ? pt_result_int(&found, row, 2)
                             : way == 1 ? pt_result_int(&found, row, 4)
                                        : x->rows;
            x->ledger_dead_letters = way == 2   ? pt_result_int(&found, row, 3)
                                     : way == 1 ? pt_result_int(&found, row, 5)
                                                : x->dead_letters;
        }
    }
    pt_result_clear(&found);
    return PT_OK;
}

int pt_erase_count(pt_session *session, const pt_erase *e, const pt_cut *cuts, size_t n,
                   pt_erased *out, pt_error *err) {
    memset(out, 0, e->n_tables * n * sizeof *out);
    for (size_t i = 0; n && i < e->n_tables; i++) {
        const pt_erase_table *t = &e->tables[i];
        if (t->name) {
            PT_TRY(count_rows(session, e, t, cuts, n, out + i * n, err));
        }
        PT_TRY(count_dead(session, e, t, cuts, n, out + i * n, err));
        PT_TRY(count_ledger(session, e, t, cuts, n, out + i * n, err));
    }
    return PT_OK;
}

/* ---- deleting ---- */

static void add_where(pt_text *sql, const char *partition, const char *offset, const pt_cut *cuts,
                      size_t n) {
    pt_text_add(sql, " WHERE (");
    for (size_t i = 0; i < n; i++) {
        pt_text_addf(sql, "%s(%s = %" PRId32 " AND %s >= %" PRId64 ")", i ? " OR " : "", partition,
                     cuts[i].partition, offset, cuts[i].from);
    }
    pt_text_add(sql, ")");
}

int pt_erase_run(pt_session *session, const pt_erase *e, const pt_cut *cuts, size_t n,
                 pt_error *err) {
    pt_query query = {0};
    for (size_t i = 0; n && i < e->n_tables; i++) {
        const pt_erase_table *t = &e->tables[i];
        if (t->name) {
            pt_query_add(&query, "DELETE FROM ");
            add_table_name(&query.sql, t);
            add_where(&query.sql, "_kafka_partition", "_kafka_offset", cuts, n);
            if (t->has_topic) {
                add_is(&query, " AND _kafka_topic = ", e->topic);
            }
            PT_TRY(pt_query_run(session, &query, NULL, err));
        }
    }
    if (n == 0) {
        return PT_OK;
    }
    pt_query_add(&query, "DELETE FROM @lake.pintail.dead_letters");
    add_where(&query.sql, "\"partition\"", "\"offset\"", cuts, n);
    add_is(&query, " AND pipeline = ", e->pipeline);
    add_is(&query, " AND topic = ", e->topic);
    return pt_query_run(session, &query, NULL, err);
}
