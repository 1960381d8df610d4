/* Ingest needs nothing of a catalog but its interface: the real threads work against one that only
 * counts, and whose answers the test writes down before. */
#include "counting_catalog.h"

/* ---- commits ---- */

static void what_is_in_the_way_is_tried_again_until_it_is_committed(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = w.catalog.commits[1] = (answer){PT_TRY_AGAIN, PT_E_LAKE_BUSY};
    start(&w);
    assert_true(flush(&w, 5));
    assert_int_equal(position(&w), 5);
    assert_true(flush(&w, 5));
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 4);
    assert_int_equal(w.catalog.n_settles, 0);
    assert_int_equal(w.catalog.n_inspected, 2);
    assert_int_equal(w.catalog.landed, 10);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_COMMITS), 2);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_ROWS), 10);
}

static void an_unknown_outcome_that_landed_is_not_committed_again(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    start(&w);
    assert_true(flush(&w, 5));
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 1);
    assert_int_equal(w.catalog.n_settles, 2);
    assert_int_equal(w.catalog.landed, 5);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_COMMITS), 1);
}

static void an_unknown_outcome_that_did_not_land_is_committed_once_more(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = (answer){PT_UNKNOWN, PT_E_LAKE}; /* with a reason: settled at once */
    w.catalog.settles[0] = (answer){PT_TRY_AGAIN, PT_OK};
    start(&w);
    assert_true(flush(&w, 5));
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 2);
    assert_int_equal(w.catalog.n_settles, 1);
    assert_int_equal(w.catalog.landed, 5);
    assert_false(w.catalog.other_id); /* the ledger knows both attempts by one id */
}

static void an_outcome_that_nobody_can_settle_ends_the_run(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[0] = (answer){PT_REFUSED, PT_E_FENCED};
    start(&w);
    assert_false(flush(&w, 5));
    assert_int_equal(failure(&w), PT_E_FENCED);
    stop(&w);
    assert_int_equal(w.batches.rows_left, 5);
    assert_int_equal(w.catalog.n_commits, 1);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_COMMITS), 0);
}

static void a_refusal_that_waiting_does_not_mend_ends_the_run_at_once(void **state) {
    static const pt_code codes[] = {PT_E_FENCED, PT_E_LAKE_CHANGED, PT_E_RESTART, PT_E_NOMEM};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        world w = {.catalog.refuses = -1};
        w.catalog.commits[0] = (answer){PT_REFUSED, codes[i]};
        start(&w);
        assert_false(flush(&w, 5));
        assert_int_equal(failure(&w), codes[i]);
        stop(&w);
        assert_int_equal(w.catalog.n_commits, 1);
        assert_int_equal(w.catalog.n_settles, 0);
        assert_int_equal(w.catalog.landed, 0);
    }
}

static void the_record_that_is_refused_is_found_and_all_before_it_lands(void **state) {
    world w = {.catalog.refuses = 7};
    (void)state;
    start(&w);
    assert_false(flush(&w, 16));
    assert_int_equal(failure(&w), PT_E_REFUSED);
    assert_non_null(w.tally.found);
    assert_int_equal(w.tally.found->offset, 7);
    assert_int_equal(position(&w), 7);
    stop(&w);
    assert_int_equal(w.catalog.landed, 7);
    assert_int_equal(w.catalog.n_settles, 0);
}

/* ---- claims and upkeep ---- */

static void a_claim_brings_the_starts_and_once_the_notes_of_tables(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    start(&w);
    assert_int_equal(w.catalog.n_claims, 1);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_CLAIMS), 1);
    assert_ptr_equal(w.catalog.starts, &w.starts);
    assert_ptr_equal(w.catalog.tables, &w.identities);
    assert_int_equal(claim(&w, 4), PT_OK);
    assert_null(w.catalog.tables);
    assert_int_equal(w.catalog.base.n_claims, 2);
    pt_claim gone = {.topic = "orders", .partition = 3};
    pt_ask release = {.kind = PT_ASK_RELEASE, .claims = &gone, .n = 1};
    pt_inbox_ask(&w.committer.inbox, &release);
    assert_true(pt_inbox_await(&w.committer.inbox, &release, SOON));
    assert_int_equal(w.catalog.base.n_claims, 1);
    assert_false(flush(&w, 5));
    assert_int_equal(failure(&w), PT_E_FENCED);
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 0);
}

/* A fold is due at once here; whoever drains waits for it. */
static void a_fold_is_an_upkeep_that_is_settled_without_a_flush(void **state) {
    world w = {.catalog.refuses = -1, .catalog.held = 7};
    (void)state;
    w.catalog.folds[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[0] = (answer){PT_TRY_AGAIN, PT_OK};
    w.catalog.folds[1] = (answer){PT_TRY_AGAIN, PT_E_LAKE_BUSY};
    start(&w);
    assert_true(pt_inbox_drain(&w.committer.inbox, SOON));
    int64_t until = pt_monotonic_us() + SOON;
    while (pt_stats_get(&w.stats, PT_COUNT_JOBS) < 3 && pt_monotonic_us() < until) {
        pt_sleep_us(1000);
    }
    stop(&w);
    assert_int_equal(w.catalog.n_folds, 3);
    assert_int_equal(w.catalog.n_settles, 1);
    assert_int_equal(w.catalog.n_settles_alone, 1);
    assert_int_equal(w.catalog.held, 0);
    assert_int_equal(w.catalog.n_commits, 0);
    assert_true(w.catalog.n_looks <= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_the_way_is_tried_again_until_it_is_committed),
        cmocka_unit_test(an_unknown_outcome_that_landed_is_not_committed_again),
        cmocka_unit_test(an_unknown_outcome_that_did_not_land_is_committed_once_more),
        cmocka_unit_test(an_outcome_that_nobody_can_settle_ends_the_run),
        cmocka_unit_test(a_refusal_that_waiting_does_not_mend_ends_the_run_at_once),
        cmocka_unit_test(the_record_that_is_refused_is_found_and_all_before_it_lands),
        cmocka_unit_test(a_claim_brings_the_starts_and_once_the_notes_of_tables),
        cmocka_unit_test(a_fold_is_an_upkeep_that_is_settled_without_a_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
