/* The read loop while the decoder cannot read a record yet. The test is the consumer: it stands in
 * for src/kafka, so that no broker is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/fixed_format.h"
#include "ingest/member_internal.h"

#define RECORDS      6
#define AWAY         2 /* the record that needs the registry */
#define PAUSED_POLLS 3 /* then the registry is back */

static const char *const names[] = {
    "a", "b", "_kafka_partition", "_kafka_offset", "_kafka_timestamp", "ingest_time"};

/* ---- the consumer ---- */

static struct {
    pt_records run;
    bool handed_out, paused;
    unsigned pauses, resumes, paused_polls;
} broker;

int pt_consumer_poll(pt_consumer *consumer, int timeout_ms, size_t max, pt_error *err) {
    (void)consumer, (void)timeout_ms, (void)max, (void)err;
    broker.paused_polls += broker.paused;
    registry_is_away &= broker.paused_polls < PAUSED_POLLS;
    return PT_OK;
}

int pt_consumer_next(pt_consumer *consumer, pt_polled *out, pt_error *err) {
    (void)consumer, (void)err;
    *out = (pt_polled){.kind = broker.handed_out ? PT_POLLED_NOTHING : PT_POLLED_RECORDS,
                       .records = broker.run};
    broker.handed_out = true;
    return PT_OK;
}

void pt_consumer_pause(pt_consumer *consumer) {
    (void)consumer;
    broker.paused = true;
    broker.pauses++;
}

void pt_consumer_resume(pt_consumer *consumer) {
    (void)consumer;
    broker.paused = false;
    broker.resumes++;
}

bool pt_consumer_is_full(const pt_consumer *consumer) {
    (void)consumer;
    return false;
}

void pt_consumer_drop(pt_consumer *consumer) {
    (void)consumer;
}

void pt_consumer_drop_records(pt_consumer *consumer) {
    (void)consumer;
}

uint64_t pt_consumer_breaks(const pt_consumer *consumer) {
    (void)consumer;
    return 0;
}

bool pt_consumer_last_error(pt_consumer *consumer, char *out, size_t size) {
    (void)consumer, (void)out, (void)size;
    return false;
}

int pt_consumer_seek(pt_consumer *consumer, const pt_place *places, size_t n, pt_error *err) {
    (void)consumer, (void)places, (void)n, (void)err;
    return PT_OK;
}

int64_t pt_consumer_known_end(pt_consumer *consumer, const char *topic, int32_t partition) {
    (void)consumer, (void)topic, (void)partition;
    return RECORDS;
}

int64_t pt_consumer_poll_interval_us(const pt_kafka_options *options) {
    (void)options;
    return INT64_MAX;
}

int pt_consumer_start(pt_consumer *consumer, const pt_assigned *partitions, size_t n,
                      pt_error *err) {
    (void)consumer, (void)partitions, (void)n, (void)err;
    return PT_OK;
}

int pt_consumer_read_bounds(pt_consumer *consumer, pt_assigned *partitions, size_t n,
                            pt_error *err) {
    (void)consumer, (void)partitions, (void)n, (void)err;
    return PT_OK;
}

int pt_consumer_find(pt_consumer *consumer, const char *topic, int32_t first, int32_t n,
                     const pt_where *where, pt_found *found, pt_error *err) {
    (void)consumer, (void)topic, (void)first, (void)n, (void)where, (void)found, (void)err;
    return PT_OK;
}

size_t pt_record_headers(const pt_record *record) {
    (void)record;
    return 0;
}

void pt_record_header(const pt_record *record, size_t i, pt_header *out) {
    (void)record, (void)i, (void)out;
}

/* ---- the member ---- */

typedef struct world {
    pt_ingest_options options;
    pt_schema *schema;
    pt_table table;
    pt_type types[6];
    pt_stats stats;
    pt_tally tally;
    pt_route route;
    pt_partition partition;
    char bytes[RECORDS][FIXED_BYTES];
    pt_record records[RECORDS];
    pt_member member;
    pt_error err;
} world;

