/* Columns that repeat few values are shown to DuckDB as codes: the file that it writes must be the
 * one that the strings would have given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duck/dictionary.h"
#include "duck/result.h"
#include "duck/scan.h"

#define ROWS 20000

enum {
    FEW,
    EMPTY,
    LONG,
    C255,
    C256,
    C257,
    C1000,
    C1001,
    NUL,
    ALL_NULL,
    ONE,
    HUGE,
    SCARCE,
    NUMBER,
    TEXTS,
    COLUMNS
};

static const char *const NAMES[COLUMNS] = {"few",  "empty", "long",   "c255",   "c256",
                                           "c257", "c1000", "c1001",  "nul",    "all_null",
                                           "one",  "huge",  "scarce", "number", "texts"};
static const bool HAS_DICTIONARY[COLUMNS] = {
    [FEW] = true,  [EMPTY] = true, [LONG] = true, [C255] = true,  [C256] = true,
    [C257] = true, [C1000] = true, [ONE] = true,  [SCARCE] = true};

typedef struct fixture {
    char folder[64];
    pt_engine *engine;
    pt_session *session;
    pt_scan *scan;
    pt_dictionaries *dictionaries;
    pt_type types[COLUMNS];
    pt_rows *rows;
} fixture;

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static int set_up(void **state) {
    pt_error err = {0};
    fixture *f = calloc(1, sizeof *f);
    pt_lake_options options = {.load = PT_LOAD_NOTHING, .threads = 1};
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/pintail-dictionary-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    must(pt_engine_open(&options, &f->engine, &err), &err);
    must(pt_session_open(f->engine, &f->session, &err), &err);
    must(pt_scan_new(f->session, &f->scan, &err), &err);
    f->dictionaries = pt_dictionaries_new();
    assert_non_null(f->dictionaries);
    for (int i = 0; i < COLUMNS; i++) {
        must(pt_type_parse(i == NUMBER  ? "INTEGER"
                           : i == TEXTS ? "VARCHAR[]"
                                        : "VARCHAR",
                           &f->types[i], &err),
             &err);
    }
    must(pt_rows_new(f->types, COLUMNS, &f->rows, &err), &err);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char command[128];
    pt_rows_free(&f->rows);
    for (int i = 0; i < COLUMNS; i++) {
        pt_type_clear(&f->types[i]);
    }
    pt_session_close(&f->session);
    pt_engine_close(&f->engine);
    pt_scan_free(&f->scan);
    pt_dictionaries_free(&f->dictionaries);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int ignored = system(command);
    (void)ignored;
    free(f);
    return 0;
}

static void put(fixture *f, size_t column, const char *text, size_t len) {
    pt_error err = {0};
    must(pt_rows_string(f->rows, column, text, len, &err), &err);
}

static void put_number(fixture *f, size_t column, int n) {
    char text[32];
    put(f, column, text, (size_t)snprintf(text, sizeof text, "v%d", n));
}

static void fill(fixture *f, unsigned seed) {
    static const char *const few[] = {"North",
                                      "South",
                                      "a text of more than twelve bytes",
                                      "a text of more than twelve bytEs",
                                      "Ünïcode",
                                      "twelve bytes",
                                      "thirteen byte"};
    static char huge[300];
    memset(huge, 'h', sizeof huge);
    for (int i = 0; i < ROWS; i++) {
        pt_error err = {0};
        char text[256];
        unsigned r = (unsigned)rand_r(&seed);
        must(pt_rows_open(f->rows, &err), &err);
        put(f, FEW, few[r % 7], strlen(few[r % 7]));
        put(f, EMPTY, "x", r % 2);
        put(f, LONG, text, (size_t)snprintf(text, sizeof text, "%0*u", 20 + (int)(r % 30), r % 30));
        put_number(f, C255, i % 255);
        put_number(f, C256, i % 256);
        put_number(f, C257, i % 257);
        put_number(f, C1000, i % 1000);
        put_number(f, C1001, i % 1001);
        put(f, NUL, "a\0b", i == ROWS - 1 ? 3 : 1);
        pt_rows_null(f->rows, ALL_NULL);
        put(f, ONE, "one", 3);
        put(f, HUGE, huge, i == ROWS / 2 ? sizeof huge : 2);
        put_number(f, SCARCE, (int)(r % 3));
        ((int32_t *)pt_rows_data(f->rows, NUMBER))[pt_rows_at(f->rows)] = i;
        pt_rows_null(f->rows, TEXTS);
        if (r % 5 == 0) {
            pt_rows_null(f->rows, FEW);
        }
        if (r % 97) {
            pt_rows_null(f->rows, SCARCE);
        }
        pt_rows_commit(f->rows);
    }
}

static void write_file(fixture *f, const char *name, const pt_dictionaries *dictionaries) {
    pt_error err = {0};
    pt_scan_show_coded(f->scan, 0, f->rows, f->types, NAMES, dictionaries);
    must(pt_session_runf(f->session, &err,
                         "COPY (FROM pintail_rows(0)) TO '%s/%s' (FORMAT parquet, PARQUET_VERSION "
                         "v2, DICTIONARY_SIZE_LIMIT 1000, ROW_GROUP_SIZE 8192)",
                         f->folder, name),
         &err);
}

static int64_t number(fixture *f, const char *format, ...) {
    pt_error err = {0};
    char sql[1024];
    int64_t n = -1;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    must(pt_session_int(f->session, sql, &n, &err), &err);
    return n;
}

static void only_columns_of_few_values_have_one(void **state) {
    fixture *f = *state;
    pt_rows_reset(f->rows, 0);
    fill(f, 1);
    pt_dictionaries_make(f->dictionaries, f->rows, f->types);
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t n = 0;
        const char *const *values = pt_dictionary_values(f->dictionaries, i, &n);
        if ((values != NULL) != HAS_DICTIONARY[i]) {
            fail_msg("column %s has %s dictionary", NAMES[i], values ? "a" : "no");
        }
    }
    size_t n;
    assert_non_null(pt_dictionary_values(f->dictionaries, FEW, &n));
    assert_int_equal(n, 7);
    assert_non_null(pt_dictionary_values(f->dictionaries, C1000, &n));
    assert_int_equal(n, 1000);
    assert_string_equal(pt_dictionary_values(f->dictionaries, ONE, &n)[0], "one");
}

static void a_file_of_codes_is_the_file_of_the_strings(void **state) {
    fixture *f = *state;
    const char *d = f->folder;
    for (unsigned seed = 1; seed <= 3; seed++) { /* dictionaries are used again */
        pt_rows_reset(f->rows, 0);
        fill(f, seed);
        pt_dictionaries_make(f->dictionaries, f->rows, f->types);
        write_file(f, "codes.parquet", f->dictionaries);
        write_file(f, "strings.parquet", NULL);
        assert_int_equal(number(f, "SELECT count(*) FROM '%s/codes.parquet'", d), ROWS);
        assert_int_equal(number(f,
                                "SELECT count(*) FROM (FROM '%s/codes.parquet' EXCEPT ALL FROM "
                                "'%s/strings.parquet')",
                                d, d),
                         0);
        assert_int_equal(
            number(f,
                   "SELECT count(*) FROM (SELECT name, type, converted_type, logical_type::VARCHAR "
                   "FROM parquet_schema('%s/codes.parquet') EXCEPT "
                   "SELECT name, type, converted_type, logical_type::VARCHAR FROM "
                   "parquet_schema('%s/strings.parquet'))",
                   d, d),
            0);
        assert_int_equal(
            number(f,
                   "SELECT count(*) FROM (SELECT path_in_schema, row_group_id, num_values, "
                   "stats_min_value, stats_max_value, stats_null_count FROM "
                   "parquet_metadata('%s/codes.parquet') "
                   "EXCEPT SELECT path_in_schema, row_group_id, num_values, stats_min_value, "
                   "stats_max_value, stats_null_count FROM parquet_metadata('%s/strings.parquet'))",
                   d, d),
            0);
    }
}

