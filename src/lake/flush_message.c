#include "lake/flush_message.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "lake/commit_message.h"

#define TOPICS 3 /* in the message for people */

static void add_entry(pt_text *extra, const pt_ledger_entry *e) {
    pt_message_add(extra, "{", "topic", e->topic);
    pt_text_addf(extra,
                 ",\"partition\":%" PRId32 ",\"from\":%" PRId64 ",\"next\":%" PRId64
                 ",\"rows\":%" PRId64 ",\"dead_letters\":%" PRId64,
                 e->partition, e->from_offset, e->next_offset, e->rows, e->dead_letters);
    if (strcmp(e->kind, "commit") != 0) {
        pt_message_add(extra, ",", "kind", e->kind);
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

int pt_message_flush(pt_session *session, const char *pipeline, const pt_flush *flush,
                     pt_error *err) {
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
    pt_message_add(&extra, "{", "commit_id", flush->commit_id);
    pt_message_add(&extra, ",", "pipeline", pipeline);
    pt_text_addf(&extra, ",\"rows\":%" PRId64 ",\"dead_letters\":%" PRId64 ",\"partitions\":[",
                 rows, dead);
    for (size_t i = 0; i < flush->n_entries && i < PT_MESSAGE_PARTITIONS; i++) {
        pt_text_add(&extra, i ? "," : "");
        add_entry(&extra, &flush->entries[i]);
    }
    pt_text_add(&extra, "]");
    if (flush->n_entries > PT_MESSAGE_PARTITIONS) {
        pt_text_addf(&extra, ",\"left_out\":%zu", flush->n_entries - PT_MESSAGE_PARTITIONS);
    }
    pt_text_add(&extra, "}");
    return pt_message_end(session, &message, &extra, err);
}
