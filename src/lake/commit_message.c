#include "lake/commit_message.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "duck/session.h"
#include "duck/uuid.h"

#define SHOWN  1000 /* partitions in extra_info: some 80 KB; the ledger has all of them */
#define TOPICS 3    /* in the message for people */

int pt_message_set(pt_engine *engine, pt_session *session, const char *message, const char *extra,
                   pt_error *err) {
    return pt_session_exec(session, NULL, err,
                           "CALL ducklake_set_commit_message(?, ?, ?, extra_info => ?)",
                           PT_VALUES(pt_str(pt_engine_alias(engine)), pt_str("pintail " PT_VERSION),
                                     pt_str(message), pt_str(extra)));
}

static int set(pt_engine *engine, pt_session *session, pt_text *message, pt_text *extra,
               pt_error *err) {
    int code = pt_text_check(message, err) == PT_OK ? pt_text_check(extra, err) : PT_E_NOMEM;
    if (code == PT_OK) {
        code = pt_message_set(engine, session, pt_text_get(message), pt_text_get(extra), err);
    }
    pt_text_free(message);
    pt_text_free(extra);
    return code;
}

static void add_json(pt_text *text, const char *separator, const char *key, const char *value) {
    pt_text_addf(text, "%s\"%s\":", separator, key);
    pt_text_add_json(text, value, strlen(value));
}

static void add_entry(pt_text *extra, const pt_ledger_entry *e) {
    add_json(extra, "{", "topic", e->topic);
    pt_text_addf(extra,
                 ",\"partition\":%" PRId32 ",\"from\":%" PRId64 ",\"next\":%" PRId64
                 ",\"rows\":%" PRId64 ",\"dead_letters\":%" PRId64,
                 e->partition, e->from_offset, e->next_offset, e->rows, e->dead_letters);
    if (strcmp(e->kind, "commit") != 0) {
        add_json(extra, ",", "kind", e->kind);
    }
    pt_text_add(extra, "}");
}

static bool first_of_topic(const pt_flush *flush, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (strcmp(flush->entries[k].topic, flush->entries[i].topic) == 0) {
            return false;
        }
    }
    return true;
}

/* " of orders, payments, ..." Entries of a topic stand close to one another, and the search ends
 * early. */
static void add_topics(pt_text *message, const pt_flush *flush) {
    size_t n = 0;
    for (size_t i = 0; i < flush->n_entries && n <= TOPICS; i++) {
        if ((i == 0 || strcmp(flush->entries[i].topic, flush->entries[i - 1].topic) != 0) &&
            first_of_topic(flush, i)) {
            pt_text_add(message, n == 0 ? " of " : ", ");
            pt_text_add(message, n < TOPICS ? flush->entries[i].topic : "...");
            n++;
        }
    }
}

/* Of a commit that no row of the ledger speaks of. pipeline: NULL when it is of none. */
static int add_new_id(pt_session *session, pt_text *extra, const char *pipeline, pt_error *err) {
    char id[PT_UUID_SIZE];
    PT_TRY(pt_uuid_any(session, id, err));
    add_json(extra, "{", "commit_id", id);
    if (pipeline) {
        add_json(extra, ",", "pipeline", pipeline);
    }
    return PT_OK;
}

int pt_message_flush(pt_engine *engine, pt_session *session, const char *pipeline,
                     const pt_flush *flush, pt_error *err) {
    pt_text message = {0};
    pt_text extra = {0};
    int64_t rows = 0;
    int64_t dead = 0;
    for (size_t i = 0; i < flush->n_entries; i++) {
        rows += flush->entries[i].rows;
        dead += flush->entries[i].dead_letters;
    }
    const char *kind = flush->entries[0].kind;
    if (strcmp(kind, "commit") != 0 && rows == 0 && dead == 0) {
        pt_text_addf(&message, "%s", kind);
    } else {
        pt_text_addf(&message, "%" PRId64 " rows, %" PRId64 " dead letters", rows, dead);
    }
    add_topics(&message, flush);
    pt_text_addf(&message, ", pipeline %s", pipeline);
    add_json(&extra, "{", "commit_id", flush->commit_id);
    add_json(&extra, ",", "pipeline", pipeline);
    pt_text_addf(&extra, ",\"rows\":%" PRId64 ",\"dead_letters\":%" PRId64 ",\"partitions\":[",
                 rows, dead);
    for (size_t i = 0; i < flush->n_entries && i < SHOWN; i++) {
        pt_text_add(&extra, i ? "," : "");
        add_entry(&extra, &flush->entries[i]);
    }
    pt_text_add(&extra, "]");
    if (flush->n_entries > SHOWN) {
        pt_text_addf(&extra, ",\"left_out\":%zu", flush->n_entries - SHOWN);
    }
    pt_text_add(&extra, "}");
    return set(engine, session, &message, &extra, err);
}

int pt_message_claims(pt_engine *engine, pt_session *session, const char *pipeline,
                      const char *owner, const pt_claim *claims, size_t n, pt_error *err) {
    pt_text message = {0};
    pt_text extra = {0};
    PT_TRY(add_new_id(session, &extra, pipeline, err));
    pt_text_addf(&message, "claim of %zu partitions, pipeline %s", n, pipeline);
    add_json(&extra, ",", "owner", owner);
    pt_text_add(&extra, ",\"claims\":[");
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        pt_text_add(&extra, i ? "," : "");
        add_json(&extra, "{", "topic", claims[i].topic);
        pt_text_addf(&extra, ",\"partition\":%" PRId32 ",\"epoch\":%" PRId64 "}",
                     claims[i].partition, claims[i].epoch);
    }
    pt_text_add(&extra, "]");
    if (n > SHOWN) {
        pt_text_addf(&extra, ",\"left_out\":%zu", n - SHOWN);
    }
    pt_text_add(&extra, "}");
    return set(engine, session, &message, &extra, err);
}

int pt_message_table(pt_engine *engine, pt_session *session, const char *pipeline, const char *verb,
                     const char *table, pt_error *err) {
    pt_text message = {0};
    pt_text extra = {0};
    PT_TRY(add_new_id(session, &extra, pipeline, err));
    pt_text_addf(&message, "%s %s", verb, table);
    add_json(&extra, ",", "table", table);
    pt_text_add(&extra, "}");
    return set(engine, session, &message, &extra, err);
}
