/* Runs of records into a batch: what is taken, what is left out, and where a run stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/fixed_format.h"
#include "ingest/reader.h"

#define RECORDS 6

static const char *const names[] = {
    "a", "b", "_kafka_partition", "_kafka_offset", "_kafka_timestamp", "ingest_time"};

typedef struct world {
    pt_ingest_options options;
    pt_schema *schema;
    pt_table table;
    pt_type types[6];
    pt_monitor monitor;
    pt_batches batches;
    pt_tally tally;
    pt_route route;
    pt_partition *partitions;
    pt_reader reader;
    pt_place asked; /* the last place that was asked for again */
    unsigned asks;
    pt_error err;
    char bytes[RECORDS][FIXED_BYTES];
    pt_record records[RECORDS];
    pt_records run;
} world;

static int ask(void *arg, const pt_place *place, pt_error *err) {
    world *w = arg;
    (void)err;
    w->asked = *place;
    w->asks++;
    return PT_OK;
}

static void set_up(world *w) {
    *w = (world){.options = {.max_dead_letters = UINT64_MAX, .max_dead_share = 2}};
    registry_is_away = false;
    assert_int_equal(pt_schema_parse("a INTEGER, b BIGINT", &w->schema, &w->err), PT_OK);
    static const pt_type_id ids[] = {PT_INTEGER, PT_BIGINT,      PT_INTEGER,
                                     PT_BIGINT,  PT_TIMESTAMPTZ, PT_TIMESTAMPTZ};
    for (size_t i = 0; i < 6; i++) {
        w->types[i].id = ids[i];
    }
    w->table = (pt_table){.label = (char *)(uintptr_t)"t",
                          .schema = w->schema,
                          .types = w->types,
                          .names = (const char **)(uintptr_t)names,
                          .n_columns = 6,
                          .metas = PT_METAS_ALWAYS};
    for (size_t i = 0; i < PT_META_COUNT; i++) {
        w->table.meta_at[i] = i < 4 ? 2 + i : SIZE_MAX;
    }
    const pt_table *tables[] = {&w->table};
    pt_monitor_init(&w->monitor);
    assert_int_equal(pt_batches_init(&w->batches, &w->monitor, tables, 1, &w->err), PT_OK);
    w->batches.limits = (pt_batch_limits){.records = 100, .bytes = 1 << 30, .memory = 1 << 30};
    w->partitions = calloc(1, sizeof *w->partitions);
    assert_non_null(w->partitions);
    w->partitions[0] = (pt_partition){.assigned = true, .verify_at = -1, .skipped_from = -1};
    w->route = (pt_route){.topic = "topic",
                          .table = &w->table,
                          .partitions = w->partitions,
                          .n_partitions = 1,
                          .row_bytes = 32,
                          .tally = &w->tally};
    const pt_decoder_options options = {.schema = w->schema};
    assert_int_equal(pt_decoder_open(&fixed_format, &options, &w->route.decoder, &w->err), PT_OK);
    w->reader = (pt_reader){.options = &w->options,
                            .batches = &w->batches,
                            .routes = &w->route,
                            .n_routes = 1,
                            .refetch = ask,
                            .refetch_arg = w};
    w->reader.batch = pt_batches_take_free(&w->batches, 0);
    assert_non_null(w->reader.batch);
    for (int32_t i = 0; i < RECORDS; i++) {
        int64_t big = i;
        memcpy(w->bytes[i], &i, sizeof i);
        memcpy(w->bytes[i] + sizeof i, &big, sizeof big);
        w->records[i] = (pt_record){.offset = i,
                                    .timestamp_us = 1000 + i,
                                    .value = w->bytes[i],
                                    .value_len = FIXED_BYTES};
    }
    w->run = (pt_records){.leader_epoch = 3, .at = w->records, .n = RECORDS, .position = RECORDS};
}

static void tear_down(world *w) {
    pt_reader_drop(&w->reader);
    pt_decoder_close(&w->route.decoder);
    pt_tally_clear(&w->tally);
    pt_batches_clear(&w->batches);
    pt_monitor_clear(&w->monitor);
    free(w->route.partitions);
    free(w->reader.headers);
    pt_schema_free(&w->schema);
}

static pt_take_end take(world *w, size_t *from) {
    pt_take_end end;
    assert_int_equal(pt_reader_take(&w->reader, &w->run, from, 1, &end, &w->err), PT_OK);
    return end;
}

static pt_rows *rows_of(world *w) {
    return w->reader.batch->flush->slices[0].rows;
}