static void codes_take_a_bounded_part_of_the_memory(void **state) {
    (void)state;
    pt_error err = {0};
    pt_type types[40];
    pt_rows *rows;
    pt_dictionaries *d = pt_dictionaries_new();
    for (int i = 0; i < 40; i++) {
        types[i] = (pt_type){.id = PT_VARCHAR};
    }
    must(pt_rows_new(types, 40, &rows, &err), &err);
    for (size_t n = 0, with = 40; n < 400000; n++) {
        must(pt_rows_open(rows, &err), &err);
        for (size_t i = 0; i < 40; i++) {
            must(pt_rows_string(rows, i, "x", 1, &err), &err);
        }
        pt_rows_commit(rows);
        if (n == 100 || n == 399999) {
            size_t found = 0, values;
            pt_dictionaries_make(d, rows, types);
            for (size_t i = 0; i < 40; i++) {
                found += pt_dictionary_values(d, i, &values) != NULL;
            }
            assert_true(found <= PT_DICTIONARIES && found < with);
            assert_true(found * n * 2 <= PT_DICTIONARY_CODES);
            assert_true(found >= (n == 100 ? PT_DICTIONARIES : 20));
            with = found;
        }
    }
    pt_dictionaries_free(&d);
    pt_rows_free(&rows);
}

