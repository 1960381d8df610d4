/* Plans are counted: a batch keeps the one that it was begun with while another one is in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/fixed_format.h"
#include "ingest/batches.h"
#include "ingest/reader.h"

static unsigned closed; /* decoders */

static void count_close(pt_decoder **decoder) {
    closed++;
    free(*decoder);
    *decoder = NULL;
}

static const pt_decoder_ops counting_format = {.name = "counting",
                                               .open = fixed_open,
                                               .decode = fixed_decode,
                                               .close = count_close};

static pt_table *make_table(const char *schema) {
    pt_error err;
    pt_table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    assert_int_equal(pt_schema_parse(schema, &t->schema, &err), PT_OK);
    t->n_columns = t->schema->n_columns;
    t->types = calloc(t->n_columns, sizeof *t->types);
    t->label = strdup("t");
    assert_non_null(t->types);
    for (size_t i = 0; i < t->n_columns; i++) {
        t->types[i] = t->schema->columns[i].type;
    }
    return t;
}

/* One topic into one table. */
static pt_plan *make_plan(const char *schema, uint64_t version) {
    pt_error err;
    pt_plan *plan;
    assert_int_equal(pt_plan_new(1, version, &plan, &err), PT_OK);
    plan->tables[plan->n_tables++] = make_table(schema);
    plan->routes[0].table = plan->tables[0];
    pt_decoder *decoder = calloc(1, sizeof *decoder);
    assert_non_null(decoder);
    decoder->ops = &counting_format;
    plan->routes[0].decoder = decoder;
    return plan;
}

typedef struct world {
    pt_monitor monitor;
    pt_batches batches;
    pt_route route;
    pt_reader reader;
    pt_error err;
} world;

static void set_up(world *w, pt_plan *plan) {
    *w = (world){0};
    closed = 0;
    pt_monitor_init(&w->monitor);
    assert_int_equal(pt_batches_init(&w->batches, &w->monitor,
                                     (const pt_table *const *)plan->tables, plan->n_tables,
                                     &w->err),
                     PT_OK);
    w->reader = (pt_reader){.batches = &w->batches, .routes = &w->route, .n_routes = 1};
    pt_reader_use(&w->reader, plan);
}

static void tear_down(world *w) {
    pt_batches_clear(&w->batches);
    pt_monitor_clear(&w->monitor);
}

static void a_batch_keeps_the_plan_that_it_was_begun_with_until_it_is_begun_again(void **state) {
    world w;
    (void)state;
    pt_plan *old = make_plan("a INTEGER, b BIGINT", 1);
    set_up(&w, old);
    pt_batch *first = pt_batches_take_free(&w.batches, 0);
    pt_flush *flush = first->flush;
    pt_table *old_table = old->tables[0];
    pt_plan_release(&old); /* the first one's maker has no more to do with it */
    assert_null(old);

    pt_plan *new = make_plan("a INTEGER, b BIGINT, c VARCHAR", 2);
    pt_reader_use(&w.reader, new);
    assert_ptr_equal(w.route.table, new->tables[0]);
    assert_ptr_equal(w.route.decoder, new->routes[0].decoder);
    assert_int_equal(first->plan->version, 1);
    assert_int_equal(closed, 0);

    pt_batch *second = pt_batches_take_free(&w.batches, 0);
    assert_int_equal(second->plan->version, 2);
    assert_int_equal(pt_rows_columns(second->flush->slices[0].rows), 3);
    assert_ptr_equal(second->flush->slices[0].table, new->tables[0]);

    /* the old one is as it was, while the new one is in use */
    assert_ptr_equal(first->flush, flush);
    assert_ptr_equal(first->flush->slices[0].table, old_table);
    assert_string_equal(first->plan->tables[0]->label, "t");
    assert_int_equal(pt_rows_columns(first->flush->slices[0].rows), 2);

    /* the last batch of the old plan is begun again: it goes */
    pt_batches_return(&w.batches, first);
    assert_int_equal(closed, 0);
    pt_batch *third = pt_batches_take_free(&w.batches, 0);
    pt_batch *again = pt_batches_take_free(&w.batches, 0);
    assert_true(third == first || again == first);
    assert_int_equal(third->plan->version, 2);
    assert_int_equal(again->plan->version, 2);
    assert_int_equal(closed, 1);

    pt_plan_release(&new);
    assert_int_equal(closed, 1);
    tear_down(&w);
    assert_int_equal(closed, 2);
}

static void batches_of_the_plan_that_they_were_made_for_are_not_made_again(void **state) {
    world w;
    (void)state;
    pt_plan *plan = make_plan("a INTEGER, b BIGINT", 1);
    set_up(&w, plan);
    for (int i = 0; i < 3 * PT_BATCHES; i++) {
        pt_flush *flush = w.batches.free->flush;
        pt_batch *batch = pt_batches_take_free(&w.batches, 0);
        assert_ptr_equal(batch->flush, flush);
        assert_ptr_equal(batch->plan, plan);
        pt_batches_return(&w.batches, batch);
    }
    assert_true(plan->users <= 2 + PT_BATCHES);
    tear_down(&w);
    assert_int_equal(closed, 0);
    assert_int_equal(plan->users, 1);
    pt_plan_release(&plan);
    assert_int_equal(closed, 1);
}

static void what_is_not_there_can_be_released(void **state) {
    pt_plan *plan = NULL;
    (void)state;
    pt_plan_release(&plan);
    assert_null(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_keeps_the_plan_that_it_was_begun_with_until_it_is_begun_again),
        cmocka_unit_test(batches_of_the_plan_that_they_were_made_for_are_not_made_again),
        cmocka_unit_test(what_is_not_there_can_be_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
