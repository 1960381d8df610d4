#include "lake/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "duck/session.h"
#include "duck/transaction.h"

/* Each commit runs it, and DuckDB binds a SELECT on a lake table twice when it has values: so the
 * pipeline stands in the text. */
int pt_ledger_epochs(pt_session *session, const char *pipeline, pt_result *out, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql,
                 "SELECT topic, \"partition\", max(epoch), arg_max(owner, epoch) FROM "
                 "\"%s\".pintail.epochs WHERE pipeline = ",
                 pt_session_alias(session));
    pt_text_add_sql_string(&sql, pipeline);
    pt_text_add(&sql, " GROUP BY ALL");
    return pt_statement_result(session, &sql, out, err);
}

typedef struct read_job {
    pt_session *session;
    const char *pipeline;
    pt_claim *claims;
    size_t n_claims;
} read_job;

static pt_claim *find_claim(const read_job *job, const char *topic, int64_t partition) {
    for (size_t i = 0; i < job->n_claims; i++) {
        if (job->claims[i].partition == partition && strcmp(job->claims[i].topic, topic) == 0) {
            return &job->claims[i];
        }
    }
    return NULL;
}

static void add_topics(const read_job *job, pt_text *sql) {
    for (size_t i = 0; i < job->n_claims; i++) {
        size_t first = 0;
        while (strcmp(job->claims[first].topic, job->claims[i].topic) != 0) {
            first++;
        }
        if (first == i) {
            pt_text_add(sql, i ? ", " : "");
            pt_text_add_sql_string(sql, job->claims[i].topic);
        }
    }
}

static void copy_cell(const pt_result *table, size_t r, size_t column, char *out, size_t size) {
    const char *cell = pt_result_cell(table, r, column);
    (void)snprintf(out, size, "%s", cell ? cell : "");
}

static void take_row(const pt_result *table, size_t r, pt_claim *c) {
    c->next_offset = pt_result_int(table, r, 2);
    copy_cell(table, r, 3, c->cluster_id, sizeof c->cluster_id);
    copy_cell(table, r, 4, c->topic_id, sizeof c->topic_id);
    c->read_from = pt_result_int(table, r, 5);
    c->read_to = pt_result_int(table, r, 6);
    c->read_at_us = pt_result_int(table, r, 7);
    copy_cell(table, r, 8, c->read_table, sizeof c->read_table);
    c->leader_epoch = (int32_t)pt_result_int(table, r, 9);
}

/* The ledger is long, and read once, by groups: a row is left for each partition and epoch. The
 * topics stand in the text, as many as there are. */
static int read_offsets(void *arg, pt_error *err) {
    read_job *job = arg;
    pt_text sql = {0};
    pt_result table = {0};
    pt_text_addf(&sql,
                 "WITH o AS (SELECT *, kind = 'commit' AND row_count + dead_letter_count > 0 AS "
                 "\"full\" FROM \"%s\".pintail.offsets WHERE pipeline = ",
                 pt_session_alias(job->session));
    pt_text_add_sql_string(&sql, job->pipeline);
    pt_text_add(&sql, " AND kind IN ('commit', 'skip', 'reset') AND topic IN (");
    add_topics(job, &sql);
    pt_text_add(&sql,
                ")), e AS (SELECT topic, \"partition\", epoch, max(next_offset) AS next_offset, "
                "arg_max(cluster_id, next_offset) AS cluster_id, "
                "arg_max(topic_id, next_offset) AS topic_id, bool_or(kind = 'reset') AS reset, "
                "arg_max({'a': from_offset, 'b': next_offset, 'at': committed_at, "
                "'t': target_table, 'e': leader_epoch}, next_offset) FILTER (\"full\") AS last "
                "FROM o GROUP BY ALL), "
                "l AS (SELECT *, coalesce(max(epoch) FILTER (reset) OVER (PARTITION BY topic, "
                "\"partition\"), -1) AS since FROM e), "
                "c AS (SELECT topic, \"partition\", max(next_offset) AS next_offset, "
                "arg_max(cluster_id, (epoch, next_offset)) AS cluster_id, "
                "arg_max(topic_id, (epoch, next_offset)) AS topic_id, arg_max(last, (epoch, "
                "next_offset)) FILTER (last IS NOT NULL) AS last "
                "FROM l WHERE epoch >= since GROUP BY ALL) "
                "SELECT topic, \"partition\", next_offset, cluster_id, topic_id, coalesce(last.a, "
                "-1), coalesce(last.b, -1), coalesce(epoch_us(last.at), 0), last.t, "
                "coalesce(last.e, -1) FROM c");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(job->session, pt_text_get(&sql), &table, err);
    }
    for (size_t i = 0; code == PT_OK && i < job->n_claims; i++) {
        job->claims[i].next_offset = job->claims[i].read_from = job->claims[i].read_to =
            job->claims[i].last_offset = -1;
        job->claims[i].leader_epoch = -1;
        job->claims[i].cluster_id[0] = job->claims[i].topic_id[0] = '\0';
    }
    for (size_t r = 0; code == PT_OK && r < table.n_rows; r++) {
        pt_claim *c = find_claim(job, pt_result_cell(&table, r, 0), pt_result_int(&table, r, 1));
        if (c) {
            take_row(&table, r, c);
        }
    }
    pt_result_clear(&table);
    pt_text_free(&sql);
    return code;
}

int pt_ledger_read(pt_session *session, const char *pipeline, pt_claim *claims, size_t n_claims,
                   pt_error *err) {
    read_job job = {session, pipeline, claims, n_claims};
    if (n_claims && pt_retry_busy(read_offsets, &job, err) != PT_OK) {
        return pt_fail_in(err, "the ledger cannot be read");
    }
    (void)pt_failpoint("claim.read");
    return PT_OK;
}
