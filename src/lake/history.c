#include "lake/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duck/result.h"
#include "duck/session.h"
#include "lake/identity.h"
#include "lake/metadata.h"

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

int pt_history_pipelines(pt_session *session, pt_result *out, pt_error *err) {
    int64_t there = 0;
    *out = (pt_result){0};
    PT_TRY(pt_session_exec_int(session, &there, err,
                               "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'pintail' "
                               "AND table_name = 'epochs' AND database_name = ?",
                               PT_VALUES(pt_str(pt_session_alias(session)))));
    return there ? pt_session_exec(session, out, err,
                                   "SELECT pipeline, topic FROM @lake.pintail.epochs GROUP BY ALL "
                                   "ORDER BY ALL",
                                   PT_NO_VALUES)
                 : PT_OK;
}

/* WITH l: the ledger of the pipeline's topic ($1, $2); r: since which epoch each partition that was
 * reset counts. */
#define LEDGER                                                                                  \
    "WITH l AS (SELECT * FROM @lake.pintail.offsets WHERE pipeline = $1 AND topic = $2), r AS " \
    "(SELECT \"partition\" AS p, max(epoch) AS since FROM l WHERE kind = 'reset' GROUP BY ALL) "

int pt_history_stands(pt_session *session, const char *pipeline, const char *topic, char **table,
                      int64_t *rows, bool *there, pt_error *err) {
    pt_result found = {0};
    *table = NULL;
    int code = pt_session_exec(
        session, &found, err,
        LEDGER
        ", t AS (SELECT target_table AS name, sum(row_count)::BIGINT AS n FROM l LEFT JOIN "
        "r ON r.p = l.\"partition\" WHERE l.kind <> 'reset' AND epoch >= coalesce(since, -1) "
        "GROUP BY ALL HAVING n > 0) SELECT name, n, (name IN (SELECT CASE schema_name WHEN "
        "'main' THEN table_name ELSE schema_name || '.' || table_name END "
        "FROM duckdb_tables() WHERE database_name = $3))::INTEGER AS there FROM t ORDER BY "
        "there, n DESC LIMIT 1",
        PT_VALUES(pt_str(pipeline), pt_str(topic), pt_str(pt_session_alias(session))));
    if (code == PT_OK && found.n_rows) {
        const char *name = pt_result_cell(&found, 0, 0);
        *rows = pt_result_int(&found, 0, 1);
        *there = pt_result_int(&found, 0, 2) != 0;
        *table = strdup(name ? name : "?");
        code = *table ? PT_OK : pt_fail_nomem(err, "a table's name");
    }
    pt_result_clear(&found);
    return code;
}

int pt_history_rows_since(pt_session *session, const char *pipeline, const char *topic,
                          const char *table, int64_t *rows, pt_error *err) {
    return pt_session_exec_int(
        session, rows, err,
        LEDGER "SELECT coalesce(sum(row_count), 0)::BIGINT FROM l LEFT JOIN r ON r.p = "
               "l.\"partition\" WHERE l.kind <> 'reset' AND epoch >= coalesce(since, -1) AND "
               "target_table = $3",
        PT_VALUES(pt_str(pipeline), pt_str(topic), pt_str(table)));
}

int pt_history_rows_before(pt_session *session, const char *pipeline, const char *topic,
                           const char *table, int64_t table_id, int64_t *rows, pt_error *err) {
    int64_t made = 0;
    PT_TRY(pt_metadata_table_made(session, table_id, &made, err));
    /* After a reset, of no table, somebody has decided. */
    return pt_session_exec_int(
        session, rows, err,
        "SELECT coalesce(CASE WHEN max(snapshot_id) < ? AND sum(row_count) > 0 THEN "
        "sum(row_count) END, 0)::BIGINT FROM @lake.pintail.offsets WHERE pipeline = ? AND topic = "
        "? "
        "AND (kind = 'reset' OR target_table = ?)",
        PT_VALUES(pt_int(made), pt_str(pipeline), pt_str(topic), pt_str(table)));
}

int pt_history_other_topic(pt_session *session, const char *table, const char *topic, char **out,
                           pt_error *err) {
    return pt_session_exec_text(session, out, err,
                                "SELECT min(topic) FROM @lake.pintail.offsets WHERE row_count > 0 "
                                "AND target_table = ? AND topic <> ?",
                                PT_VALUES(pt_str(table), pt_str(topic)));
}

static int has_row(pt_session *session, const char *sql, const char *pipeline, const char *topic,
                   bool *out, pt_error *err) {
    int64_t n = 0;
    int code = pt_session_exec_int(session, &n, err, sql,
                                   PT_VALUES(pt_str(pipeline), pt_str(topic)));
    *out = n > 0;
    return code;
}

int pt_history_claimed(pt_session *session, const char *pipeline, const char *topic, bool *out,
                       pt_error *err) {
    return has_row(session,
                   "SELECT count(*) FROM (SELECT 1 FROM @lake.pintail.epochs WHERE pipeline = ? "
                   "AND topic = ? LIMIT 1)",
                   pipeline, topic, out, err);
}