static void make_records(world *w) {
    for (int32_t i = 0; i < RECORDS; i++) {
        int32_t number = i == AWAY ? -1 : i;
        int64_t big = i;
        memcpy(w->bytes[i], &number, sizeof number);
        memcpy(w->bytes[i] + sizeof number, &big, sizeof big);
        w->records[i] = (pt_record){.offset = i,
                                    .timestamp_us = 1000 + i,
                                    .value = w->bytes[i],
                                    .value_len = FIXED_BYTES};
    }
    memset(&broker, 0, sizeof broker);
    broker.run = (pt_records){.leader_epoch = 3, .at = w->records, .n = RECORDS};
    registry_is_away = true;
}

static void set_up(world *w) {
    static char label[] = "t";
    static const pt_type_id ids[] = {PT_INTEGER, PT_BIGINT,      PT_INTEGER,
                                     PT_BIGINT,  PT_TIMESTAMPTZ, PT_TIMESTAMPTZ};
    *w = (world){.options = {.until_end = true,
                             .max_dead_letters = UINT64_MAX,
                             .max_dead_share = 2,
                             .stats = &w->stats}};
    make_records(w);
    assert_int_equal(pt_schema_parse("a INTEGER, b BIGINT", &w->schema, &w->err), PT_OK);
    for (size_t i = 0; i < 6; i++) {
        w->types[i].id = ids[i];
    }
    w->table = (pt_table){.label = label,
                          .schema = w->schema,
                          .types = w->types,
                          .names = (const char **)(uintptr_t)names,
                          .n_columns = 6,
                          .metas = PT_METAS_ALWAYS};
    for (size_t i = 0; i < PT_META_COUNT; i++) {
        w->table.meta_at[i] = i < 4 ? 2 + i : SIZE_MAX;
    }
    const pt_table *tables[] = {&w->table};
    pt_member *m = &w->member;
    m->options = &w->options;
    m->assigned_once = true;
    pt_monitor_init(&m->monitor);
    assert_int_equal(pt_batches_init(&m->batches, &m->monitor, tables, 1, &w->err), PT_OK);
    m->batches.limits = (pt_batch_limits){100, 1 << 30, 1 << 30, 0}; /* due at once */
    w->partition =
        (pt_partition){.assigned = true, .end = RECORDS, .verify_at = -1, .skipped_from = -1};
    w->route = (pt_route){.topic = "topic",
                          .table = &w->table,
                          .partitions = &w->partition,
                          .n_partitions = 1,
                          .row_bytes = 32,
                          .tally = &w->tally};
    const pt_decoder_options options = {.schema = w->schema};
    assert_int_equal(pt_decoder_open(&fixed_format, &options, &w->route.decoder, &w->err), PT_OK);
    m->reader = (pt_reader){.options = &w->options,
                            .batches = &m->batches,
                            .routes = &w->route,
                            .n_routes = 1};
    pt_inbox_init(&m->committer.inbox, &m->batches);
    m->pending =
        (pt_pendings){.inbox = &m->committer.inbox, .reader = &m->reader, .stats = &w->stats};
}

static void tear_down(world *w) {
    pt_reader_drop(&w->member.reader);
    pt_decoder_close(&w->route.decoder);
    pt_tally_clear(&w->tally);
    pt_batches_clear(&w->member.batches);
    pt_monitor_clear(&w->member.monitor);
    free(w->member.reader.headers);
    pt_schema_free(&w->schema);
}

static size_t rows_of(const pt_batch *batch) {
    return pt_rows_count(batch->flush->slices[0].rows);
}

static void while_the_decoder_waits_the_member_polls_paused_and_seals_what_is_due(void **state) {
    static world w;
    (void)state;
    set_up(&w);
    assert_int_equal(pt_member_read(&w.member, &w.err), PT_OK);
    assert_int_equal(broker.pauses, 1);
    assert_int_equal(broker.paused_polls, PAUSED_POLLS);
    assert_int_equal(broker.resumes, 1);
    assert_false(broker.paused);
    const pt_batch *before = w.member.batches.to_stage;
    assert_non_null(before);
    assert_int_equal(rows_of(before), AWAY); /* sealed during the wait */
    assert_int_equal(before->flush->entries[0].next_offset, AWAY);
    const pt_batch *after = before->next ? before->next : w.member.reader.batch;
    assert_non_null(after);
    assert_int_equal(rows_of(after), RECORDS - AWAY);
    assert_true(w.partition.position == RECORDS && w.partition.dead_letters == 0);
    tear_down(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_the_decoder_waits_the_member_polls_paused_and_seals_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
