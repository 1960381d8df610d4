#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lake/table_make.h"

static int check(const char *table, const char *column, pt_catalog_kind catalog, bool inlining) {
    char schema[600];
    pt_error err;
    (void)snprintf(schema, sizeof schema, "k INTEGER, \"%s\" INTEGER", column);
    return pt_table_check_names(table, schema, catalog, inlining, &err);
}

static const pt_catalog_kind catalogs[] = {PT_CATALOG_DUCKDB, PT_CATALOG_SQLITE,
                                           PT_CATALOG_POSTGRES};

/* Tried with DuckLake 1.0 on each catalog. */
static void names_are_refused_just_where_the_catalog_does_not_take_them(void **state) {
    (void)state;
    static const char *const ducklakes[] = {"row_id", "begin_snapshot", "end_snapshot", "Row_Id"};
    static const char *const postgres[] = {"xmin", "xmax",     "cmin", "cmax",
                                           "ctid", "tableoid", "XMIN", "Ctid"};
    static const char *const good[] = {"rowid",       "oid", "select", "filename",
                                       "snapshot_id", "x.y", "ctid ",  "ducklake_x"};
    for (size_t c = 0; c < 3; c++) {
        for (int inlining = 0; inlining < 2; inlining++) {
            assert_int_equal(check("t", "_ducklake_x", catalogs[c], inlining), PT_E_USAGE);
            assert_int_equal(check("t", "_DuckLake_Row_Id", catalogs[c], inlining), PT_E_USAGE);
            for (size_t i = 0; i < sizeof ducklakes / sizeof *ducklakes; i++) {
                assert_int_equal(check("t", ducklakes[i], catalogs[c], inlining),
                                 inlining ? PT_E_USAGE : PT_OK);
            }
            for (size_t i = 0; i < sizeof postgres / sizeof *postgres; i++) {
                assert_int_equal(check("t", postgres[i], catalogs[c], inlining),
                                 inlining && catalogs[c] == PT_CATALOG_POSTGRES ? PT_E_USAGE
                                                                                : PT_OK);
            }
            for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
                assert_int_equal(check("t", good[i], catalogs[c], inlining), PT_OK);
            }
        }
    }
}

static void a_name_that_would_be_too_long_a_folder_is_refused(void **state) {
    (void)state;
    char name[300] = "";
    memset(name, 'x', 255);
    assert_int_equal(check(name, "a", PT_CATALOG_SQLITE, true), PT_OK);
    name[255] = 'x';
    assert_int_equal(check(name, "a", PT_CATALOG_SQLITE, true), PT_E_USAGE);
    name[10] = '!'; /* DuckLake gives such a table's folder another name */
    assert_int_equal(check(name, "a", PT_CATALOG_SQLITE, true), PT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_refused_just_where_the_catalog_does_not_take_them),
        cmocka_unit_test(a_name_that_would_be_too_long_a_folder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
