#include "ingest/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "ingest/verify.h"
#include "lake/partition.h"
#include "lake/stage.h"

#define CHECK_BYTES \
    ((uint64_t)1    \
     << 20) /* the size of a batch is looked at whenever about as many bytes were added */
#define DEAD_LETTER_BYTES 512 /* about what one takes beside the record itself */
#define AWAITED_WITHIN                                                                             \
    1000 /* records beyond --flush-rows that a row is awaited in, for the sake of a refused record \
            of its table */
#define SHARE_FROM 1000 /* records before --max-dead-letters P% is judged */

/* ---- finding partitions ---- */

pt_route *pt_reader_route(pt_reader *r, const char *topic) {
    for (size_t i = 0; i < r->n_routes; i++) {
        if (strcmp(r->routes[i].topic, topic) == 0) {
            return &r->routes[i];
        }
    }
    return NULL;
}

static pt_partition *partition_of(pt_route *route, int32_t partition) {
    if (!route || partition < 0) {
        return NULL;
    }
    if (partition >= route->n_partitions) { /* the topic has grown since the start */
        size_t n = (size_t)partition + 1;
        pt_partition *grown = realloc(route->partitions, n * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        memset(grown + route->n_partitions, 0, (n - (size_t)route->n_partitions) * sizeof *grown);
        route->partitions = grown;
        for (size_t i = (size_t)route->n_partitions; i < n; i++) {
            grown[i].end = grown[i].skipped_from = grown[i].verify_at = -1;
        }
        route->n_partitions = (int32_t)n;
    }
    return &route->partitions[partition];
}

pt_partition *pt_reader_partition(pt_reader *r, const char *topic, int32_t partition) {
    return partition_of(pt_reader_route(r, topic), partition);
}

static pt_route *route_of(pt_reader *r, const rd_kafka_message_t *m) {
    if (r->last_route && r->last_route->handle == m->rkt) {
        return r->last_route;
    }
    pt_route *route = pt_reader_route(r, rd_kafka_topic_name(m->rkt));
    if (route) {
        route->handle = m->rkt;
        r->last_route = route;
    }
    return route;
}

/* ---- one record ---- */

int64_t pt_message_us(const rd_kafka_message_t *m) {
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(m, &type);
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 || ms > INT64_MAX / 1000 ? INT64_MIN
                                                                                       : ms * 1000;
}

static int read_headers(pt_reader *r, const rd_kafka_message_t *m, size_t *out, pt_error *err) {
    rd_kafka_headers_t *headers = NULL;
    *out = 0;
    if (rd_kafka_message_headers(m, &headers)) {
        return PT_OK;
    }
    size_t n = rd_kafka_header_cnt(headers);
    if (n > r->cap_headers) {
        pt_header *grown = realloc(r->headers, n * sizeof *grown);
        if (!grown) {
            return pt_fail_nomem(err, "the headers of a record");
        }
        r->headers = grown;
        r->cap_headers = n;
    }
    for (size_t i = 0; i < n; i++) {
        (void)rd_kafka_header_get_all(headers, i, &r->headers[i].key, &r->headers[i].value,
                                      &r->headers[i].value_len);
    }
    *out = n;
    return PT_OK;
}

/* Of the n headers that were read last. */
static size_t header_bytes(const pt_reader *r, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += sizeof(duckdb_string_t) * 2 + strlen(r->headers[i].key) + r->headers[i].value_len;
    }
    return bytes;
}

/* The metadata columns that a table may have beside the usual ones. */
static int write_extra(pt_reader *r, const pt_route *route, pt_rows *rows,
                       const rd_kafka_message_t *m, pt_error *err) {
    const size_t *at = route->table->meta_at;
    if (at[PT_META_TOPIC] != SIZE_MAX) {
        PT_TRY(pt_rows_string(rows, at[PT_META_TOPIC], route->topic, strlen(route->topic), err));
    }
    if (at[PT_META_KEY] != SIZE_MAX && m->key) {
        PT_TRY(pt_rows_string(rows, at[PT_META_KEY], m->key, m->key_len, err));
    } else if (at[PT_META_KEY] != SIZE_MAX) {
        pt_rows_null(rows, at[PT_META_KEY]);
    }
    if (at[PT_META_HEADERS] != SIZE_MAX) {
        size_t n;
        PT_TRY(read_headers(r, m, &n, err));
        PT_TRY(pt_headers_set(rows, at[PT_META_HEADERS], r->headers, n, err));
        r->since_check += header_bytes(r, n);
    }
    return PT_OK;
}

