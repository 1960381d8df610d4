/* Ingest needs nothing of a catalog but its interface: the real threads work against one that only
 * counts, and whose answers the test writes down before. */
#include "counting_catalog.h"
#include "lake/erasing.h"

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

/* ---- what a committer that loses an outcome would do ---- */

typedef struct script {
    unsigned commits, settles; /* that a committer needs for it, no more and no less */
    int64_t flushes;
} script;

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 16;
}

/* Of each flush: some attempts that find something in the way, then one that ends well, or without
 * an answer, in the lake or not, and some settles that learn nothing. */
static script write_script(counting *c, uint32_t seed, pt_code unknown) {
    script s = {0};
    c->truthful = true;
    while (s.flushes < 8) {
        for (uint32_t n = 1 + next_random(&seed) % 2; n > 0; n--) {
            c->commits[s.commits++] = (answer){PT_TRY_AGAIN, PT_E_LAKE_BUSY};
        }
        uint32_t kind = (uint32_t)(s.flushes++ % 3); /* each kind is in each script */
        if (kind) {
            c->lands[s.commits] = kind == 1;
            c->commits[s.commits++] = (answer){PT_UNKNOWN, unknown};
            for (uint32_t n = next_random(&seed) % 2; n > 0; n--) {
                c->settles[s.settles++] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
            }
            s.settles++; /* it answers by what has landed */
        }
        s.commits += kind != 1;
    }
    return s;
}

static void no_outcome_is_lost_whatever_the_answers_are(void **state) {
    static const pt_code unknown[] = {PT_E_LAKE_DOWN, PT_E_LAKE};
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        world w = {.catalog.refuses = -1};
        script s = write_script(&w.catalog, seed, unknown[seed % 2]);
        start(&w);
        for (int64_t i = 0; i < s.flushes; i++) {
            assert_true(flush(&w, 5));
        }
        assert_int_equal(position(&w), 5 * s.flushes);
        stop(&w);
        assert_int_equal(w.catalog.landed, 5 * s.flushes);
        assert_int_equal(w.catalog.n_commits, s.commits);
        assert_int_equal(w.catalog.n_settles, s.settles);
        assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_ROWS), 5 * s.flushes);
    }
}

typedef enum care {
    CAREFUL,
    COMMITS_THE_UNKNOWN_AGAIN,
    TAKES_THE_UNKNOWN_FOR_DONE,
    TAKES_A_CONFLICT_FOR_DONE,
    COMMITS_THE_SETTLED_AGAIN,
    FORGETS_WHAT_DID_NOT_LAND
} care;

/* PT_REFUSED: the next flush shows the fault. */
static pt_outcome drive(pt_catalog *c, pt_flush *flush, care with) {
    pt_error err = {0};
    for (;;) {
        pt_outcome outcome = pt_catalog_commit(c, flush, &err);
        if (outcome == PT_UNKNOWN && with == COMMITS_THE_UNKNOWN_AGAIN) {
            continue;
        }
        bool unknown = outcome == PT_UNKNOWN && with != TAKES_THE_UNKNOWN_FOR_DONE;
        while (unknown && outcome == PT_UNKNOWN) {
            outcome = pt_catalog_settle(c, flush, &err);
        }
        bool again = outcome == PT_TRY_AGAIN &&
                     with != (unknown ? FORGETS_WHAT_DID_NOT_LAND : TAKES_A_CONFLICT_FOR_DONE);
        again |= unknown && outcome == PT_COMMITTED && with == COMMITS_THE_SETTLED_AGAIN;
        if (!again) {
            return outcome;
        }
    }
}

/* So the numbers of the test before are no accident: each careless way doubles rows, or is refused
 * since offsets do not continue. */
static void a_committer_that_loses_an_outcome_is_noticed(void **state) {
    (void)state;
    for (int with = CAREFUL; with <= FORGETS_WHAT_DID_NOT_LAND; with++) {
        counting c = {.refuses = -1};
        pt_claim mine = {.topic = "orders", .partition = 3};
        pt_flush *flush;
        pt_error err = {0};
        script s = write_script(&c, 1, PT_E_LAKE);
        pt_outcome outcome = PT_COMMITTED;
        assert_int_equal(pt_catalog_begin(&c.base, &counting_ops, "g", "me", &err), PT_OK);
        assert_int_equal(pt_catalog_claim(&c.base, &(pt_claiming){.claims = &mine, .n = 1}, &err),
                         PT_OK);
        assert_int_equal(pt_flush_new(NULL, 0, &flush, &err), PT_OK);
        for (int64_t i = 0; i < s.flushes && outcome != PT_REFUSED; i++) {
            pt_flush_reset(flush, 1);
            pt_ledger_entry *e = pt_flush_add_entry(flush);
            e->topic = "orders";
            e->partition = 3;
            e->from_offset = 5 * i;
            e->next_offset = 5 * i + 5;
            outcome = drive(&c.base, flush, (care)with);
        }
        bool exact = c.landed == 5 * s.flushes && outcome == PT_COMMITTED;
        assert_true(exact == (with == CAREFUL));
        assert_true((c.landed > 5 * s.flushes) == (with == COMMITS_THE_UNKNOWN_AGAIN));
        assert_true((outcome == PT_REFUSED) == (with > COMMITS_THE_UNKNOWN_AGAIN));
        pt_flush_free(&flush);
        pt_catalog *catalog = &c.base;
        pt_catalog_close(&catalog);
    }
}

