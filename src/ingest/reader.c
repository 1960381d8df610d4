#include "ingest/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "ingest/verify.h"
#include "lake/partition.h"
#include "lake/settings.h"
#include "lake/stage.h"

#define DEAD_LETTER_BYTES 512  /* about what one takes beside the record itself */
#define SHARE_FROM        1000 /* records before --max-dead-letters P% is judged */

/* ---- one record ---- */

/* Into r->headers. */
static int read_headers(pt_reader *r, const pt_record *record, size_t *out, pt_error *err) {
    size_t n = pt_record_headers(record);
    *out = 0;
    if (n > r->cap_headers) {
        pt_header *grown = realloc(r->headers, n * sizeof *grown);
        if (!grown) {
            return pt_fail_nomem(err, "the headers of a record");
        }
        r->headers = grown;
        r->cap_headers = n;
    }
    for (size_t i = 0; i < n; i++) {
        pt_record_header(record, i, &r->headers[i]);
    }
    *out = n;
    return PT_OK;
}

/* Of the n headers that were read last. */
static size_t header_bytes(const pt_reader *r, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += sizeof(duckdb_string_t) * 2 + r->headers[i].key_len + r->headers[i].value_len;
    }
    return bytes;
}

/* The metadata columns that a table may have beside the usual ones. */
static int write_extra(pt_reader *r, const pt_route *route, pt_rows *rows, const pt_record *record,
                       pt_error *err) {
    const size_t *at = route->table->meta_at;
    if (at[PT_META_TOPIC] != SIZE_MAX) {
        PT_TRY(pt_rows_string(rows, at[PT_META_TOPIC], route->topic, strlen(route->topic), err));
    }
    if (at[PT_META_KEY] != SIZE_MAX && record->key) {
        PT_TRY(pt_rows_string(rows, at[PT_META_KEY], record->key, record->key_len, err));
    } else if (at[PT_META_KEY] != SIZE_MAX) {
        pt_rows_null(rows, at[PT_META_KEY]);
    }
    if (at[PT_META_HEADERS] != SIZE_MAX) {
        size_t n;
        PT_TRY(read_headers(r, record, &n, err));
        PT_TRY(pt_headers_set(rows, at[PT_META_HEADERS], r->headers, n, err));
        r->batch->unmeasured += header_bytes(r, n);
    }
    return PT_OK;
}

static inline int write_metadata(pt_reader *r, const pt_route *route, pt_rows *rows,
                                 int32_t partition, const pt_record *record, int64_t now_us,
                                 pt_error *err) {
    const pt_table *t = route->table;
    size_t at = pt_rows_at(rows);
    ((int32_t *)pt_rows_data(rows, t->meta_at[PT_META_PARTITION]))[at] = partition;
    ((int64_t *)pt_rows_data(rows, t->meta_at[PT_META_OFFSET]))[at] = record->offset;
    ((int64_t *)pt_rows_data(rows, t->meta_at[PT_META_TIMESTAMP]))[at] = record->timestamp_us;
    if (record->timestamp_us == PT_NO_TIME) {
        pt_rows_null(rows, t->meta_at[PT_META_TIMESTAMP]);
    }
    ((int64_t *)pt_rows_data(rows, t->meta_at[PT_META_INGEST_TIME]))[at] = now_us;
    return t->metas & ~PT_METAS_ALWAYS ? write_extra(r, route, rows, record, err) : PT_OK;
}

static int refuse(const pt_reader *r, const pt_route *route, int32_t partition, int64_t offset,
                  const pt_decode_error *why, pt_error *err) {
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
                   route->topic, partition, offset, pt_decode_code_name(why->code), why->text,
                   advice);
}

/* The words may quote the record. The log and the last line of the process must not show what an
 * encrypted lake keeps. */
static pt_decode_error without_words(const pt_decode_error *why) {
    pt_decode_error out = *why;
    (void)snprintf(out.text, sizeof out.text, "not shown, since the lake is encrypted");
    return out;
}