static int write_metadata(pt_reader *r, const pt_route *route, pt_rows *rows,
                          const rd_kafka_message_t *m, int64_t stamp, int64_t now_us,
                          pt_error *err) {
    const pt_table *t = route->table;
    size_t at = pt_rows_at(rows);
    ((int32_t *)pt_rows_data(rows, t->meta_at[PT_META_PARTITION]))[at] = m->partition;
    ((int64_t *)pt_rows_data(rows, t->meta_at[PT_META_OFFSET]))[at] = m->offset;
    ((int64_t *)pt_rows_data(rows, t->meta_at[PT_META_TIMESTAMP]))[at] = stamp;
    if (stamp == INT64_MIN) {
        pt_rows_null(rows, t->meta_at[PT_META_TIMESTAMP]);
    }
    ((int64_t *)pt_rows_data(rows, t->meta_at[PT_META_INGEST_TIME]))[at] = now_us;
    return t->metas & ~PT_METAS_ALWAYS ? write_extra(r, route, rows, m, err) : PT_OK;
}

static int refuse(const pt_reader *r, const rd_kafka_message_t *m, const pt_decode_error *why,
                  pt_error *err) {
    const pt_ingest_options *o = r->options;
    uint64_t dead = r->dead_letters + 1;
    const char *advice = NULL;
    if (o->on_error == PT_ON_ERROR_FAIL) {
        advice =
            "--on-error fail; repair the record's producer, or run with --on-error dead-letter";
    } else if (dead > o->max_dead_letters) {
        advice = "more dead letters than --max-dead-letters allows; look at pintail.dead_letters, "
                 "then raise it or mend the schema";
    } else if (r->records >= SHARE_FROM && (double)dead > o->max_dead_share * (double)r->records) {
        advice = "a larger share of dead letters than --max-dead-letters allows; look at "
                 "pintail.dead_letters, then raise it or mend the schema";
    }
    if (!advice) {
        return PT_OK;
    }
    return pt_fail(err, PT_E_DATA,
                   "topic %s partition %" PRId32 " offset %" PRId64
                   ": %s: %s (%s); everything before is committed",
                   rd_kafka_topic_name(m->rkt), m->partition, m->offset,
                   pt_decode_code_name(why->code), why->text, advice);
}

/* The words may quote the record. What an encrypted lake keeps stands in clear neither in the log
 * nor in the last line. */
static pt_decode_error without_words(const pt_decode_error *why) {
    pt_decode_error out = *why;
    (void)snprintf(out.text, sizeof out.text, "not shown, since the lake is encrypted");
    return out;
}

static int take_dead_letter(pt_reader *r, pt_route *route, const rd_kafka_message_t *m,
                            const pt_decode_error *why, int64_t now_us, pt_error *err) {
    bool tombstone = why->code == PT_DECODE_TOMBSTONE;
    pt_decode_error said = route->table->encrypted ? without_words(why) : *why;
    if (!tombstone) {
        PT_TRY(refuse(r, m, &said, err));
        r->dead_letters++;
    }
    pt_tally_letter(route->tally, (pt_tally_of){route->topic, route->table->label}, m->partition,
                    m->offset, &said);
    pt_dead_letter letter = {
        .topic = route->topic,
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_us = pt_message_us(m),
        .key = m->key,
        .key_len = m->key_len,
        .value = m->payload,
        .value_len = m->len,
        .error_code = pt_decode_code_name(why->code),
        .error_text = why->text,
        .error_position = why->position,
        .ingest_time_us = now_us,
        .target_table = route->table->label,
        .pipeline = r->pipeline,
    };
    PT_TRY(read_headers(r, m, &letter.n_headers, err));
    letter.headers = r->headers;
    r->since_check += DEAD_LETTER_BYTES + header_bytes(r, letter.n_headers);
    return pt_dead_letter_add(r->batch->flush->slices[r->batch->flush->dead_letters].rows, &letter,
                              err);
}

static int decode(const pt_reader *r, pt_route *route, const rd_kafka_message_t *m, pt_rows *rows,
                  pt_decode_error *why, pt_error *err) {
    if (!m->payload) {
        *why = (pt_decode_error){.code = PT_DECODE_TOMBSTONE,
                                 .position = -1,
                                 .text = "the record has no value (tombstone)"};
        return PT_OK;
    }
    const pt_tally_refused *refused = route->tally->n_refused
                                          ? pt_tally_find_refused(route->tally, m->partition,
                                                                  m->offset)
                                          : NULL;
    if (refused) {
        *why = (pt_decode_error){.code = PT_DECODE_REFUSED, .position = -1};
        (void)snprintf(why->text, sizeof why->text, "%s", refused->text);
        return refused->passed ? PT_OK
                               : pt_flush_add_suspect(r->batch->flush,
                                                      &(pt_suspect){route->topic, m->partition,
                                                                    m->offset, route->slice},
                                                      err);
    }
    PT_TRY(pt_rows_open(rows, err));
    return pt_decode(route->decoder, m->payload, m->len, rows, why, err);
}

