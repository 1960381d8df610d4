/* Counters outlive the members, and everything that shows them comes from one table. */
#include "counting_catalog.h"

#include <ctype.h>
#include <stdio.h>

static void counters_never_go_backwards_from_one_member_to_the_next(void **state) {
    (void)state;
    pt_stats stats = {0};
    uint64_t before[PT_COUNTERS_N] = {0};
    for (unsigned member = 1; member <= 2; member++) {
        world w = {.catalog.refuses = -1, .shared = &stats};
        w.catalog.commits[0] = (answer){PT_TRY_AGAIN, PT_E_LAKE_BUSY};
        start(&w);
        assert_true(flush(&w, 5));
        w.catalog.base.conflicts = 0; /* a catalog's own count begins again */
        stop(&w);
        for (int i = 0; i < PT_COUNTERS_N; i++) {
            assert_true(pt_stats_get(&stats, (pt_counter)i) >= before[i]);
            before[i] = pt_stats_get(&stats, (pt_counter)i);
        }
        assert_int_equal(pt_stats_get(&stats, PT_COUNT_ROWS), 5 * member);
        assert_int_equal(pt_stats_get(&stats, PT_COUNT_COMMITS), member);
        assert_int_equal(pt_stats_get(&stats, PT_COUNT_CLAIMS), member);
    }
}

/* A second reader beside the progress line: a page of metrics. */
static size_t render(const pt_stats *stats, char *out, size_t size) {
    size_t at = 0;
    for (int i = 0; i < PT_COUNTERS_N; i++) {
        const pt_counter_info *info = &pt_counter_infos[i];
        at += (size_t)snprintf(out + at, size - at, "# %s (%s)\n%s_total %llu\n", info->help,
                               info->unit, info->name,
                               (unsigned long long)pt_stats_get(stats, (pt_counter)i));
    }
    return at;
}

static void a_page_of_metrics_is_made_of_the_table_alone(void **state) {
    (void)state;
    char page[8192];
    pt_stats stats = {0};
    pt_stats_add(&stats, PT_COUNT_ROWS, 3);
    pt_stats_add(&stats, PT_COUNT_ROWS, 4);
    pt_stats_add(&stats, PT_COUNT_MEMBERS, 1);
    assert_true(render(&stats, page, sizeof page) < sizeof page);
    assert_non_null(strstr(page, "\nrows_total 7\n"));
    assert_non_null(strstr(page, "\nmembers_total 1\n"));
    assert_non_null(strstr(page, "\ncommits_total 0\n"));
}

static void every_counter_has_a_name_of_its_own_a_unit_and_a_sentence(void **state) {
    (void)state;
    for (int i = 0; i < PT_COUNTERS_N; i++) {
        const pt_counter_info *info = &pt_counter_infos[i];
        assert_true(*info->name && *info->unit && strlen(info->help) > 10);
        for (const char *p = info->name; *p; p++) {
            assert_true(islower((unsigned char)*p) || *p == '_');
        }
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(info->name, pt_counter_infos[k].name);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_never_go_backwards_from_one_member_to_the_next),
        cmocka_unit_test(a_page_of_metrics_is_made_of_the_table_alone),
        cmocka_unit_test(every_counter_has_a_name_of_its_own_a_unit_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
