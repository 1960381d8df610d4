/* An error carries what steers apart from what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

static void a_reason_is_kept_when_words_are_put_before(void **state) {
    (void)state;
    pt_error err;
    assert_int_equal(pt_fail_why(&err, PT_E_LAKE, PT_WHY_NO_LAKE, "no lake at %s", "x"), PT_E_LAKE);
    assert_int_equal(pt_fail_in(&err, "table %d", 1), PT_E_LAKE);
    assert_string_equal(err.text, "table 1: no lake at x");
    assert_true(pt_error_is(&err, PT_WHY_NO_LAKE));
    assert_false(pt_error_is(&err, PT_WHY_CATALOG_RACED));
}

static void a_new_failure_has_no_reason_of_the_old_one(void **state) {
    (void)state;
    pt_error err;
    (void)pt_fail_why(&err, PT_E_LAKE, PT_WHY_NO_LAKE, "no lake");
    (void)pt_fail(&err, PT_E_IO, "something else");
    assert_int_equal(err.why, PT_WHY_NONE);
    (void)pt_fail_why(&err, PT_E_LAKE, PT_WHY_NO_LAKE, "no lake");
    (void)pt_fail_nomem(&err, "a thing");
    assert_int_equal(err.why, PT_WHY_NONE);
}

static void two_reasons_hold_at_once(void **state) {
    (void)state;
    pt_error err;
    (void)pt_fail_why(&err, PT_E_LAKE, PT_WHY_NO_RECORD, "permission denied");
    pt_error_because(&err, PT_WHY_OUTCOME_UNKNOWN);
    pt_error_because(&err, PT_WHY_NONE);
    assert_true(pt_error_is(&err, PT_WHY_OUTCOME_UNKNOWN));
    assert_true(pt_error_is(&err, PT_WHY_NO_RECORD));
    assert_true(pt_error_is(&err, PT_WHY_NO_RECORD | PT_WHY_NO_FILE));
    pt_error copy = err;
    assert_true(pt_error_is(&copy, PT_WHY_OUTCOME_UNKNOWN));
}

static void nobody_has_to_want_an_error(void **state) {
    (void)state;
    assert_int_equal(pt_fail_why(NULL, PT_E_LAKE, PT_WHY_NO_LAKE, "x"), PT_E_LAKE);
    pt_error_because(NULL, PT_WHY_NO_LAKE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_is_kept_when_words_are_put_before),
        cmocka_unit_test(a_new_failure_has_no_reason_of_the_old_one),
        cmocka_unit_test(two_reasons_hold_at_once),
        cmocka_unit_test(nobody_has_to_want_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