static inline void check_partition(const pt_table *table, const pt_rows *rows,
                                   pt_decode_error *why) {
    if (table->n_keys && pt_partition_refuses(table, rows, why->text, sizeof why->text)) {
        why->code = PT_DECODE_PARTITION;
        why->position = -1;
    }
}

/* ---- gaps ---- */

void pt_reader_unverify(pt_reader *r) {
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t k = 0; k < r->routes[i].n_partitions; k++) {
            r->routes[i].partitions[k].verified = PT_UNVERIFIED;
        }
    }
}

/* *follows: nothing between expected and the message was left out; else the message is not for now.
 */
static int check_gap(pt_reader *r, const pt_route *route, pt_partition *p,
                     const rd_kafka_message_t *m, int64_t expected, bool *follows, pt_error *err) {
    *follows = true;
    if (m->offset == expected || pt_rule_broken("gap-check")) {
        p->verified = PT_VERIFIED;
        return PT_OK;
    }
    if (p->verified == PT_UNVERIFIED) {
        *follows = false;
        p->verified = PT_REFETCHED;
        p->refetched_in = r->polls;
        return r->ask(r->refetch_arg, &(pt_place){route->topic, m->partition, expected, -1}, err);
    }
    *follows = p->refetched_in !=
               r->polls; /* what came along with the gap is of before the question */
    p->verified = *follows ? PT_VERIFIED : PT_REFETCHED;
    return PT_OK;
}

/* ---- staging ahead ---- */

#define AHEAD_ROWS PT_STAGE_GROUP_ROWS /* the first row group can be encoded */
#define AHEAD_LEFT                                                                             \
    PT_STAGE_GROUP_ROWS /* at least one more is to come: in smaller flushes there is little to \
                           gain, and it was seen to cost */
#define AHEAD_INTERVAL                                                                             \
    (600 * PT_SECOND) /* the name of a staged file tells its age: it must not look like a leftover \
                         (--leftover-age) */

static void offer_ahead(pt_reader *r, const pt_route *route) {
    const pt_ingest_options *o = r->options;
    if (r->batch->shared == SIZE_MAX && route->table->way == PT_WAY_REGISTER &&
        o->flush_interval_us <= AHEAD_INTERVAL && r->batch_rows + AHEAD_LEFT <= o->flush_rows) {
        pt_line_offer(r->line, r->batch, route->slice);
    }
}

/* ---- taking ---- */

int pt_reader_take(pt_reader *r, const rd_kafka_message_t *m, int64_t now_us, pt_error *err) {
    pt_route *route = route_of(r, m);
    pt_partition *p = partition_of(route, m->partition);
    if (!p || !p->assigned) {
        return PT_OK;
    }
    bool again = false;
    if (p->verify_at >= 0) {
        PT_TRY(pt_verify_see(r, route, p, m, &again, err));
    }
    if (again || m->offset < p->next) {
        return PT_OK;
    }
    bool follows = true;
    if (p->verified != PT_VERIFIED) {
        PT_TRY(check_gap(r, route, p, m, p->next, &follows, err));
    }
    if (!follows) {
        return PT_OK;
    }
    pt_rows *rows = r->batch->flush->slices[route->slice].rows;
    pt_decode_error why;
    const int64_t stamp = pt_message_us(m);
    r->records++;
    PT_TRY(decode(r, route, m, rows, &why, err));
    if (why.code == PT_DECODE_OK) {
        PT_TRY(write_metadata(r, route, rows, m, stamp, now_us, err));
        check_partition(route->table, rows, &why);
    }
    if (why.code == PT_DECODE_OK) {
        pt_rows_commit(rows);
        p->rows++;
        if (pt_rows_count(rows) == AHEAD_ROWS) {
            offer_ahead(r, route);
        }
    } else {
        PT_TRY(take_dead_letter(r, route, m, &why, now_us, err));
        p->dead_letters++;
    }
    p->last_offset = m->offset;
    p->last_us = stamp;
    p->last_epoch = rd_kafka_message_leader_epoch(m);
    p->next = m->offset + 1;
    p->position = p->next;
    r->batch_rows++;
    r->since_check += m->len + m->key_len + route->row_bytes;
    if (!r->batch->opened_us) {
        r->batch->opened_us = pt_monotonic_us();
    }
    return PT_OK;
}

int pt_reader_eof(pt_reader *r, const rd_kafka_message_t *m, pt_error *err) {
    pt_route *route = route_of(r, m);
    pt_partition *p = partition_of(route, m->partition);
    bool follows = true;
    bool again = false;
    if (p && p->assigned && p->verify_at >= 0) {
        PT_TRY(pt_verify_see(r, route, p, m, &again, err));
    }
    if (again) {
        return PT_OK;
    }
    if (p && p->assigned && p->verified != PT_VERIFIED && m->offset >= p->position) {
        PT_TRY(check_gap(r, route, p, m, p->position, &follows, err));
    }
    if (p && p->assigned && follows && m->offset > p->position) {
        p->position = m->offset;
    }
    return PT_OK;
}

