/* The log counts dead letters, seldom. A run in which nothing fitted is never a success.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ingest/options.h"
#include "ingest/tally.h"

static const pt_tally_of of = {"orders", "t"};

static void letter(pt_tally *t, int64_t offset, pt_decode_code code, const char *text) {
    pt_decode_error why = {.code = code, .position = 3};
    (void)strncpy(why.text, text, sizeof why.text - 1);
    pt_tally_letter(t, of, 7, offset, &why);
}

static void dead_letters_without_a_row_are_no_success_and_the_error_counts_all_and_names_one(
    void **state) {
    (void)state;
    pt_tally t = {0};
    pt_error err;
    pt_route_options route = {.topic = "orders", .table = "t"};
    assert_int_equal(pt_tally_judge(&t, &route, 1, &err), PT_OK);
    letter(&t, 4, PT_DECODE_TOMBSTONE, "the record has no value");
    assert_int_equal(pt_tally_judge(&t, &route, 1, &err), PT_OK);
    letter(&t, 5, PT_DECODE_RANGE, "column at: too far");
    letter(&t, 6, PT_DECODE_NO_COLUMN, "x, y");
    letter(&t, 8, PT_DECODE_RANGE, "column at: again");
    assert_int_equal(pt_tally_judge(&t, &route, 1, &err), PT_E_DATA);
    static const char *const parts[] = {
        "topic orders", "partition 7 offset 5", "range: column at: too far",
        "range 2",      "no_column 1",          "committed"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_non_null(strstr(err.text, parts[i]));
    }
    assert_null(strstr(err.text, "tombstone"));
    t.rows = 1;
    assert_int_equal(pt_tally_judge(&t, &route, 1, &err), PT_OK);
    pt_tally_clear(&t);
}

static void of_many_topics_those_are_named_in_which_nothing_fitted(void **state) {
    (void)state;
    pt_tally t[6] = {0};
    pt_route_options routes[6] = {{.topic = "good"}, {.topic = "bad1"}, {.topic = "none"},
                                  {.topic = "bad2"}, {.topic = "bad3"}, {.topic = "bad4"}};
    pt_error err;
    for (size_t i = 0; i < 6; i++) {
        routes[i].table = "t";
        if (i != 2) {
            letter(&t[i], 0, PT_DECODE_SYNTAX, "no JSON");
        }
    }
    t[0].rows = 10;
    assert_int_equal(pt_tally_judge(t, routes, 6, &err), PT_E_DATA);
    assert_non_null(strstr(err.text, "topic bad1"));
    assert_non_null(strstr(err.text, "topic bad2"));
    assert_non_null(strstr(err.text, "and 1 more topics"));
    assert_null(strstr(err.text, "good"));
    assert_null(strstr(err.text, "topic none"));
    for (size_t i = 0; i < 6; i++) {
        pt_tally_clear(&t[i]);
    }
}

static void counts_are_told_once_a_minute_and_only_when_there_are_new_ones(void **state) {
    (void)state;
    pt_tally t = {0};
    letter(&t, 0, PT_DECODE_SYNTAX, "no JSON");
    pt_tally_log(&t, of);
    assert_int_equal(t.logged, 1); /* by itself, when it came */
    for (int i = 1; i < 1000; i++) {
        letter(&t, i, PT_DECODE_SYNTAX, "no JSON");
        pt_tally_log(&t, of);
    }
    assert_int_equal(t.logged, 1);
    t.logged_us -= 61 * PT_SECOND;
    pt_tally_log(&t, of);
    assert_int_equal(t.logged, 1000);
    letter(&t, 1000, PT_DECODE_SYNTAX, "no JSON");
    pt_tally_log(&t, of);
    assert_int_equal(t.logged, 1000);
    int64_t logged_us = t.logged_us -= 61 * PT_SECOND;
    letter(&t, 1001, PT_DECODE_TOMBSTONE, "the record has no value");
    pt_tally_log(&t, of);
    assert_int_equal(t.logged, 1001);
    assert_true(t.logged_us > logged_us);
    pt_tally_clear(&t);
}

