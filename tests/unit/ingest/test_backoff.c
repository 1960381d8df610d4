#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/backoff.h"

static void members_that_end_soon_are_waited_for_longer_and_longer_up_to_a_limit(void **state) {
    (void)state;
    static const int seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    pt_backoff p = {0};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        assert_int_equal(pt_backoff_after(&p, 59 * PT_SECOND), seconds[i] * PT_SECOND);
    }
}

static void after_a_good_member_the_wait_begins_anew(void **state) {
    (void)state;
    pt_backoff p = {0};
    for (int i = 0; i < 5; i++) {
        (void)pt_backoff_after(&p, 0);
    }
    assert_int_equal(pt_backoff_after(&p, PT_BACKOFF_GOOD), PT_SECOND);
    assert_int_equal(pt_backoff_after(&p, 0), 2 * PT_SECOND);
}

static void each_cause_doubles_up_to_its_limit_and_attempts_do_not_meet_again(void **state) {
    (void)state;
    assert_int_equal(pt_backoff_us(PT_BACKOFF_JOB_CONFLICT, 1), PT_SECOND);
    assert_int_equal(pt_backoff_us(PT_BACKOFF_JOB_CONFLICT, 1000), 256 * PT_SECOND);
    assert_int_equal(pt_backoff_us(PT_BACKOFF_JOB_FAILED, 2), 20 * PT_SECOND);
    assert_int_equal(pt_backoff_us(PT_BACKOFF_JOB_FAILED, 1000), 600 * PT_SECOND);
    int64_t first = pt_backoff_us(PT_BACKOFF_ATTEMPT, 1000);
    bool differs = false;
    for (unsigned i = 1; i < 100; i++) {
        int64_t wait = pt_backoff_us(PT_BACKOFF_ATTEMPT, i);
        assert_true(wait >= 1000 && wait <= PT_SECOND + 1000);
        differs |= pt_backoff_us(PT_BACKOFF_ATTEMPT, 1000) != first;
    }
    assert_true(differs);
    assert_true(pt_backoff_us(PT_BACKOFF_ATTEMPT, 1) <= PT_SECOND / 100 + 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_that_end_soon_are_waited_for_longer_and_longer_up_to_a_limit),
        cmocka_unit_test(each_cause_doubles_up_to_its_limit_and_attempts_do_not_meet_again),
        cmocka_unit_test(after_a_good_member_the_wait_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
