/* The rows that a commit adds to the ledger. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "lake/ledger.h"
#include "lake/ledger_form.h"

static void add_entry(pt_text *sql, const pt_ledger_commit *commit, const pt_ledger_entry *e,
                      const char *now) {
    pt_text_add_sql_string(sql, commit->pipeline);
    pt_text_add(sql, ", ");
    pt_text_add_sql_string(sql, e->topic);
    pt_text_addf(sql,
                 ", %" PRId32 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", ",
                 e->partition, e->from_offset, e->next_offset, e->rows, e->dead_letters, e->epoch);
    pt_text_add_sql_string(sql, e->cluster_id);
    pt_text_add(sql, ", ");
    pt_text_add_sql_string(sql, e->topic_id);
    pt_text_add(sql, ", ");
    pt_text_add_sql_string(sql, e->target_table);
    pt_text_add(sql, ", ");
    pt_text_add_sql_string(sql, e->kind);
    pt_text_addf(sql, ", '%s', ", now);
    if (e->leader_epoch < 0) {
        pt_text_add(sql, "NULL");
    } else {
        pt_text_addf(sql, "%" PRId32, e->leader_epoch);
    }
    pt_text_addf(sql, ", '%s', %" PRId64 ", ", commit->id, commit->snapshot);
    if (e->detail) {
        pt_text_add_sql_string(sql, e->detail);
    } else {
        pt_text_add(sql, "NULL");
    }
}

/* The rows stand in the text: there may be PT_LEDGER_INSERT_ROWS of them, with 17 values each. */
static int insert_some(pt_session *session, const pt_ledger_commit *commit,
                       const pt_ledger_entry *entries, size_t n, pt_error *err) {
    pt_text sql = {0};
    char now[40];
    pt_format_time(pt_now_us(), now, sizeof now);
    pt_text_addf(
        &sql,
        "INSERT INTO \"%s\".pintail.offsets (pipeline, topic, \"partition\", from_offset, "
        "next_offset, row_count, dead_letter_count, epoch, cluster_id, topic_id, "
        "target_table, kind, committed_at, leader_epoch, commit_id, lake_snapshot, detail) VALUES ",
        pt_session_alias(session));
    for (size_t i = 0; i < n; i++) {
        pt_text_add(&sql, i ? ", (" : "(");
        add_entry(&sql, commit, &entries[i], now);
        pt_text_add(&sql, ")");
    }
    return pt_statement_run(session, &sql, err);
}

int pt_ledger_insert(pt_session *session, const pt_ledger_commit *commit,
                     const pt_ledger_entry *entries, size_t n, pt_error *err) {
    for (size_t from = 0; from < n; from += PT_LEDGER_INSERT_ROWS) {
        PT_TRY(insert_some(session, commit, entries + from,
                           n - from < PT_LEDGER_INSERT_ROWS ? n - from : PT_LEDGER_INSERT_ROWS,
                           err));
    }
    return PT_OK;
}
