/* Results as box, CSV, JSON and Markdown, from cells made by hand. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/display.h"
#include "cli/result_format.h"

static const pt_result_column two[] = {{.name = "id", .type = "int32", .number = true, .raw = true},
                                       {.name = "name", .type = "varchar"}};

static pt_cell cell(const char *text) {
    return (pt_cell){.data = text, .len = text ? strlen(text) : 0};
}

/* What is printed for n rows of the columns; the cells row by row. */
static char *print(pt_writer_options o, const pt_result_column *columns, size_t n_columns,
                   const char *const *cells, size_t n_rows) {
    char *out = NULL;
    size_t size = 0;
    pt_writer *writer;
    pt_error err;
    o.out = open_memstream(&out, &size);
    o.utf8 = true;
    assert_int_equal(pt_writer_open(&o, columns, n_columns, &writer, &err), PT_OK);
    for (size_t r = 0; r < n_rows; r++) {
        pt_cell row[8];
        for (size_t c = 0; c < n_columns; c++) {
            row[c] = cell(cells[r * n_columns + c]);
        }
        assert_int_equal(pt_writer_row(writer, row, &err), PT_OK);
    }
    assert_int_equal(pt_writer_end(writer, &err), PT_OK);
    pt_writer_free(&writer);
    assert_null(writer);
    (void)fclose(o.out);
    return out;
}

static void expect(pt_format format, const pt_result_column *columns, size_t n_columns,
                   const char *const *cells, size_t n_rows, const char *text) {
    char *got = print((pt_writer_options){.format = format}, columns, n_columns, cells, n_rows);
    assert_string_equal(got, text);
    free(got);
}

static void a_box_aligns_numbers_right_and_counts_wide_characters(void **state) {
    (void)state;
    const char *const cells[] = {"1", "日本", "20", NULL, NULL, "e\xcc\x81t\n"};
    expect(PT_FORMAT_BOX, two, 2, cells, 3,
           "┌───────┬─────────┐\n"
           "│  id   │  name   │\n"
           "│ int32 │ varchar │\n"
           "├───────┼─────────┤\n"
           "│     1 │ 日本    │\n"
           "│    20 │ NULL    │\n"
           "│  NULL │ e\xcc\x81t\\n    │\n"
           "└───────┴─────────┘\n");
}

static void an_empty_box_says_so(void **state) {
    (void)state;
    expect(PT_FORMAT_BOX, two, 2, NULL, 0,
           "┌───────┬─────────┐\n"
           "│  id   │  name   │\n"
           "│ int32 │ varchar │\n"
           "└───────┴─────────┘\n"
           "  0 rows\n");
}

static void a_limited_box_shows_the_first_and_the_last_rows(void **state) {
    (void)state;
    static char numbers[1000][8];
    const char *cells[1000];
    const pt_result_column one[] = {{.name = "n", .number = true}};
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "%zu", i);
        cells[i] = numbers[i];
    }
    char *got = print((pt_writer_options){.max_rows = 5}, one, 1, cells, 1000);
    assert_string_equal(got,
                        "┌─────┐\n│  n  │\n├─────┤\n│   0 │\n│   1 │\n│   2 │\n│  ·  │\n│  ·  │\n│ "
                        " ·  │\n│ 998 │\n│ 999 │\n└─────┘\n  1000 rows (5 shown)  1 column\n");
    free(got);
    for (size_t max = 1; max < 12;
         max++) { /* the last row is there, and as many rows as asked for */
        for (size_t n = 1; n < 30; n++) {
            got = print((pt_writer_options){.max_rows = max}, one, 1, cells, n);
            size_t lines = 0;
            for (const char *p = got; *p; p++) {
                lines += *p == '\n';
            }
            bool cut = n > max;
            assert_int_equal(lines, 4 + (cut ? max + 4 : n + (n >= 20)));
            char last[32];
            (void)snprintf(last, sizeof last, " %zu │\n└", n - 1);
            assert_true(strstr(got, last) || max == 1);
            free(got);
        }
    }
}

static void a_narrow_terminal_cuts_cells_then_columns(void **state) {
    (void)state;
    const pt_result_column one[] = {{.name = "text"}};
    const char *const wide[] = {"0123456789012345678901234567890123456789"};
    char *got = print((pt_writer_options){.width = 20}, one, 1, wide, 1);
    assert_string_equal(got, "┌──────────────────┐\n│       text       │\n├──────────────────┤\n│ "
                             "012345678901234… │\n└──────────────────┘\n");
    free(got);
    const pt_result_column many[] = {{.name = "aaaaaaaa"},
                                     {.name = "bbbbbbbb"},
                                     {.name = "cccccccc"},
                                     {.name = "dddddddd"}};
    const char *const cells[] = {"1", "2", "3", "4"};
    got = print((pt_writer_options){.width = 30}, many, 4, cells, 1);
    assert_non_null(strstr(got, "│ 1        │ … │ 4        │\n"));
    assert_non_null(strstr(got, "  1 row  4 columns (2 shown)\n"));
    free(got);
}