static int take_dead_letter(pt_reader *r, pt_route *route, int32_t partition,
                            const pt_record *record, const pt_decode_error *why, int64_t now_us,
                            pt_error *err) {
    bool tombstone = why->code == PT_DECODE_TOMBSTONE;
    pt_decode_error shown = route->table->encrypted ? without_words(why) : *why;
    if (!tombstone) {
        PT_TRY(refuse(r, route, partition, record->offset, &shown, err));
        r->dead_letters++;
    }
    pt_tally_letter(route->tally, (pt_tally_of){route->topic, route->table->label}, partition,
                    record->offset, &shown);
    pt_dead_letter letter = {
        .topic = route->topic,
        .partition = partition,
        .offset = record->offset,
        .timestamp_us = record->timestamp_us,
        .key = record->key,
        .key_len = record->key_len,
        .value = record->value,
        .value_len = record->value_len,
        .error_code = pt_decode_code_name(why->code),
        .error_text = why->text,
        .error_position = why->position,
        .ingest_time_us = now_us,
        .target_table = route->table->label,
        .pipeline = r->pipeline,
    };
    PT_TRY(read_headers(r, record, &letter.n_headers, err));
    letter.headers = r->headers;
    r->batch->unmeasured += DEAD_LETTER_BYTES + header_bytes(r, letter.n_headers);
    return pt_dead_letter_add(r->batch->flush->slices[r->batch->flush->dead_letters].rows, &letter,
                              err);
}

static inline int decode(const pt_reader *r, pt_route *route, int32_t partition,
                         const pt_record *record, pt_rows *rows, pt_decode_error *why,
                         pt_error *err) {
    if (!record->value) {
        *why = (pt_decode_error){.code = PT_DECODE_TOMBSTONE,
                                 .position = -1,
                                 .text = "the record has no value (tombstone)"};
        return PT_OK;
    }
    const pt_tally_refused *refused = route->tally->n_refused
                                          ? pt_tally_find_refused(route->tally, partition,
                                                                  record->offset)
                                          : NULL;
    if (refused) {
        *why = (pt_decode_error){.code = PT_DECODE_REFUSED, .position = -1};
        (void)snprintf(why->text, sizeof why->text, "%s", refused->text);
        return refused->passed ? PT_OK
                               : pt_flush_add_suspect(r->batch->flush,
                                                      &(pt_suspect){route->topic, partition,
                                                                    record->offset, route->slice},
                                                      err);
    }
    PT_TRY(pt_rows_open(rows, err));
    return pt_decode(route->decoder, record, rows, why, err);
}

static inline void check_partition(const pt_table *table, const pt_rows *rows,
                                   pt_decode_error *why) {
    if (table->n_keys && pt_partition_refuses(table, rows, why->text, sizeof why->text)) {
        why->code = PT_DECODE_PARTITION;
        why->position = -1;
    }
}

/* ---- gaps ---- */

/* *follows: the broker left out nothing between `expected` and `offset`. Else the record is not
 * taken now. */
static int check_gap(pt_reader *r, const pt_route *route, pt_partition *p, int32_t partition,
                     int64_t offset, int64_t expected, bool *follows, pt_error *err) {
    *follows = true;
    if (offset == expected || pt_rule_broken("gap-check")) {
        p->verified = PT_VERIFIED;
        return PT_OK;
    }
    if (p->verified == PT_UNVERIFIED) {
        *follows = false;
        p->verified = PT_REFETCHED;
        p->refetched_in = r->polls;
        return r->refetch(r->refetch_arg, &(pt_place){route->topic, partition, expected, -1}, err);
    }
    *follows =
        p->refetched_in !=
        r->polls; /* the same poll brought the gap: its records are older than the question */
    p->verified = *follows ? PT_VERIFIED : PT_REFETCHED;
    return PT_OK;
}

/* ---- staging ahead ---- */

#define AHEAD_ROWS PT_ROW_GROUP_ROWS /* the first row group can be encoded */
/* At least one more is to come: in smaller flushes there is little to gain, and it was seen to
 * cost. */
#define AHEAD_LEFT PT_ROW_GROUP_ROWS
/* The name of a staged file shows its age: it must not look like an orphan (--leftover-age). */
#define AHEAD_INTERVAL (600 * PT_SECOND)

static void offer_ahead(pt_reader *r, const pt_route *route) {
    const pt_batch_limits *limits = &r->batches->limits;
    if (r->batch->shared == SIZE_MAX && route->table->way == PT_WAY_REGISTER &&
        limits->interval_us <= AHEAD_INTERVAL &&
        r->batch->records + AHEAD_LEFT <= limits->records) {
        pt_batches_offer(r->batches, r->batch, route->slice);
    }
}

/* ---- taking ---- */