static void add_text(pt_rows *rows, const char *text) {
    pt_error err = {0};
    must(pt_rows_open(rows, &err), &err);
    must(pt_rows_string(rows, 0, text, strlen(text), &err), &err);
    pt_rows_commit(rows);
}

static void a_value_that_comes_later_has_a_code_or_fails_the_statement(void **state) {
    fixture *f = *state;
    static const char *const name = "text";
    const pt_type type = {.id = PT_VARCHAR};
    for (int late = 0; late < 3;
         late++) { /* no new value; one after the dictionary was made; one shortly before */
        pt_error err = {0};
        pt_rows *rows;
        size_t n;
        must(pt_rows_new(&type, 1, &rows, &err), &err);
        pt_rows_share(rows);
        for (int i = 0; i < 130000; i++) {
            add_text(rows, late == 2 && i == 100000 ? "new"
                           : i % 3                  ? "one"
                                                    : "a value of more than twelve bytes");
        }
        pt_dictionaries_make(f->dictionaries, rows, &type);
        assert_true((pt_dictionary_values(f->dictionaries, 0, &n) != NULL) == (late != 2));
        for (int i = 0; i < 1000; i++) {
            add_text(rows, late == 1 && i == 500 ? "new" : "one");
        }
        pt_rows_finish(rows, true);
        pt_scan_show_coded(f->scan, 1, rows, &type, &name, f->dictionaries);
        int code =
            pt_session_runf(f->session, &err,
                            "COPY (FROM pintail_rows(1)) TO '%s/late.parquet' (FORMAT parquet)",
                            f->folder);
        if (late == 1) {
            assert_int_not_equal(code, PT_OK);
            assert_true(pt_error_is(&err, PT_WHY_NEW_VALUE));
        } else {
            must(code, &err);
            assert_int_equal(number(f,
                                    "SELECT count(*) FILTER (text = 'one') * 10 + count(*) FILTER "
                                    "(text = 'new') FROM '%s/late.parquet'",
                                    f->folder),
                             late == 2 ? 876651 : 876660);
        }
        pt_rows_free(&rows);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_columns_of_few_values_have_one),
        cmocka_unit_test(a_file_of_codes_is_the_file_of_the_strings),
        cmocka_unit_test(a_value_that_comes_later_has_a_code_or_fails_the_statement),
        cmocka_unit_test(codes_take_a_bounded_part_of_the_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