static void a_refused_record_is_known_again_and_too_many_in_a_row_are_no_fault_of_theirs(
    void **state) {
    (void)state;
    pt_tally t = {0};
    pt_error err;
    for (int64_t i = 0; i < 8; i++) {
        assert_int_equal(pt_tally_refuse(&t, "orders", 3, 10 * i, "value refused", false, &err),
                         PT_E_REFUSED);
        assert_int_equal(t.n_refused, i); /* the reader still uses the list */
        pt_tally_settle(&t);
    }
    const pt_tally_refused *known = pt_tally_find_refused(&t, 3, 70);
    assert_non_null(known);
    assert_string_equal(known->text, "value refused");
    assert_false(known->passed);
    assert_null(pt_tally_find_refused(&t, 2, 70));
    assert_null(pt_tally_find_refused(&t, 3, 71));
    assert_int_equal(pt_tally_refuse(&t, "orders", 3, 80, "value refused", true, &err),
                     PT_E_REFUSED); /* others of its flush passed */
    for (int64_t i = 0; i < 7; i++) {
        assert_int_equal(pt_tally_refuse(&t, "orders", 3, 100 + i, "value refused", false, &err),
                         PT_E_REFUSED);
    }
    assert_int_equal(pt_tally_refuse(&t, "orders", 3, 200, "value refused", false, &err),
                     PT_E_LAKE);
    assert_non_null(strstr(err.text, "value refused"));
    pt_tally_clear(&t);
}

static void a_refused_record_with_nothing_beside_it_is_passed_once_on_the_word_of_an_earlier_row(
    void **state) {
    (void)state;
    pt_tally t = {0};
    pt_error err;
    assert_int_equal(pt_tally_refuse(&t, "orders", 3, 10, "value refused", false, &err),
                     PT_E_REFUSED);
    pt_tally_settle(&t);
    assert_int_equal(pt_tally_pass_alone(&t, of, 3, 10, &err), PT_E_LAKE);
    assert_non_null(strstr(err.text, "value refused"));
    pt_tally_passed(&t);
    assert_int_equal(t.refused_in_a_row, 0);
    assert_int_equal(pt_tally_pass_alone(&t, of, 3, 10, &err), PT_OK);
    assert_int_equal(pt_tally_pass_alone(&t, of, 3, 11, &err), PT_E_LAKE);
    pt_tally_passed(&t);
    assert_int_equal(pt_tally_pass_alone(&t, of, 3, 11, &err), PT_OK);
    pt_tally_clear(&t);
}

static void what_is_read_again_is_neither_counted_nor_named_again(void **state) {
    (void)state;
    pt_tally t = {0};
    pt_error err;
    pt_decode_error refused = {.code = PT_DECODE_REFUSED, .position = -1, .text = "value refused"};
    pt_decode_error syntax = {.code = PT_DECODE_SYNTAX, .position = 0, .text = "no JSON"};
    for (int member = 0; member < 3;
         member++) { /* offset 4 is refused in the first one, and 5 and 6 were read behind it */
        if (member) {
            pt_tally_letter(&t, of, 1, 4, &refused);
        }
        pt_tally_letter(&t, of, 1, 5, &syntax);
        pt_tally_letter(&t, of, 1, 6, &syntax);
        pt_tally_letter(&t, of, 0, 0, &syntax);
        assert_int_equal(t.letters[PT_DECODE_SYNTAX], 3);
        assert_int_equal(t.letters[PT_DECODE_REFUSED], member ? 1 : 0);
        if (!member) {
            assert_int_equal(pt_tally_refuse(&t, "orders", 1, 4, "value refused", true, &err),
                             PT_E_REFUSED);
            pt_tally_settle(&t);
        }
    }
    assert_true(pt_tally_names_key(&t, "colour"));
    assert_true(pt_tally_names_key(&t, "size"));
    assert_false(pt_tally_names_key(&t, "colour"));
    pt_tally_clear(&t);
}

static void rows_that_were_read_and_not_committed_are_no_rows_of_the_topic(void **state) {
    (void)state;
    pt_tally t = {0};
    pt_error err;
    pt_route_options route = {.topic = "orders", .table = "t"};
    t.rows = 1; /* sealed; then the lake refused it */
    pt_tally_settle(&t);
    letter(&t, 0, PT_DECODE_REFUSED, "value refused");
    assert_int_equal(pt_tally_judge(&t, &route, 1, &err), PT_E_DATA);
    t.rows = t.committed = 2;
    pt_tally_settle(&t);
    assert_int_equal(pt_tally_judge(&t, &route, 1, &err), PT_OK);
    pt_tally_clear(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            dead_letters_without_a_row_are_no_success_and_the_error_counts_all_and_names_one),
        cmocka_unit_test(of_many_topics_those_are_named_in_which_nothing_fitted),
        cmocka_unit_test(
            a_refused_record_is_known_again_and_too_many_in_a_row_are_no_fault_of_theirs),
        cmocka_unit_test(
            a_refused_record_with_nothing_beside_it_is_passed_once_on_the_word_of_an_earlier_row),
        cmocka_unit_test(what_is_read_again_is_neither_counted_nor_named_again),
        cmocka_unit_test(rows_that_were_read_and_not_committed_are_no_rows_of_the_topic),
        cmocka_unit_test(counts_are_told_once_a_minute_and_only_when_there_are_new_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