/* ---- the batch ---- */

bool pt_reader_has_rows(const pt_reader *r) {
    return r->batch && r->batch_rows > 0;
}

bool pt_reader_awaits_row(const pt_reader *r) {
    const pt_flush *flush = r->batch ? r->batch->flush : NULL;
    for (size_t i = 0; flush && i < flush->n_suspects; i++) {
        if (pt_rows_count(flush->slices[flush->suspects[i].slice].rows) == 0) {
            return true;
        }
    }
    return false;
}

bool pt_reader_full(pt_reader *r) {
    if (r->batch_rows >= r->options->flush_rows + (pt_reader_awaits_row(r) ? AWAITED_WITHIN : 0)) {
        return true;
    }
    if (r->since_check < CHECK_BYTES && r->since_check < r->options->flush_bytes / 16) {
        return false;
    }
    r->since_check = 0;
    return pt_flush_bytes(r->batch->flush) >= r->options->flush_bytes ||
           pt_flush_memory(r->batch->flush) >= r->options->memory.batch_bytes;
}

static int add_entry(pt_reader *r, const pt_route *route, int32_t partition,
                     const pt_ledger_entry *what, pt_error *err) {
    pt_ledger_entry *entry = pt_flush_add_entry(r->batch->flush);
    if (!entry) {
        return pt_fail_nomem(err, "the ledger rows of a flush");
    }
    *entry = *what;
    entry->topic = route->topic;
    entry->partition = partition;
    entry->cluster_id = r->cluster_id;
    entry->topic_id = route->topic_id;
    entry->target_table = route->table->label;
    return PT_OK;
}

static int add_entries(pt_reader *r, pt_route *route, pt_error *err) {
    for (int32_t i = 0; i < route->n_partitions; i++) {
        pt_partition *p = &route->partitions[i];
        if (!p->assigned || (p->position <= p->sealed && p->skipped_from < 0)) {
            continue;
        }
        if (p->skipped_from >= 0) {
            PT_TRY(add_entry(r, route, i,
                             &(pt_ledger_entry){.kind = "skip",
                                                .from_offset = p->skipped_from,
                                                .next_offset = p->sealed,
                                                .leader_epoch = -1},
                             err));
            p->skipped_from = -1;
        }
        if (p->position > p->sealed) {
            PT_TRY(add_entry(r, route, i,
                             &(pt_ledger_entry){.kind = "commit",
                                                .from_offset = p->sealed,
                                                .next_offset = p->position,
                                                .rows = p->rows,
                                                .dead_letters = p->dead_letters,
                                                .leader_epoch = p->rows + p->dead_letters > 0 &&
                                                                        p->last_offset ==
                                                                            p->position - 1
                                                                    ? p->last_epoch
                                                                    : -1},
                             err));
        }
        p->sealed = p->next = p->position;
        route->tally->rows += (uint64_t)p->rows;
        p->rows = p->dead_letters = 0;
    }
    return PT_OK;
}

/* Whether the ledger has something to learn even without a row. */
static bool moved(const pt_reader *r) {
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t k = 0; k < r->routes[i].n_partitions; k++) {
            const pt_partition *p = &r->routes[i].partitions[k];
            if (p->assigned && (p->position > p->sealed || p->skipped_from >= 0)) {
                return true;
            }
        }
    }
    return false;
}

int pt_reader_seal(pt_reader *r, bool with_positions, pt_error *err) {
    if (!r->batch && with_positions && moved(r)) {
        r->batch = pt_line_take_free(r->line, r->options->stop_timeout_us);
    }
    if (!r->batch || (!r->batch_rows && !with_positions)) {
        return PT_OK;
    }
    (void)pt_failpoint("seal.before");
    for (size_t i = 0; i < r->n_routes; i++) {
        PT_TRY(add_entries(r, &r->routes[i], err));
    }
    pt_batch *batch = r->batch;
    r->batch = NULL;
    r->batch_rows = r->since_check = 0;
    r->jumped = false;
    if (batch->flush->n_entries) {
        pt_line_seal(r->line, batch);
    } else {
        pt_line_return(r->line, batch);
    }
    return PT_OK;
}

void pt_reader_drop(pt_reader *r) {
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t k = 0; k < r->routes[i].n_partitions; k++) {
            r->routes[i].partitions[k].assigned =
                false; /* its position speaks of rows that are gone: it must not reach the ledger */
        }
    }
    if (r->batch) {
        pt_line_return(r->line, r->batch);
        r->batch = NULL;
    }
    r->batch_rows = r->since_check = 0;
}
