#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/backoff.h"

static void lives_that_end_soon_are_waited_for_longer_and_longer_up_to_a_limit(void **state) {
    (void)state;
    static const int seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    pt_backoff p = {0};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        assert_int_equal(pt_backoff_after(&p, 59 * PT_SECOND), seconds[i] * PT_SECOND);
    }
}

static void after_a_good_life_the_wait_begins_anew(void **state) {
    (void)state;
    pt_backoff p = {0};
    for (int i = 0; i < 5; i++) {
        (void)pt_backoff_after(&p, 0);
    }
    assert_int_equal(pt_backoff_after(&p, PT_BACKOFF_GOOD), PT_SECOND);
    assert_int_equal(pt_backoff_after(&p, 0), 2 * PT_SECOND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_that_end_soon_are_waited_for_longer_and_longer_up_to_a_limit),
        cmocka_unit_test(after_a_good_life_the_wait_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