/* While a proof is awaited. *again: what came is not for now. */
static int verify(pt_reader *r, const pt_route *route, pt_partition *p, const pt_records *run,
                  const pt_record *record, bool *again, pt_error *err) {
    pt_proof proof;
    PT_TRY(pt_verify_see(r->pipeline, route, p, run, record, &proof, err));
    *again = proof != PT_PROOF_OVER;
    if (proof != PT_PROOF_REFETCH) {
        return PT_OK;
    }
    const pt_place place = pt_verify_place(route, p, run->partition);
    return r->refetch(r->refetch_arg, &place, err);
}

/* Whether the record is for the batch: the next one of its partition, and no other. */
static int is_next(pt_reader *r, const pt_route *route, pt_partition *p, const pt_records *run,
                   const pt_record *record, bool *next, pt_error *err) {
    bool again = false;
    if (p->verify_at >= 0) {
        PT_TRY(verify(r, route, p, run, record, &again, err));
    }
    *next = !again && record->offset >= p->next;
    if (*next && p->verified != PT_VERIFIED) {
        PT_TRY(check_gap(r, route, p, run->partition, record->offset, p->next, next, err));
    }
    return PT_OK;
}

static inline int take_one(pt_reader *r, pt_route *route, pt_partition *p, const pt_records *run,
                           const pt_record *record, int64_t now_us, pt_error *err) {
    pt_rows *rows = r->batch->flush->slices[route->slice].rows;
    pt_decode_error why;
    PT_TRY(decode(r, route, run->partition, record, rows, &why, err));
    r->records++;
    if (why.code == PT_DECODE_OK) {
        PT_TRY(write_metadata(r, route, rows, run->partition, record, now_us, err));
        check_partition(route->table, rows, &why);
    }
    if (why.code == PT_DECODE_OK) {
        pt_rows_commit(rows);
        p->rows++;
        if (pt_rows_count(rows) == AHEAD_ROWS) {
            offer_ahead(r, route);
        }
    } else {
        PT_TRY(take_dead_letter(r, route, run->partition, record, &why, now_us, err));
        p->dead_letters++;
    }
    p->last_offset = record->offset;
    p->last_us = record->timestamp_us;
    p->last_epoch = run->leader_epoch;
    p->next = record->offset + 1;
    p->position = p->next;
    r->batch->records++;
    r->batch->unmeasured += record->value_len + record->key_len + route->row_bytes;
    if (!r->batch->opened_us) {
        r->batch->opened_us = pt_monotonic_us();
    }
    return PT_OK;
}

int pt_reader_take(pt_reader *r, const pt_records *run, size_t *from, int64_t now_us,
                   pt_take_end *end, pt_error *err) {
    pt_route *route = &r->routes[run->topic];
    pt_partition *p = pt_route_partition(route, run->partition);
    *end = PT_TAKE_ALL;
    if (!p || !p->assigned) {
        *from = run->n;
        return PT_OK;
    }
    while (*from < run->n) {
        const pt_record *record = &run->at[*from];
        bool next = record->offset >= p->next;
        if (p->verify_at >= 0 || p->verified != PT_VERIFIED) {
            PT_TRY(is_next(r, route, p, run, record, &next, err));
        }
        if (next) {
            int code = take_one(r, route, p, run, record, now_us, err);
            if (code != PT_OK) {
                *end = PT_TAKE_NOT_NOW;
                return code == PT_E_NOT_NOW ? PT_OK : code;
            }
        }
        ++*from;
        if (next && pt_batch_full(r->batch, &r->batches->limits)) {
            *end = PT_TAKE_FULL;
            return PT_OK;
        }
    }
    return PT_OK;
}

int pt_reader_end(pt_reader *r, const pt_records *end, pt_error *err) {
    pt_route *route = &r->routes[end->topic];
    pt_partition *p = pt_route_partition(route, end->partition);
    bool follows = true;
    bool again = false;
    if (!p || !p->assigned) {
        return PT_OK;
    }
    if (p->verify_at >= 0) {
        PT_TRY(verify(r, route, p, end, NULL, &again, err));
    }
    if (again) {
        return PT_OK;
    }
    if (p->verified != PT_VERIFIED && end->position >= p->position) {
        PT_TRY(check_gap(r, route, p, end->partition, end->position, p->position, &follows, err));
    }
    if (follows && end->position > p->position) {
        p->position = end->position;
    }
    return PT_OK;
}
