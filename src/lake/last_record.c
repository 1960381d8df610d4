#include "lake/last_record.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "duck/query.h"
#include "duck/session.h"
#include "duck/transaction.h"

/* A commit's rows were read so long before it at most, or they are not looked for: files and row
 * groups outside are not read. An outage of the catalog may have been between. */
#define READ_BEFORE  (6 * 3600 * PT_SECOND)
#define CLOCKS_APART (3600 * PT_SECOND)
#define SPREAD       (24 * 3600 * PT_SECOND) /* commits that one question is asked for */

typedef struct asking {
    pt_session *session;
    const char *pipeline;
    pt_claim *claims;
    size_t n_claims;
    const pt_table *table; /* of that name */
    const pt_claim *first; /* the others asked for are of its table and not far from it in time */
    bool dead;             /* among the dead letters, not in the table */
    pt_result found;
} asking;

static bool asked_with(const pt_claim *first, const pt_claim *c) {
    int64_t apart = c->read_at_us - first->read_at_us;
    return c->read_to >= 0 && apart >= -SPREAD && apart <= SPREAD &&
           strcmp(c->read_table, first->read_table) == 0;
}

/* ---- the question ---- */

/* The claims stand in the text, as many as there are. */
static void add_wanted(const asking *a, pt_text *sql) {
    bool any = false;
    pt_text_add(sql, " JOIN (VALUES ");
    for (size_t i = 0; i < a->n_claims; i++) {
        const pt_claim *c = &a->claims[i];
        if (asked_with(a->first, c)) {
            pt_text_add(sql, any ? ", (" : "(");
            pt_text_add_sql_string(sql, c->topic);
            pt_text_addf(sql, ", %" PRId32 ", %" PRId64 ", %" PRId64 ")", c->partition,
                         c->read_from, c->read_to);
            any = true;
        }
    }
    pt_text_add(sql, ") AS w(topic, p, first, ending) ON ");
}

static void add_bounds(const asking *a, const char *offset, pt_text *sql) {
    int64_t low = INT64_MAX, high = 0, since = INT64_MAX, until = 0;
    for (size_t i = 0; i < a->n_claims; i++) {
        const pt_claim *c = &a->claims[i];
        if (asked_with(a->first, c)) {
            low = c->read_from < low ? c->read_from : low;
            high = c->read_to > high ? c->read_to : high;
            since = c->read_at_us < since ? c->read_at_us : since;
            until = c->read_at_us > until ? c->read_at_us : until;
        }
    }
    pt_text_addf(sql,
                 " WHERE t.%s >= %" PRId64 " AND t.%s < %" PRId64
                 " AND t.ingest_time BETWEEN make_timestamptz(%" PRId64
                 ") AND make_timestamptz(%" PRId64 ")",
                 offset, low, offset, high, since - READ_BEFORE, until + CLOCKS_APART);
}

/* The newest by ingest_time: before a reset the same offsets may have held other records, whose
 * rows are still there. */
static void make_question(const asking *a, pt_query *query) {
    pt_text *sql = &query->sql;
    const char *offset = a->dead ? "\"offset\"" : "_kafka_offset";
    pt_text_addf(
        sql,
        "SELECT w.topic, w.p, l.o, l.us, l.seen FROM (SELECT w.topic, w.p, max({'seen': "
        "epoch_us(t.ingest_time), 'o': t.%s::BIGINT, 'us': coalesce(epoch_us(t.%s), -1000)}) "
        "AS l FROM ",
        offset, a->dead ? "timestamp" : "_kafka_timestamp");
    if (a->dead) {
        pt_text_add(sql, "@lake.pintail.dead_letters");
    } else {
        pt_table_add_sql_name(a->table, a->session, sql);
    }
    pt_text_add(sql, " AS t");
    add_wanted(a, sql);
    pt_text_addf(sql, "t.%s = w.p AND t.%s >= w.first AND t.%s < w.ending",
                 a->dead ? "\"partition\"" : "_kafka_partition", offset, offset);
    pt_text_add(sql, a->dead ? " AND t.topic = w.topic"
                     : a->table->meta_at[PT_META_TOPIC] != SIZE_MAX
                         ? " AND t._kafka_topic = w.topic"
                         : "");
    add_bounds(a, offset, sql);
    if (a->dead) {
        pt_query_add(query, " AND t.pipeline = ");
        pt_query_value(query, pt_str(a->pipeline));
    }
    pt_text_add(sql, " GROUP BY ALL) w");
}

