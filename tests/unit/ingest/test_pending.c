/* Claims that wait, while the group takes their partitions away and gives them back. The test is
 * the committer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/pending.h"

typedef struct world {
    pt_ingest_options options;
    pt_monitor monitor;
    pt_batches batches;
    pt_inbox inbox;
    pt_partition partitions[2];
    pt_route route;
    pt_reader reader;
    pt_stats stats;
    pt_pendings pendings;
    pt_error err;
} world;

static void set_up(world *w) {
    *w = (world){.options = {.start = {.kind = PT_WHERE_EARLIEST}}};
    static const char *const properties[] = {"max.poll.interval.ms=40"};
    w->options.consumer.client.properties = properties;
    w->options.consumer.client.n_properties = 1;
    pt_monitor_init(&w->monitor);
    w->batches.monitor = &w->monitor;
    pt_inbox_init(&w->inbox, &w->batches);
    w->route = (pt_route){.topic = "topic", .partitions = w->partitions, .n_partitions = 2};
    w->reader = (pt_reader){.options = &w->options, .routes = &w->route, .n_routes = 1};
    w->pendings = (pt_pendings){.inbox = &w->inbox, .reader = &w->reader, .stats = &w->stats};
}

static void tear_down(world *w) {
    pt_pending_withdraw(&w->pendings);
    pt_pending_free(&w->pendings);
    pt_monitor_clear(&w->monitor);
}

/* The group gives partition 0; the committer does not answer soon. */
static void give(world *w) {
    bool done;
    pt_assigned given = {.topic = "topic", .partition = 0};
    assert_int_equal(pt_pending_claim(&w->pendings, &given, 1, &done, &w->err), PT_OK);
    assert_false(done);
    assert_int_equal(given.start, PT_START_LATER);
}

static void take_away(world *w) {
    const pt_assigned taken = {.topic = "topic", .partition = 0};
    assert_int_equal(pt_pending_revoke(&w->pendings, &taken, 1), 1);
}

static pt_ask *next_ask(world *w, pt_ask_kind kind) {
    pt_ask *ask = NULL;
    pt_batch *batch = NULL;
    assert_non_null(w->inbox.asks);
    assert_int_equal(pt_inbox_next(&w->inbox, INT64_MAX, &ask, &batch), PT_NEXT_ASK);
    assert_int_equal(ask->kind, kind);
    return ask;
}

static void answer(world *w, pt_ask *ask) {
    static const pt_error none;
    pt_inbox_answer(&w->inbox, ask, PT_OK, &none);
}

static void a_claim_that_is_done_too_late_does_not_release_what_a_newer_one_has(void **state) {
    (void)state;
    world w;
    set_up(&w);
    give(&w);
    pt_ask *first = next_ask(&w, PT_ASK_CLAIM);
    take_away(&w);
    give(&w);
    answer(&w, first);
    pt_ask *second = next_ask(&w, PT_ASK_CLAIM);
    assert_int_equal(pt_pending_finish(&w.pendings, &w.err), PT_OK);
    assert_null(w.inbox.asks);
    take_away(&w); /* now it is nobody's */
    answer(&w, second);
    assert_int_equal(pt_pending_finish(&w.pendings, &w.err), PT_OK);
    answer(&w, next_ask(&w, PT_ASK_RELEASE));
    assert_int_equal(pt_pending_finish(&w.pendings, &w.err), PT_OK);
    assert_null(w.pendings.first);
    tear_down(&w);
}

static void a_claim_that_has_not_begun_comes_behind_the_release_of_the_one_before(void **state) {
    (void)state;
    world w;
    set_up(&w);
    give(&w);
    pt_ask *first = next_ask(&w, PT_ASK_CLAIM);
    take_away(&w);
    give(&w);
    answer(&w, first);
    assert_int_equal(pt_pending_finish(&w.pendings, &w.err), PT_OK);
    answer(&w, next_ask(&w, PT_ASK_RELEASE));
    (void)next_ask(&w, PT_ASK_CLAIM);
    assert_null(w.inbox.asks);
    tear_down(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_that_is_done_too_late_does_not_release_what_a_newer_one_has),
        cmocka_unit_test(a_claim_that_has_not_begun_comes_behind_the_release_of_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