/* ---- tables ---- */

static void tables_are_planned_made_and_opened_by_the_catalog(void **state) {
    counting c = {.refuses = -1};
    pt_catalog *catalog = &c.base;
    const pt_table_options orders = {.table = "t", .schema_text = "a INTEGER, b BIGINT"};
    pt_table_planned planned;
    pt_text to_make = {0};
    pt_table *table;
    pt_error err = {0};
    (void)state;
    assert_int_equal(pt_catalog_begin(catalog, &counting_ops, "g", "me", &err), PT_OK);
    assert_int_equal(pt_catalog_plan_table(catalog, &orders, &planned, &to_make, &err), PT_OK);
    assert_string_equal(planned.missing, "t");
    free(planned.missing);
    assert_int_equal(pt_catalog_make_tables(catalog, "t", &to_make, &err), PT_OK);
    assert_string_equal(c.made, "t;"); /* what it planned comes back to it */
    assert_int_equal(pt_catalog_plan_table(catalog, &orders, &planned, &to_make, &err), PT_OK);
    assert_null(planned.missing);
    assert_int_equal(pt_catalog_open_table(catalog, &orders, &table, &err), PT_OK);
    c.landed = 1;
    assert_int_equal(pt_catalog_look_for_rows(catalog, table, &err), PT_OK);
    assert_true(table->has_rows);
    assert_int_equal(pt_catalog_limit_memory(catalog, 7, &err), PT_OK);
    assert_int_equal(c.memory, 7);
    pt_text_free(&to_make);
    pt_table_free(&table);
    pt_catalog_close(&catalog);
}

/* ---- taking rows back ---- */

static void a_catalog_that_cannot_take_rows_back_refuses_the_flush_by_its_name(void **state) {
    counting c = {.refuses = -1};
    pt_catalog *catalog = &c.base;
    pt_erasing erasing = {0};
    pt_flush *flush;
    pt_error err = {0};
    (void)state;
    assert_int_equal(pt_catalog_begin(catalog, &counting_ops, "g", "me", &err), PT_OK);
    assert_int_equal(pt_catalog_check_erase(catalog, &err), PT_E_USAGE);
    assert_int_equal(pt_flush_new(NULL, 0, &flush, &err), PT_OK);
    flush->erasing = &erasing;
    assert_int_equal(pt_catalog_commit(catalog, flush, &err), PT_REFUSED);
    assert_int_equal(err.code, PT_E_USAGE);
    assert_non_null(strstr(err.text, "a counting catalog cannot take rows back"));
    assert_int_equal(c.n_commits, 0);
    pt_flush_free(&flush);
    pt_catalog_close(&catalog);
}

/* Each attempt counts anew: what an earlier one wrote does not stay. */
static void what_is_taken_back_stands_in_the_ledger_entry_of_its_table_and_partition(void **state) {
    const pt_erase what = {.n_tables = 2};
    const pt_cut cuts[] = {{.partition = 0, .from = 10, .until = 40},
                           {.partition = 7, .from = 3, .until = -1},
                           {.partition = 8, .from = 0, .until = 5}};
    pt_erased erased[6];
    pt_erasing erasing = {.what = &what, .cuts = cuts, .n_cuts = 3, .erased = erased};
    pt_flush *flush;
    pt_error err = {0};
    (void)state;
    assert_int_equal(pt_flush_new(NULL, 0, &flush, &err), PT_OK);
    flush->erasing = &erasing;
    for (size_t i = 0; i < 6; i++) {
        assert_non_null(pt_flush_add_entry(flush));
    }
    for (int64_t attempt = 1; attempt <= 2; attempt++) {
        for (int64_t i = 0; i < 6; i++) { /* table i / 3, cut i % 3 */
            erased[i] = (pt_erased){.rows = 100 * attempt + i,
                                    .dead_letters = i,
                                    .ledger_rows = 200 * attempt + i,
                                    .ledger_dead_letters = 10 + i};
        }
        assert_int_equal(pt_erasing_enter(flush, &err), PT_OK);
        for (int64_t k = 0; k < 6; k++) {
            int64_t i = k % 2 * 3 + k / 2;
            assert_int_equal(flush->entries[k].rows, -(200 * attempt + i));
            assert_int_equal(flush->entries[k].dead_letters, -(10 + i));
        }
    }
    assert_string_equal(
        flush->entries[3].detail,
        "{\"deleted_from\": 3, \"deleted_until\": -1, \"rows\": 204, \"dead_letters\": 4}");
    pt_erasing_clear(&erasing);
    pt_flush_free(&flush);
}

/* ---- claims and upkeep ---- */

static void a_claim_brings_the_starts_and_once_the_notes_of_tables(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    start(&w);
    assert_int_equal(w.catalog.n_opened, 2);
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
        cmocka_unit_test(no_outcome_is_lost_whatever_the_answers_are),
        cmocka_unit_test(a_committer_that_loses_an_outcome_is_noticed),
        cmocka_unit_test(tables_are_planned_made_and_opened_by_the_catalog),
        cmocka_unit_test(a_catalog_that_cannot_take_rows_back_refuses_the_flush_by_its_name),
        cmocka_unit_test(what_is_taken_back_stands_in_the_ledger_entry_of_its_table_and_partition),
        cmocka_unit_test(a_claim_brings_the_starts_and_once_the_notes_of_tables),
        cmocka_unit_test(a_fold_is_an_upkeep_that_is_settled_without_a_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
