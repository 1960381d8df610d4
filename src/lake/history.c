#include "lake/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "lake/identity.h"

/* A UUID of version 7 begins with the time; what is behind its last hyphen is random. */
#define GROUP_DIGITS 8

int pt_history_lake_id(pt_session *session, pt_lake_id *out, pt_error *err) {
    char *id = NULL;
    int code = pt_identity_of(session, "pintail", "offsets", &id, err);
    (void)snprintf(out->text, sizeof out->text, "%s", id ? id : "");
    free(id);
    return code;
}

char *pt_history_group(const char *table_group, const pt_lake_id *id) {
    char *group = NULL;
    const char *end = strrchr(id->text, '-');
    return asprintf(&group, "%s-%.*s", table_group, GROUP_DIGITS, end ? end + 1 : id->text) < 0
               ? NULL
               : group;
}

int pt_history_pipelines(pt_engine *engine, pt_session *session, pt_result *out, pt_error *err) {
    pt_text sql = {0};
    int64_t there = 0;
    *out = (pt_result){0};
    pt_text_add(&sql, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'pintail' AND "
                      "table_name = 'epochs' AND database_name = ");
    pt_text_add_sql_string(&sql, pt_engine_alias(engine));
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(&sql), &there, err);
    }
    pt_text_clear(&sql);
    pt_text_addf(&sql,
                 "SELECT pipeline, topic FROM \"%s\".pintail.epochs GROUP BY ALL ORDER BY ALL",
                 pt_engine_alias(engine));
    if (code == PT_OK && there) {
        code = pt_text_check(&sql, err);
    }
    if (code == PT_OK && there) {
        code = pt_session_result(session, pt_text_get(&sql), out, err);
    }
    pt_text_free(&sql);
    return code;
}

/* WITH l: the ledger of the pipeline's topic; r: since which epoch each partition that was reset
 * counts. */
static void add_ledger(pt_text *sql, const pt_engine *engine, const char *pipeline,
                       const char *topic) {
    pt_text_addf(sql, "WITH l AS (SELECT * FROM \"%s\".pintail.offsets WHERE pipeline = ",
                 pt_engine_alias(engine));
    pt_text_add_sql_string(sql, pipeline);
    pt_text_add(sql, " AND topic = ");
    pt_text_add_sql_string(sql, topic);
    pt_text_add(sql, "), r AS (SELECT \"partition\" AS p, max(epoch) AS since FROM l WHERE kind = "
                     "'reset' GROUP BY ALL)");
}

int pt_history_stands(pt_engine *engine, pt_session *session, const char *pipeline,
                      const char *topic, char **table, int64_t *rows, bool *there, pt_error *err) {
    pt_text sql = {0};
    pt_result found = {0};
    *table = NULL;
    add_ledger(&sql, engine, pipeline, topic);
    pt_text_add(
        &sql, ", t AS (SELECT target_table AS name, sum(row_count)::BIGINT AS n FROM l LEFT JOIN r "
              "ON r.p = l.\"partition\" WHERE l.kind <> 'reset' AND epoch >= coalesce(since, -1) "
              "GROUP BY ALL HAVING n > 0) SELECT name, n, (name IN (SELECT CASE schema_name WHEN "
              "'main' THEN table_name ELSE schema_name || '.' || table_name END "
              "FROM duckdb_tables() WHERE database_name = ");
    pt_text_add_sql_string(&sql, pt_engine_alias(engine));
    pt_text_add(&sql, "))::INTEGER AS there FROM t ORDER BY there, n DESC LIMIT 1");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), &found, err);
    }
    if (code == PT_OK && found.n_rows) {
        const char *name = pt_result_cell(&found, 0, 0);
        *rows = pt_result_int(&found, 0, 1);
        *there = pt_result_int(&found, 0, 2) != 0;
        *table = strdup(name ? name : "?");
        code = *table ? PT_OK : pt_fail_nomem(err, "a table's name");
    }
    pt_result_clear(&found);
    pt_text_free(&sql);
    return code;
}

int pt_history_rows_since(pt_engine *engine, pt_session *session, const char *pipeline,
                          const char *topic, const char *table, int64_t *rows, pt_error *err) {
    pt_text sql = {0};
    add_ledger(&sql, engine, pipeline, topic);
    pt_text_add(
        &sql,
        " SELECT coalesce(sum(row_count), 0)::BIGINT FROM l LEFT JOIN r ON r.p = l.\"partition\" "
        "WHERE l.kind <> 'reset' AND epoch >= coalesce(since, -1) AND target_table = ");
    pt_text_add_sql_string(&sql, table);
    return pt_statement_int(session, &sql, rows, err);
}

int pt_history_rows_before(pt_engine *engine, pt_session *session, const char *pipeline,
                           const char *topic, const char *table, int64_t table_id, int64_t *rows,
                           pt_error *err) {
    pt_text sql = {0};
    const char *alias = pt_engine_alias(engine);
    pt_text_addf(&sql,
                 "SELECT coalesce(CASE WHEN max(o.snapshot_id) < (SELECT min(begin_snapshot) FROM "
                 "\"__ducklake_metadata_%s\".ducklake_table WHERE table_id = %" PRId64
                 ") AND sum(row_count) > 0 THEN sum(row_count) END, 0)::BIGINT FROM "
                 "\"%s\".pintail.offsets o WHERE pipeline = ",
                 alias, table_id, alias);
    pt_text_add_sql_string(&sql, pipeline);
    pt_text_add(&sql, " AND topic = ");
    pt_text_add_sql_string(&sql, topic);
    pt_text_add(&sql, " AND (kind = 'reset' OR target_table = "); /* after a reset, of no table,
                                                                     somebody has decided */
    pt_text_add_sql_string(&sql, table);
    pt_text_add(&sql, ")");
    return pt_statement_int(session, &sql, rows, err);
}

int pt_history_other_topic(pt_engine *engine, pt_session *session, const char *table,
                           const char *topic, char **out, pt_error *err) {
    pt_text sql = {0};
    *out = NULL;
    pt_text_addf(
        &sql,
        "SELECT min(topic) FROM \"%s\".pintail.offsets WHERE row_count > 0 AND target_table = ",
        pt_engine_alias(engine));
    pt_text_add_sql_string(&sql, table);
    pt_text_add(&sql, " AND topic <> ");
    pt_text_add_sql_string(&sql, topic);
    return pt_statement_text(session, &sql, out, err);
}

static int has_row(pt_engine *engine, pt_session *session, const char *table, const char *pipeline,
                   const char *topic, bool *out, pt_error *err) {
    pt_text sql = {0};
    int64_t n = 0;
    pt_text_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM \"%s\".pintail.%s WHERE pipeline = ",
                 pt_engine_alias(engine), table);
    pt_text_add_sql_string(&sql, pipeline);
    pt_text_add(&sql, " AND topic = ");
    pt_text_add_sql_string(&sql, topic);
    pt_text_add(&sql, " LIMIT 1)");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(&sql), &n, err);
    }
    *out = n > 0;
    pt_text_free(&sql);
    return code;
}

int pt_history_claimed(pt_engine *engine, pt_session *session, const char *pipeline,
                       const char *topic, bool *out, pt_error *err) {
    return has_row(engine, session, "epochs", pipeline, topic, out, err);
}

int pt_history_knows(pt_engine *engine, pt_session *session, const char *pipeline,
                     const char *topic, bool *out, pt_error *err) {
    return has_row(engine, session, "offsets", pipeline, topic, out, err);
}
