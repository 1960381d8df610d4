#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lake/table_name.h"

static void a_name_is_split_into_schema_and_table(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"t", "main", "t"},        {"s.t", "s", "t"},         {"\"a.b\"", "main", "a.b"},
        {"a.\"b.c\"", "a", "b.c"}, {"\"a.b\".c", "a.b", "c"}, {"\"a\"\"b\"", "main", "a\"b"},
        {"\"s\".\"t\"", "s", "t"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *schema = NULL, *name = NULL;
        pt_error err = {0};
        assert_int_equal(pt_table_name_split(cases[i][0], &schema, &name, &err), PT_OK);
        assert_string_equal(schema, cases[i][1]);
        assert_string_equal(name, cases[i][2]);
        free(schema);
        free(name);
    }
}

static void what_is_no_name_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",     ".",    "t.",     ".t",        "a.b.c",           "\"t",
        "\"\"", "a\"b", "\"a\"b", "pintail.t", "PINTAIL.offsets", "\"a\".\"b\".\"c\""};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *schema = NULL, *name = NULL;
        pt_error err = {0};
        assert_int_equal(pt_table_name_split(cases[i], &schema, &name, &err), PT_E_USAGE);
        free(schema);
        free(name);
    }
}

static void names_of_one_table_are_the_same(void **state) {
    (void)state;
    static const char *const same[] = {"t", "T", "main.t", "\"t\"", "MAIN.\"T\""};
    static const char *const others[] = {"s.t", "u", "\"main.t\"", "t.main", "pintail.t"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
            assert_true(pt_table_name_same(same[i], same[k]));
        }
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            assert_false(pt_table_name_same(same[i], others[k]));
            assert_false(pt_table_name_same(others[k], same[i]));
        }
    }
}

static void the_group_is_of_the_table(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"t", "pintail-t"},
        {"main.t", "pintail-t"},
        {"\"t\"", "pintail-t"},
        {"Main.\"a.b\"", "pintail-a.b"},
        {"s.t", "pintail-s.t"},
        {"\"s\".t", "pintail-s.t"},
        {"\"a.b\".c", "pintail-\"a.b\".c"},
        {"s.\"b\"\"c\"", "pintail-s.\"b\"\"c\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *group = NULL;
        pt_error err = {0};
        assert_int_equal(pt_table_name_group(cases[i][0], &group, &err), PT_OK);
        assert_string_equal(group, cases[i][1]);
        free(group);
    }
}

static void the_lake_itself_is_no_schema(void **state) {
    (void)state;
    pt_error err = {0};
    assert_int_equal(pt_table_name_refuse_alias("Lake.t", "lake", &err), PT_E_USAGE);
    assert_int_equal(pt_table_name_refuse_alias("lakes.t", "lake", &err), PT_OK);
    assert_int_equal(pt_table_name_refuse_alias("lake", "lake", &err), PT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_split_into_schema_and_table),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(names_of_one_table_are_the_same),
        cmocka_unit_test(the_group_is_of_the_table),
        cmocka_unit_test(the_lake_itself_is_no_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
