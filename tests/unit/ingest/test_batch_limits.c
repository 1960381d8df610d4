/* When a batch is full, and when it is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "columns/schema.h"
#include "ingest/batches.h"

typedef struct world {
    pt_schema *schema;
    pt_type types[1];
    pt_table table;
    pt_monitor monitor;
    pt_batches batches;
    pt_batch *batch;
} world;

static void set_up(world *w) {
    static char label[] = "t";
    pt_error err;
    *w = (world){.types = {{.id = PT_BIGINT}}};
    w->table = (pt_table){.label = label, .types = w->types, .n_columns = 1};
    assert_int_equal(pt_schema_parse("a BIGINT", &w->schema, &err), PT_OK);
    w->table.schema = w->schema;
    const pt_table *tables[] = {&w->table};
    pt_monitor_init(&w->monitor);
    assert_int_equal(pt_batches_init(&w->batches, &w->monitor, tables, 1, &err), PT_OK);
    w->batches.limits = (pt_batch_limits){UINT64_MAX / 2, UINT64_MAX, UINT64_MAX, INT64_MAX / 2};
    w->batch = pt_batches_take_free(&w->batches, 0);
    assert_non_null(w->batch);
}

static void tear_down(world *w) {
    pt_batches_return(&w->batches, w->batch);
    pt_batches_clear(&w->batches);
    pt_monitor_clear(&w->monitor);
    pt_schema_free(&w->schema);
}

static void add_row(world *w) {
    pt_error err;
    pt_rows *rows = w->batch->flush->slices[0].rows;
    assert_int_equal(pt_rows_open(rows, &err), PT_OK);
    ((int64_t *)pt_rows_data(rows, 0))[pt_rows_at(rows)] = 1;
    pt_rows_commit(rows);
    w->batch->records++;
    w->batch->unmeasured += sizeof(int64_t);
}

static void a_batch_is_full_by_its_records_its_bytes_or_its_memory(void **state) {
    world w;
    (void)state;
    set_up(&w);
    w.batches.limits.records = 3;
    for (unsigned i = 0; i < 3; i++) {
        assert_false(pt_batch_full(w.batch, &w.batches.limits));
        add_row(&w);
    }
    assert_true(pt_batch_full(w.batch, &w.batches.limits));
    w.batches.limits.records = 1000;
    w.batches.limits.bytes = 100 * sizeof(int64_t);
    while (!pt_batch_full(w.batch, &w.batches.limits)) {
        add_row(&w);
    }
    assert_in_range(w.batch->records, 100, 100 + 100 / 16 + 1); /* it is measured now and then */
    w.batches.limits.bytes = UINT64_MAX;
    w.batches.limits.memory = 1;
    assert_false(pt_batch_full(w.batch, &w.batches.limits));
    w.batch->unmeasured = (uint64_t)1 << 20;
    assert_true(pt_batch_full(w.batch, &w.batches.limits));
    tear_down(&w);
}

static void a_batch_with_a_refused_record_grows_and_waits_for_a_row_of_its_table(void **state) {
    world w;
    pt_error err;
    (void)state;
    set_up(&w);
    w.batches.limits.records = 1;
    w.batches.limits.interval_us = 0;
    w.batch->records = 1;
    w.batch->opened_us = pt_monotonic_us();
    assert_true(pt_batch_full(w.batch, &w.batches.limits));
    assert_true(pt_batches_due(&w.batches, w.batch));
    assert_int_equal(pt_flush_add_suspect(w.batch->flush, &(pt_suspect){"topic", 0, 0, 0}, &err),
                     PT_OK);
    w.batch->opened_us = pt_monotonic_us() + PT_SECOND; /* so that no load makes it due */
    assert_false(pt_batch_full(w.batch, &w.batches.limits));
    assert_true(pt_batch_time_left(w.batch, &w.batches.limits) > 0);
    w.batch->opened_us = pt_monotonic_us() - 6 * PT_SECOND;
    assert_true(pt_batches_due(&w.batches, w.batch)); /* but not for long */
    add_row(&w);
    assert_true(pt_batch_full(w.batch, &w.batches.limits));
    tear_down(&w);
}

static void a_batch_is_due_when_its_first_record_is_old_enough_and_no_other_one_waits(
    void **state) {
    world w;
    (void)state;
    set_up(&w);
    w.batches.limits.interval_us = 3600 * PT_SECOND;
    assert_false(pt_batches_due(&w.batches, NULL));
    w.batch->opened_us = pt_monotonic_us();
    w.batch->records = 1;
    assert_false(pt_batches_due(&w.batches, w.batch));
    assert_true(pt_batch_time_left(w.batch, &w.batches.limits) > 0);
    w.batches.limits.interval_us = 0;
    assert_true(pt_batches_due(&w.batches, w.batch));
    w.batch->records = 0;
    assert_false(pt_batches_due(&w.batches, w.batch));
    w.batch->records = 1;
    w.batches.under_way = PT_BATCHES - 1;
    assert_false(pt_batches_due(&w.batches, w.batch)); /* it grows instead */
    w.batches.under_way = 0;
    tear_down(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_full_by_its_records_its_bytes_or_its_memory),
        cmocka_unit_test(a_batch_with_a_refused_record_grows_and_waits_for_a_row_of_its_table),
        cmocka_unit_test(a_batch_is_due_when_its_first_record_is_old_enough_and_no_other_one_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