static void a_long_box_is_not_held_in_memory(void **state) {
    (void)state;
    const pt_result_column one[] = {{.name = "n"}};
    pt_writer_options o = {.out = tmpfile(), .utf8 = true};
    pt_writer *writer;
    pt_error err;
    assert_non_null(o.out);
    assert_int_equal(pt_writer_open(&o, one, 1, &writer, &err), PT_OK);
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < 1000; i++) {
        pt_cell row = {.data = text, .len = sizeof text - 1};
        assert_int_equal(pt_writer_row(writer, &row, &err), PT_OK);
    }
    assert_true(ftell(o.out) > 50 * 1000 * 1000); /* printed before the end */
    assert_int_equal(pt_writer_end(writer, &err), PT_OK);
    pt_writer_free(&writer);
    (void)fclose(o.out);
}

static void control_characters_do_not_reach_the_terminal(void **state) {
    (void)state;
    pt_text shown = {0};
    const char *text = "a\x1b[2J\t\r\n\x7f\xc2\x9b"
                       "31m";
    pt_display_add(&shown, text, strlen(text));
    assert_string_equal(pt_text_get(&shown), "a\\x1b[2J\\t\\r\\n\\x7f\\x9b31m");
    pt_text_free(&shown);
}

static void csv_quotes_what_needs_it(void **state) {
    (void)state;
    const char *const cells[] = {"1",   "plain", NULL,         NULL, "3",          "",  "4",
                                 "a,b", "5",     "say \"hi\"", "6",  "two\nlines", "7", " x"};
    expect(PT_FORMAT_CSV, two, 2, cells, 7,
           "id,name\n1,plain\n,\n3,\"\"\n4,\"a,b\"\n5,\"say \"\"hi\"\"\"\n6,\"two\nlines\"\n7,\" "
           "x\"\n");
    expect(PT_FORMAT_CSV, two, 2, NULL, 0, "id,name\n");
}

static void json_is_an_array_of_objects(void **state) {
    (void)state;
    const char *const cells[] = {"1", "a\"\\\n\x01", NULL, NULL};
    expect(PT_FORMAT_JSON, two, 2, cells, 2,
           "[{\"id\":1,\"name\":\"a\\\"\\\\\\n\\u0001\"},\n{\"id\":null,\"name\":null}]\n");
    expect(PT_FORMAT_JSON, two, 2, NULL, 0, "[]\n");
}

static void json_numbers_that_json_has_not_become_texts(void **state) {
    (void)state;
    const pt_result_column raw[] = {{.name = "x", .raw = true}};
    const char *const cells[] = {"nan",  "-inf",
                                 "inf",  "[NaN,-Infinity,{\"NaN\":\"inf \\\" nan\"}]",
                                 "-nan", "-1.5",
                                 "true", "null"};
    expect(PT_FORMAT_JSON, raw, 1, cells, 8,
           "[{\"x\":\"NaN\"},\n{\"x\":\"-Infinity\"},\n{\"x\":\"Infinity\"},\n{\"x\":[\"NaN\",\"-"
           "Infinity\",{\"NaN\":\"inf \\\" nan\"}]},\n{\"x\":\"-NaN\"},\n"
           "{\"x\":-1.5},\n{\"x\":true},\n{\"x\":null}]\n");
}

static void json_keys_differ(void **state) {
    (void)state;
    const pt_result_column same[] = {{.name = "a"}, {.name = "a"}, {.name = "a_1"}, {.name = "a"}};
    const char *const cells[] = {"1", "2", "3", "4"};
    expect(PT_FORMAT_JSON, same, 4, cells, 1,
           "[{\"a\":\"1\",\"a_1\":\"2\",\"a_1_1\":\"3\",\"a_2\":\"4\"}]\n");
}

static void markdown_escapes_bars_and_line_breaks(void **state) {
    (void)state;
    const char *const cells[] = {"1", "a|b\nc", "2", NULL};
    expect(PT_FORMAT_MARKDOWN, two, 2, cells, 2,
           "| id | name |\n|---:|---|\n| 1 | a\\|b<br>c |\n| 2 | NULL |\n");
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    pt_writer_options o = {.format = PT_FORMAT_CSV, .out = fopen("/dev/full", "w")};
    pt_writer *writer;
    pt_error err;
    assert_non_null(o.out);
    assert_int_equal(pt_writer_open(&o, two, 2, &writer, &err), PT_OK);
    assert_int_equal(pt_writer_end(writer, &err), PT_E_IO);
    assert_non_null(strstr(err.text, "No space left"));
    pt_writer_free(&writer);
    (void)fclose(o.out);
}

static int set_up(void **state) {
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_aligns_numbers_right_and_counts_wide_characters),
        cmocka_unit_test(an_empty_box_says_so),
        cmocka_unit_test(a_limited_box_shows_the_first_and_the_last_rows),
        cmocka_unit_test(a_narrow_terminal_cuts_cells_then_columns),
        cmocka_unit_test(a_long_box_is_not_held_in_memory),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(csv_quotes_what_needs_it),
        cmocka_unit_test(json_is_an_array_of_objects),
        cmocka_unit_test(json_numbers_that_json_has_not_become_texts),
        cmocka_unit_test(json_keys_differ),
        cmocka_unit_test(markdown_escapes_bars_and_line_breaks),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