/* ---- asking ---- */

static int ask_once(void *arg, pt_error *err) {
    asking *a = arg;
    pt_query query = {0};
    make_question(a, &query);
    return pt_query_run(a->session, &query, &a->found, err);
}

static void take_answer(const asking *a) {
    for (size_t r = 0; r < a->found.n_rows; r++) {
        for (size_t i = 0; i < a->n_claims; i++) {
            pt_claim *c = &a->claims[i];
            int64_t offset = pt_result_int(&a->found, r, 2);
            int64_t at_us = pt_result_int(&a->found, r, 4);
            if (c->partition == pt_result_int(&a->found, r, 1) &&
                strcmp(c->topic, pt_result_cell(&a->found, r, 0)) == 0 &&
                (at_us > c->last_ingest_us ||
                 (at_us == c->last_ingest_us && offset > c->last_offset))) {
                int64_t us = pt_result_int(&a->found, r, 3);
                c->last_ingest_us = at_us;
                c->last_offset = us % 1000
                                     ? -1
                                     : offset; /* a time that is no whole millisecond is not
                                                  Kafka's: somebody else has written the row */
                c->last_us = us < 0 ? INT64_MIN : us;
            }
        }
    }
}

/* A table that cannot be read tells nothing; the flush says what is wrong with it. Only an outage
 * is one of the claim's, too. */
static int ask(asking *a, pt_error *err) {
    int code = pt_retry_busy(ask_once, a, err);
    if (code == PT_OK) {
        take_answer(a);
    } else if (code != PT_E_LAKE_DOWN && code != PT_E_LAKE_BUSY && code != PT_E_NOMEM) {
        pt_log(PT_LOG_WARN, PT_EVENT("the last records of a table cannot be read"),
               PT_STR("table", a->first->read_table), PT_STR("error", err->text));
        code = PT_OK;
    }
    pt_result_clear(&a->found);
    return code;
}

static bool refetched_before(const asking *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (a->claims[i].asked && asked_with(&a->claims[i], &a->claims[n])) {
            return true;
        }
    }
    return false;
}

static const pt_table *target_of(pt_table *const *tables, size_t n, const char *label) {
    for (size_t i = 0; i < n; i++) {
        if (strncmp(tables[i]->label, label, sizeof((pt_claim *)NULL)->read_table - 1) == 0) {
            return tables[i];
        }
    }
    return NULL;
}

int pt_last_records_read(pt_session *session, const char *pipeline, pt_table *const *tables,
                         size_t n_tables, pt_claim *claims, size_t n_claims, pt_error *err) {
    asking a = {.session = session, .pipeline = pipeline, .claims = claims, .n_claims = n_claims};
    for (size_t i = 0; i < n_claims; i++) {
        claims[i].asked = false;
        claims[i].last_offset = -1;
        claims[i].last_us = claims[i].last_ingest_us = INT64_MIN;
    }
    for (size_t i = 0; i < n_claims; i++) {
        if (claims[i].read_to < 0 || refetched_before(&a, i)) {
            continue;
        }
        claims[i].asked = true;
        a.first = &claims[i];
        a.table = target_of(tables, n_tables, claims[i].read_table);
        for (int dead = a.table ? 0 : 1; dead < 2;
             dead++) { /* rows of a table that is not ours any more are not looked for */
            a.dead = dead == 1;
            PT_TRY(ask(&a, err));
        }
    }
    return PT_OK;
}
