#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/nearest.h"

static const char *nearest(const char *word, const char *const *names) {
    static pt_nearest n;
    pt_nearest_begin(&n, word);
    for (; *names; names++) {
        pt_nearest_offer(&n, *names);
    }
    return n.best;
}

#define NEAREST(word, ...) nearest(word, (const char *const[]){__VA_ARGS__, NULL})

static void a_slip_of_the_fingers_is_seen(void **state) {
    (void)state;
    assert_string_equal(NEAREST("ingets", "reset", "ingest", "broker"), "ingest");
    assert_string_equal(NEAREST("ordres", "customers", "orders"), "orders");
    assert_string_equal(NEAREST("Orders", "orders"), "orders");
    assert_string_equal(NEAREST("flsh-rows", "flush-bytes", "flush-rows"), "flush-rows");
    assert_string_equal(NEAREST("sqll", "sql", "reset"), "sql");
    assert_string_equal(NEAREST("order", "orders", "border"),
                        "orders"); /* the first of two alike */
}

static void another_word_is_not_suggested(void **state) {
    (void)state;
    assert_string_equal(NEAREST("nonsense", "ingest", "produce", "check"), "");
    assert_string_equal(NEAREST("ab", "cd", "abc"), "");
    assert_string_equal(NEAREST("", "x", ""), "");
    char longest[2000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(NEAREST(longest, longest, "x"), "");
    assert_string_equal(NEAREST("x", longest), "");
}

static void the_hint_is_empty_or_a_question(void **state) {
    (void)state;
    pt_nearest n;
    pt_nearest_begin(&n, "brokr");
    assert_string_equal(pt_nearest_hint(&n, "--").text, "");
    pt_nearest_offer(&n, "broker");
    assert_string_equal(pt_nearest_hint(&n, "--").text, "; did you mean --broker?");
}

static void an_exit_code_tells_what_trying_again_can_mend(void **state) {
    (void)state;
    static const int want[][2] = {{PT_OK, 0},          {PT_E_USAGE, 2},        {PT_E_KAFKA_DOWN, 3},
                                  {PT_E_LAKE_DOWN, 3}, {PT_E_LAKE_BUSY, 3},    {PT_E_RESTART, 3},
                                  {PT_E_KAFKA, 1},     {PT_E_LAKE, 1},         {PT_E_DATA, 1},
                                  {PT_E_FENCED, 1},    {PT_E_INTERRUPTED, 1},  {PT_E_IO, 1},
                                  {PT_E_NOMEM, 1},     {PT_E_READER_GONE, 141}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_int_equal(pt_exit_code(want[i][0]), want[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_fingers_is_seen),
        cmocka_unit_test(another_word_is_not_suggested),
        cmocka_unit_test(the_hint_is_empty_or_a_question),
        cmocka_unit_test(an_exit_code_tells_what_trying_again_can_mend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
