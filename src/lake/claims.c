#include "lake/claims.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "duck/uuid.h"
#include "lake/commit_message.h"
#include "lake/ledger_form.h"

typedef struct claim_job {
    pt_session *session;
    pt_turnstile *turnstile;
    const char *pipeline, *owner;
    pt_claim *claims;
    size_t n_claims;
    const pt_ledger_starts *starts;
    const pt_identities *tables;
} claim_job;

static pt_claim *find_claim(const claim_job *job, const char *topic, int64_t partition) {
    for (size_t i = 0; i < job->n_claims; i++) {
        if (job->claims[i].partition == partition && strcmp(job->claims[i].topic, topic) == 0) {
            return &job->claims[i];
        }
    }
    return NULL;
}

/* The rows stand in the text, as many as there are partitions. */
static int insert_some_epochs(const claim_job *job, const pt_claim *claims, size_t from, size_t to,
                              pt_error *err) {
    pt_text sql = {0};
    char now[40];
    pt_format_time(pt_now_us(), now, sizeof now);
    pt_text_addf(&sql,
                 "INSERT INTO \"%s\".pintail.epochs (pipeline, topic, \"partition\", epoch, owner, "
                 "claimed_at) VALUES ",
                 pt_session_alias(job->session));
    for (size_t i = from; i < to; i++) {
        const pt_claim *c = &claims[i];
        pt_text_add(&sql, i > from ? ", (" : "(");
        pt_text_add_sql_string(&sql, job->pipeline);
        pt_text_add(&sql, ", ");
        pt_text_add_sql_string(&sql, c->topic);
        pt_text_addf(&sql, ", %" PRId32 ", %" PRId64 ", ", c->partition, c->epoch);
        pt_text_add_sql_string(&sql, job->owner);
        pt_text_addf(&sql, ", '%s')", now);
    }
    return pt_statement_run(job->session, &sql, err);
}

static int insert_epochs(const claim_job *job, const pt_claim *claims, size_t n, pt_error *err) {
    for (size_t from = 0; from < n; from += PT_LEDGER_INSERT_ROWS) {
        PT_TRY(
            insert_some_epochs(job, claims, from,
                               n - from < PT_LEDGER_INSERT_ROWS ? n : from + PT_LEDGER_INSERT_ROWS,
                               err));
    }
    return PT_OK;
}

/* COMMENT counts as ALTER: it conflicts with every INSERT into the ledger that is in flight, and
 * only one such transaction wins. COMMENT takes no value for its text. */
static int comment_ledger(const claim_job *job, pt_error *err) {
    pt_text sql = {0};
    pt_text note = {0};
    pt_text_addf(&note, "fenced by %s for %s, epochs", job->owner, job->pipeline);
    for (size_t i = 0; i < job->n_claims && i < 8; i++) {
        pt_text_addf(&note, " %s/%" PRId32 "=%" PRId64, job->claims[i].topic,
                     job->claims[i].partition, job->claims[i].epoch);
    }
    pt_text_addf(&sql, "COMMENT ON TABLE \"%s\".pintail.offsets IS ",
                 pt_session_alias(job->session));
    pt_text_add_sql_string(&sql, pt_text_get(&note));
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_run(job->session, pt_text_get(&sql), err);
    }
    pt_text_free(&note);
    pt_text_free(&sql);
    return code;
}

/* ---- where a topic begins ---- */

/* partition -1: any. */
static bool has_epoch(const pt_result *epochs, const char *topic, int64_t partition) {
    for (size_t r = 0; r < epochs->n_rows; r++) {
        if ((partition < 0 || pt_result_int(epochs, r, 1) == partition) &&
            strcmp(pt_result_cell(epochs, r, 0), topic) == 0) {
            return true;
        }
    }
    return false;
}

/* What is recorded of the starts: entries of the ledger, and epochs (0) of the partitions that this
 * claim leaves to others, so that they are known. */
typedef struct recorded {
    pt_ledger_entry *entries;
    size_t n_entries;
    pt_claim *others;
    size_t n_others;
} recorded;

static void choose_starts(const claim_job *job, const pt_result *epochs, recorded *out) {
    for (size_t i = 0; i < job->starts->n; i++) {
        pt_ledger_entry e = job->starts->entries[i];
        const pt_claim *claim = find_claim(job, e.topic, e.partition);
        bool first = !has_epoch(epochs, e.topic, -1);
        bool later = !first && claim && !has_epoch(epochs, e.topic, e.partition);
        if (later) {
            e.next_offset = e.from_offset;
        }
        if (first || later) {
            e.epoch = claim ? claim->epoch : 0;
            out->entries[out->n_entries++] = e;
        }
        if (first && !claim) {
            out->others[out->n_others++] = (pt_claim){.topic = e.topic, .partition = e.partition};
        }
    }
}

