/* Which kind of catalog gets an implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lake/catalog.h"

static int check(const char *lake, pt_error *err) {
    return pt_catalog_check(&(pt_lake_options){.lake = lake}, err);
}

static void a_kind_with_an_implementation_is_opened_by_it(void **state) {
    static const char *const lakes[] = {"ducklake:a.ducklake", "ducklake:duckdb:a.ducklake",
                                        "ducklake:sqlite:a.sqlite", "ducklake:postgres:dbname=a",
                                        "ducklake:postgresql:dbname=a"};
    pt_error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lakes / sizeof *lakes; i++) {
        assert_int_equal(check(lakes[i], &err), PT_OK);
    }
}

/* Also without the check before: nothing is attached, and nothing is made. */
static void a_kind_without_one_is_refused_by_every_way_in(void **state) {
    const pt_lake_options options = {.lake = "ducklake:mysql:db=a host=127.0.0.1 port=1",
                                     .create = true};
    pt_catalog *catalog = (pt_catalog *)&options;
    bool there = true;
    (void)state;
    for (int way = 0; way < 3; way++) {
        pt_error err = {0};
        int code = way == 0   ? pt_catalog_check(&options, &err)
                   : way == 1 ? pt_catalog_look(&options, &there, &err)
                              : pt_catalog_open(&options, "g", "me", &catalog, &err);
        assert_int_equal(code, PT_E_USAGE);
        assert_non_null(strstr(err.text, "nothing can be written into a lake on MySQL or MariaDB"));
    }
    assert_false(there);
    assert_null(catalog);
}

static void a_text_that_names_no_lake_is_wrong_usage(void **state) {
    pt_error err = {0};
    (void)state;
    assert_int_equal(check("lake.ducklake", &err), PT_E_USAGE);
    assert_int_equal(check("ducklake:sqlite:", &err), PT_E_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_with_an_implementation_is_opened_by_it),
        cmocka_unit_test(a_kind_without_one_is_refused_by_every_way_in),
        cmocka_unit_test(a_text_that_names_no_lake_is_wrong_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
