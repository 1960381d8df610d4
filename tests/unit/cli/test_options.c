#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/options.h"

typedef struct args {
    bool flag;
    const char *text;
    pt_string_list list;
    uint64_t count, size;
    int64_t duration;
    double real;
    int choice;
} args;

static const pt_option table[] = {
    {"flag", 'f', PT_OPT_FLAG, offsetof(args, flag), "", "a flag", .key = PT_NO_KEY},
    {"text", 't', PT_OPT_STRING, offsetof(args, text), "TEXT", "a text", .key = PT_NO_KEY},
    {"list", 'X', PT_OPT_LIST, offsetof(args, list), "ITEM", "a list", .key = PT_NO_KEY},
    {"flush-rows", 0, PT_OPT_COUNT, offsetof(args, count), "N", "a count", .key = PT_NO_KEY},
    {"size", 0, PT_OPT_SIZE, offsetof(args, size), "SIZE", "a size", .key = PT_NO_KEY},
    {"every", 0, PT_OPT_DURATION, offsetof(args, duration), "DUR", "a duration", .key = PT_NO_KEY},
    {"rate", 0, PT_OPT_REAL, offsetof(args, real), "N", "a number", .key = PT_NO_KEY},
    {"choice", 0, PT_OPT_CHOICE, offsetof(args, choice), "one|two|three", "a choice",
     .key = PT_NO_KEY},
};
static const pt_command command = {.name = "try",
                                   .summary = "s",
                                   .usage = "u",
                                   .options = table,
                                   .n_options = sizeof table / sizeof *table};

static int parse(args *a, pt_string_list *files, bool *given, pt_error *err, int argc,
                 const char **argv) {
    pt_parsed parsed;
    return pt_options_parse(&command, argc, (char **)(uintptr_t)argv, a, files, given, &parsed,
                            err);
}

#define PARSE(...)                                                              \
    parse(&a, &files, given, &err,                                              \
          (int)(sizeof((const char *[]){"try", __VA_ARGS__}) / sizeof(char *)), \
          (const char *[]){"try", __VA_ARGS__})
#define SETUP                        \
    args a = {0};                    \
    pt_string_list files = {.n = 0}; \
    bool given[8] = {false};         \
    pt_error err = {0};              \
    (void)state

static void every_form_of_an_option_is_understood(void **state) {
    SETUP;
    assert_int_equal(PARSE("-f", "--text", "a b", "--size=64MiB", "-Xp=1", "-X", "q=2", "--every",
                           "200ms", "--rate=0.5", "--choice", "three", "--flush-rows", "7"),
                     PT_OK);
    assert_true(a.flag);
    assert_string_equal(a.text, "a b");
    assert_int_equal(a.size, 67108864);
    assert_int_equal(a.list.n, 2);
    assert_string_equal(a.list.items[0], "p=1");
    assert_string_equal(a.list.items[1], "q=2");
    assert_int_equal(a.duration, 200000);
    assert_true(a.real == 0.5);
    assert_int_equal(a.choice, 2);
    assert_int_equal(a.count, 7);
    assert_true(given[3]);
    assert_int_equal(files.n, 0);
}

static void what_is_no_option_is_a_file(void **state) {
    SETUP;
    assert_int_equal(PARSE("x.sql", "-f", "-", "--", "--text"), PT_OK);
    assert_int_equal(files.n, 3);
    assert_string_equal(files.items[1], "-");
    assert_string_equal(files.items[2], "--text");
    assert_null(a.text);
}

static void a_letter_may_have_two_dashes(void **state) {
    SETUP;
    assert_int_equal(PARSE("--X", "p=1", "--X=q=2"), PT_OK);
    assert_int_equal(a.list.n, 2);
    assert_string_equal(a.list.items[1], "q=2");
}

static void a_mistyped_option_gets_a_suggestion(void **state) {
    SETUP;
    assert_int_equal(PARSE("--flush-row", "7"), PT_E_USAGE);
    assert_non_null(strstr(err.text, "did you mean --flush-rows"));
    assert_int_equal(PARSE("--nothing-like-it"), PT_E_USAGE);
    assert_non_null(strstr(err.text, "--nothing-like-it"));
    assert_int_equal(PARSE("-z"), PT_E_USAGE);
}

static void a_bad_value_names_its_option(void **state) {
    SETUP;
    assert_int_equal(PARSE("--size", "big"), PT_E_USAGE);
    assert_non_null(strstr(err.text, "--size"));
    assert_int_equal(PARSE("--choice", "four"), PT_E_USAGE);
    assert_non_null(strstr(err.text, "one|two|three"));
    assert_int_equal(PARSE("--rate", "-1"), PT_E_USAGE);
    assert_int_equal(PARSE("--rate", "nan"), PT_E_USAGE);
    assert_int_equal(PARSE("--text"), PT_E_USAGE);
    assert_non_null(strstr(err.text, "needs a value"));
    assert_int_equal(PARSE("--flag=yes"), PT_E_USAGE);
}

static void a_stray_argument_is_refused_where_no_files_are_taken(void **state) {
    args a = {0};
    pt_error err = {0};
    pt_parsed parsed;
    (void)state;
    const char *argv[] = {"try", "stray"};
    assert_int_equal(pt_options_parse(&command, 2, (char **)(uintptr_t)argv, &a, NULL, NULL,
                                      &parsed, &err),
                     PT_E_USAGE);
    assert_non_null(strstr(err.text, "stray"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_option_is_understood),
        cmocka_unit_test(what_is_no_option_is_a_file),
        cmocka_unit_test(a_letter_may_have_two_dashes),
        cmocka_unit_test(a_mistyped_option_gets_a_suggestion),
        cmocka_unit_test(a_bad_value_names_its_option),
        cmocka_unit_test(a_stray_argument_is_refused_where_no_files_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
