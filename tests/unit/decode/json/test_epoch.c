/* Numbers that are times: the years 1 to 9999 in the unit that was declared, whatever form the
 * number has and however deep it stands; beyond them the unit that would fit is named. The judge of
 * the year is DuckDB. */
#include <inttypes.h>

#include "decode/json/decode_testing.h"

#define FIRST_SECOND INT64_C(-62135596800) /* 0001-01-01 */
#define LAST_SECOND  INT64_C(253402300799) /* 9999-12-31 23:59:59 */

static const char *const units[] = {"s", "ms", "us", "ns"};
static const char *const types[] = {"TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_S", "TIMESTAMP_MS",
                                    "TIMESTAMP_NS"};
static const char *const shapes[][2] = {
    /* the type around it, the JSON around the number */
    {"%s EPOCH %s", "%s"},
    {"STRUCT(t %s EPOCH %s, n INTEGER)", "{\"t\":%s,\"n\":1}"},
    {"%s EPOCH %s[]", "[null,%s]"},
    {"STRUCT(n INTEGER, l STRUCT(t %s EPOCH %s)[])", "{\"l\":[{\"t\":%s}]}"},
    {"MAP(VARCHAR, %s EPOCH %s)", "{\"k\":%s}"},
    {"MAP(VARCHAR, %s[][] EPOCH %s)", "{\"k\":[[],[%s]]}"},
};

/* A number of seconds and so many zeros, in one of several forms. */
static void number_text(char *out, size_t size, int64_t whole, int unit, unsigned form) {
    if (form == 1) {
        (void)snprintf(out, size, "%" PRId64 "e%d", whole, unit * 3);
    } else {
        (void)snprintf(out, size, "%" PRId64 "%.*s%s", whole, whole ? unit * 3 : 0, "000000000",
                       form == 2 ? ".0" : "");
    }
}

static void one_number(const char *type, int unit, size_t shape, bool portable, const char *number,
                       bool fits, const char *named) {
    char column[128], schema[160], inner[128], json[192];
    (void)snprintf(column, sizeof column, shapes[shape][0], type, units[unit]);
    (void)snprintf(schema, sizeof schema, "a %s", column);
    (void)snprintf(inner, sizeof inner, shapes[shape][1], number);
    (void)snprintf(json, sizeof json, "{\"a\":%s}", inner);
    fixture f;
    fixture_open(&f, schema);
    if (portable) {
        pt_json_portable_only(f.decoder);
    }
    pt_decode_error e = decode_text(&f, json);
    if ((e.code == PT_DECODE_OK) != fits || (!fits && e.code != PT_DECODE_RANGE)) {
        fail_msg("%s <- %s: %s %s", schema, json, pt_decode_code_name(e.code), e.text);
    }
    if (!fits && (named ? !strstr(e.text, named) : strstr(e.text, "EPOCH") != NULL)) {
        fail_msg("%s <- %s: '%s' should name %s", schema, json, e.text, named ? named : "no unit");
    }
    if (fits) {
        char *row = last_row(&f);
        if (strstr(row, "(BC)") || strstr(row, "10000-")) {
            fail_msg("%s <- %s: %s", schema, json, row);
        }
        free(row);
    }
    fixture_close(&f);
}

static bool is_ns(const char *type) {
    return strcmp(type, "TIMESTAMP_NS") == 0;
}

static void a_number_outside_the_years_1_to_9999_is_refused_whatever_its_form_and_place(
    void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        bool fits;
    } cases[] = {{0, true},
                 {1790000000, true},
                 {-1, true},
                 {FIRST_SECOND, true},
                 {LAST_SECOND, true},
                 {FIRST_SECOND - 1, false},
                 {LAST_SECOND + 1, false}};
    char number[64];
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (int unit = 0; unit < 4; unit++) {
            for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
                bool narrow = is_ns(types[t]) &&
                              (cases[c].seconds == FIRST_SECOND ||
                               cases[c].seconds == LAST_SECOND); /* TIMESTAMP_NS ends before */
                for (unsigned form = 0; form < 3; form++) {
                    size_t shape = (c + form + (size_t)unit) % (sizeof shapes / sizeof *shapes);
                    number_text(number, sizeof number, cases[c].seconds, unit, form);
                    bool fits = cases[c].fits && !narrow;
                    /* in the next finer unit the number is a thousandth of the time, and in range
                     * again */
                    char named[64];
                    (void)snprintf(named, sizeof named, "declare %s EPOCH %s", types[t],
                                   units[unit < 3 ? unit + 1 : 3]);
                    one_number(types[t], unit, shape, form == 1, number, fits,
                               narrow     ? "declare TIMESTAMP"
                               : unit < 3 ? named
                                          : NULL);
                }
            }
        }
    }
}