static void a_run_goes_into_the_batch_with_its_offsets_and_epoch(void **state) {
    world w;
    size_t from = 0;
    (void)state;
    set_up(&w);
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(from, RECORDS);
    assert_int_equal(pt_rows_count(rows_of(&w)), RECORDS);
    for (int64_t i = 0; i < RECORDS; i++) {
        assert_true(((int64_t *)pt_rows_data(rows_of(&w), 3))[i] == i);
        assert_true(((int64_t *)pt_rows_data(rows_of(&w), 4))[i] == 1000 + i);
    }
    assert_true(w.partitions[0].next == RECORDS && w.partitions[0].position == RECORDS);
    assert_int_equal(w.partitions[0].last_epoch, 3);
    tear_down(&w);
}

static void a_run_stops_where_the_batch_is_full_and_continues_in_the_next_one(void **state) {
    world w;
    size_t from = 0;
    (void)state;
    set_up(&w);
    w.batches.limits.records = 4;
    assert_int_equal(take(&w, &from), PT_TAKE_FULL);
    assert_int_equal(from, 4);
    assert_int_equal(pt_reader_seal(&w.reader, false, &w.err), PT_OK);
    w.reader.batch = pt_batches_take_free(&w.batches, 0);
    assert_non_null(w.reader.batch);
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(from, RECORDS);
    assert_int_equal(pt_rows_count(rows_of(&w)), 2);
    tear_down(&w);
}

static void a_record_that_cannot_be_decoded_now_is_held_and_nothing_behind_it_is_taken(
    void **state) {
    world w;
    size_t from = 0;
    int32_t unknown = -1;
    (void)state;
    set_up(&w);
    memcpy(w.bytes[2], &unknown, sizeof unknown);
    registry_is_away = true;
    for (int i = 0; i < 3; i++) { /* whatever time it takes */
        assert_int_equal(take(&w, &from), PT_TAKE_NOT_NOW);
        assert_non_null(strstr(w.err.text, "registry"));
        assert_int_equal(from, 2);
        assert_int_equal(pt_rows_count(rows_of(&w)), 2);
        assert_true(w.partitions[0].next == 2 && w.partitions[0].dead_letters == 0);
    }
    /* what was read before can be committed meanwhile */
    assert_int_equal(pt_reader_seal(&w.reader, false, &w.err), PT_OK);
    w.reader.batch = pt_batches_take_free(&w.batches, 0);
    assert_non_null(w.reader.batch);
    registry_is_away = false;
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(from, RECORDS);
    assert_int_equal(pt_rows_count(rows_of(&w)), 4);
    assert_int_equal(((int32_t *)pt_rows_data(rows_of(&w), 0))[0], -1);
    assert_int_equal(w.reader.records, RECORDS);
    tear_down(&w);
}

static void what_is_below_the_position_or_of_a_partition_that_went_is_left_out(void **state) {
    world w;
    size_t from = 0;
    (void)state;
    set_up(&w);
    w.partitions[0].next = 4;
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(pt_rows_count(rows_of(&w)), 2);
    w.partitions[0].assigned = false;
    w.partitions[0].next = 0;
    from = 0;
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(from, RECORDS);
    assert_int_equal(pt_rows_count(rows_of(&w)), 2);
    tear_down(&w);
}

static void a_gap_right_after_an_assignment_is_asked_for_once_and_believed_then(void **state) {
    world w;
    size_t from = 0;
    (void)state;
    set_up(&w);
    pt_reader_unverify(&w.reader);
    w.run.at += 2; /* 0 and 1 are missing */
    w.run.n -= 2;
    w.reader.polls = 1;
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(w.asks, 1);
    assert_true(w.asked.offset == 0 && w.asked.partition == 0);
    assert_int_equal(pt_rows_count(rows_of(&w)), 0);
    w.reader.polls = 2;
    from = 0;
    assert_int_equal(take(&w, &from), PT_TAKE_ALL);
    assert_int_equal(w.asks, 1);
    assert_int_equal(pt_rows_count(rows_of(&w)), 4);
    tear_down(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_goes_into_the_batch_with_its_offsets_and_epoch),
        cmocka_unit_test(a_run_stops_where_the_batch_is_full_and_continues_in_the_next_one),
        cmocka_unit_test(
            a_record_that_cannot_be_decoded_now_is_held_and_nothing_behind_it_is_taken),
        cmocka_unit_test(what_is_below_the_position_or_of_a_partition_that_went_is_left_out),
        cmocka_unit_test(a_gap_right_after_an_assignment_is_asked_for_once_and_believed_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