static int insert_starts(const claim_job *job, const recorded *starts, pt_error *err) {
    char id[PT_UUID_SIZE];
    pt_ledger_commit commit = {.pipeline = job->pipeline, .id = id};
    PT_TRY(pt_uuid_any(job->session, id, err));
    int code = pt_session_exec_int(job->session, &commit.snapshot, err,
                                   "SELECT id FROM ducklake_current_snapshot(?)",
                                   PT_VALUES(pt_str(pt_session_alias(job->session))));
    commit.snapshot++;
    if (code == PT_OK) {
        code = insert_epochs(job, starts->others, starts->n_others, err);
    }
    return code == PT_OK
               ? pt_ledger_insert(job->session, &commit, starts->entries, starts->n_entries, err)
               : code;
}

static int record_starts(const claim_job *job, const pt_result *epochs, pt_error *err) {
    if (!job->starts || !job->starts->n) {
        return PT_OK;
    }
    recorded starts = {.entries = calloc(job->starts->n, sizeof *starts.entries),
                       .others = calloc(job->starts->n, sizeof *starts.others)};
    int code = starts.entries && starts.others ? PT_OK
                                               : pt_fail_nomem(err, "the starts of partitions");
    if (code == PT_OK) {
        choose_starts(job, epochs, &starts);
    }
    if (code == PT_OK && starts.n_entries) {
        code = insert_starts(job, &starts, err);
    }
    free(starts.entries);
    free(starts.others);
    return code;
}

/* ---- raising ---- */

static int set_message(const claim_job *job, pt_error *err) {
    pt_text message = {0};
    pt_text extra = {0};
    PT_TRY(pt_message_begin(job->session, &extra, job->pipeline, err));
    pt_text_addf(&message, "claim of %zu partitions, pipeline %s", job->n_claims, job->pipeline);
    pt_message_add(&extra, ",", "owner", job->owner);
    pt_text_add(&extra, ",\"claims\":[");
    for (size_t i = 0; i < job->n_claims && i < PT_MESSAGE_PARTITIONS; i++) {
        pt_text_add(&extra, i ? "," : "");
        pt_message_add(&extra, "{", "topic", job->claims[i].topic);
        pt_text_addf(&extra, ",\"partition\":%" PRId32 ",\"epoch\":%" PRId64 "}",
                     job->claims[i].partition, job->claims[i].epoch);
    }
    pt_text_add(&extra, "]");
    if (job->n_claims > PT_MESSAGE_PARTITIONS) {
        pt_text_addf(&extra, ",\"left_out\":%zu", job->n_claims - PT_MESSAGE_PARTITIONS);
    }
    pt_text_add(&extra, "}");
    return pt_message_end(job->session, &message, &extra, err);
}

static int write_claims(claim_job *job, const pt_result *epochs, pt_error *err) {
    for (size_t r = 0; r < epochs->n_rows; r++) {
        pt_claim *c = find_claim(job, pt_result_cell(epochs, r, 0), pt_result_int(epochs, r, 1));
        if (c) {
            c->epoch = pt_result_int(epochs, r, 2) + 1;
        }
    }
    PT_TRY(set_message(job, err));
    PT_TRY(insert_epochs(job, job->claims, job->n_claims, err));
    (void)pt_failpoint("claim.raised");
    if (!pt_rule_broken("comment")) {
        PT_TRY(comment_ledger(job, err));
    }
    PT_TRY(record_starts(job, epochs, err));
    PT_TRY(job->tables ? pt_identities_write(job->session, job->pipeline, job->tables, err)
                       : PT_OK);
    (void)pt_failpoint("claim.commented");
    return PT_OK;
}

static int raise_epochs(void *arg, pt_error *err) {
    claim_job *job = arg;
    pt_result epochs = {0};
    for (size_t i = 0; i < job->n_claims; i++) {
        job->claims[i].epoch = 1;
    }
    PT_TRY(pt_ledger_renew_form(job->session, err));
    PT_TRY(pt_ledger_epochs(job->session, job->pipeline, &epochs, err));
    int code = write_claims(job, &epochs, err);
    pt_result_clear(&epochs);
    return code;
}

static int raise_in_transaction(void *arg, pt_error *err) {
    claim_job *job = arg;
    pt_turnstile_enter(job->turnstile);
    int code = pt_transaction(job->session, raise_epochs, job, err);
    pt_turnstile_leave(job->turnstile);
    return code;
}

int pt_claims_raise(pt_session *session, pt_turnstile *turnstile, const char *pipeline,
                    const char *owner, pt_claim *claims, size_t n_claims,
                    const pt_ledger_starts *starts, const pt_identities *tables, pt_error *err) {
    claim_job job = {session, turnstile, pipeline, owner, claims, n_claims, starts, tables};
    if (n_claims && !pt_rule_broken("fence") &&
        pt_retry_busy(raise_in_transaction, &job, err) != PT_OK) {
        return pt_fail_in(err, "partitions cannot be claimed in the lake");
    }
    (void)pt_failpoint("claim.committed");
    return PT_OK;
}