static void every_shape_takes_its_unit_and_refuses_what_lies_beyond(void **state) {
    (void)state;
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
        for (int portable = 0; portable < 2; portable++) {
            one_number("TIMESTAMPTZ", 0, shape, portable, "1760000000", true, NULL);
            one_number("TIMESTAMPTZ", 1, shape, portable, "1760000000000", true, NULL);
            one_number("TIMESTAMPTZ", 0, shape, portable, "1760000000000", false,
                       "as EPOCH ms it is in 2025: declare TIMESTAMPTZ EPOCH ms");
            one_number("TIMESTAMPTZ", 0, shape, portable, "1760000000000000", false,
                       "as EPOCH us it is in 2025: declare TIMESTAMPTZ EPOCH us");
            one_number("TIMESTAMPTZ", 1, shape, portable, "1760000000000000.5", false,
                       "as EPOCH us it is in 2025");
            one_number("TIMESTAMPTZ", 0, shape, portable, "1760000000000000000", false,
                       "as EPOCH ns it is in 2025");
            one_number("TIMESTAMPTZ", 0, shape, portable, "-1760000000000", false,
                       "as EPOCH ms it is in 1914");
            one_number("TIMESTAMPTZ", 0, shape, portable, "1e300", false, NULL);
            one_number("TIMESTAMPTZ", 3, shape, portable, "1e21", false, NULL);
        }
    }
}

/* What rounds to the year 10000 would be there. */
static void fractions_at_the_ends_count_as_they_are_rounded(void **state) {
    (void)state;
    one_number("TIMESTAMP", 0, 0, false, "253402300799.9999994", true, NULL);
    one_number("TIMESTAMP", 0, 0, false, "253402300799.9999995", false, "EPOCH ms");
    one_number("TIMESTAMP", 1, 0, false, "253402300799999.9994", true, NULL);
    one_number("TIMESTAMP", 0, 0, false, "-62135596800.0000004", true, NULL);
    one_number("TIMESTAMP", 0, 0, false, "-62135596800.0000005", false, "EPOCH ms");
    one_number("TIMESTAMP", 0, 0, true, "25340230079999999999999999999999999999e-26", false,
               "EPOCH ms");
}

/* A program that writes a year writes what it means. */
static void text_may_lie_outside_of_these_years(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a TIMESTAMPTZ, b DATE");
    pt_decode_error e = decode_text(&f, "{\"a\":\"+57742-01-01T00:00:00Z\",\"b\":\"-0044-03-15\"}");
    assert_int_equal(e.code, PT_DECODE_OK);
    fixture_close(&f);
}

static void a_date_takes_no_number(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a DATE, l DATE[], m MAP(DATE, INTEGER)");
    assert_int_equal(decode_text(&f, "{\"a\":1760000000}").code, PT_DECODE_TYPE);
    assert_int_equal(decode_text(&f, "{\"l\":[19000]}").code, PT_DECODE_TYPE);
    assert_int_equal(decode_text(&f, "{\"a\":\"1760000000000\"}").code, PT_DECODE_FORMAT);
    assert_int_equal(decode_text(&f, "{\"m\":{\"1760000000\":1}}").code, PT_DECODE_FORMAT);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_number_outside_the_years_1_to_9999_is_refused_whatever_its_form_and_place),
        cmocka_unit_test(every_shape_takes_its_unit_and_refuses_what_lies_beyond),
        cmocka_unit_test(fractions_at_the_ends_count_as_they_are_rounded),
        cmocka_unit_test(text_may_lie_outside_of_these_years),
        cmocka_unit_test(a_date_takes_no_number),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
