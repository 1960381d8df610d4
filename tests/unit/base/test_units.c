#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/units.h"

static void sizes_are_powers_of_1000_or_1024_by_their_unit(void **state) {
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"4096", 4096},   {"64MiB", 67108864}, {"10MB", 10000000}, {"1 GiB", 1073741824},
                 {"1.5KiB", 1536}, {"2k", 2048},        {"0", 0},           {"7b", 7}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t bytes = 1;
        assert_int_equal(pt_parse_size(cases[i].text, &bytes, NULL), PT_OK);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void bad_sizes_are_refused_with_an_example(void **state) {
    static const char *const cases[] = {"",    "MiB",  "-1",
                                        "1e6", "0x10", "10 apples",
                                        "1.",  ".5MB", "99999999999999999999GiB",
                                        "nan", " 5"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t bytes;
        pt_error err = {0};
        assert_int_equal(pt_parse_size(cases[i], &bytes, &err), PT_E_USAGE);
        assert_non_null(strstr(err.text, "64MiB"));
    }
}

static void durations_need_a_unit(void **state) {
    int64_t us = 0;
    pt_error err = {0};
    (void)state;
    assert_int_equal(pt_parse_duration("200ms", &us, NULL), PT_OK);
    assert_int_equal(us, 200000);
    assert_int_equal(pt_parse_duration("1.5s", &us, NULL), PT_OK);
    assert_int_equal(us, 1500000);
    assert_int_equal(pt_parse_duration("5m", &us, NULL), PT_OK);
    assert_int_equal(us, 300000000);
    assert_int_equal(pt_parse_duration("10", &us, &err), PT_E_USAGE);
    assert_non_null(strstr(err.text, "10s"));
}

static void counts_are_whole_and_bounded(void **state) {
    uint64_t n = 0;
    (void)state;
    assert_int_equal(pt_parse_count("1_000_000", &n, NULL), PT_OK);
    assert_int_equal(n, 1000000);
    assert_int_equal(pt_parse_count("18446744073709551615", &n, NULL), PT_OK);
    assert_true(n == UINT64_MAX);
    assert_int_equal(pt_parse_count("18446744073709551616", &n, NULL), PT_E_USAGE);
    assert_int_equal(pt_parse_count("_1", &n, NULL), PT_E_USAGE);
    assert_int_equal(pt_parse_count("1.0", &n, NULL), PT_E_USAGE);
    assert_int_equal(pt_parse_count("", &n, NULL), PT_E_USAGE);
}

static void a_flag_is_true_or_false_and_nothing_else(void **state) {
    bool flag = false;
    pt_error err = {0};
    (void)state;
    assert_int_equal(pt_parse_flag("true", &flag, NULL), PT_OK);
    assert_true(flag);
    assert_int_equal(pt_parse_flag("false", &flag, NULL), PT_OK);
    assert_false(flag);
    assert_int_equal(pt_parse_flag("yes", &flag, &err), PT_E_USAGE);
    assert_non_null(strstr(err.text, "yes"));
}

static void a_time_needs_its_zone_and_has_to_exist(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"2026-11-29T15:30:00Z", 1795966200000000},
                {"2026-11-29t16:30:00.5+01:00", 1795966200500000},
                {"2024-02-29 23:59:59.999999-00:30", 1709252999999999},
                {"2026-11-29T15:30:00.1234567Z", 1795966200123456}};
    static const char *const bad[] = {"2026-11-29T15:30:00",
                                      "2026-11-29",
                                      "2026-02-29T00:00:00Z",
                                      "2026-11-29T24:00:00Z",
                                      "2026-11-29T15:30Z",
                                      "2026-11-29T15:30:00+1",
                                      "2026-11-29T15:30:00Zx",
                                      "2026-11-29T15:30:00.Z",
                                      "1969-12-31T23:59:59Z",
                                      "",
                                      "now"};
    int64_t us;
    pt_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(pt_parse_time(good[i].text, &us, &err), PT_OK);
        assert_int_equal(us, good[i].us);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(pt_parse_time(bad[i], &us, &err), PT_E_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_1000_or_1024_by_their_unit),
        cmocka_unit_test(bad_sizes_are_refused_with_an_example),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(counts_are_whole_and_bounded),
        cmocka_unit_test(a_flag_is_true_or_false_and_nothing_else),
        cmocka_unit_test(a_time_needs_its_zone_and_has_to_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
