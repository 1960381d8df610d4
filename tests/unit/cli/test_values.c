/* Where an option's value comes from: flag, variable, file, default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/names.h"
#include "cli/values.h"

/* A command with an option of each kind. The keys are ingest's: the file has no others. */
typedef struct args {
    bool flag;
    const char *text, *config;
    pt_string_list added, names, whole;
    uint64_t count, size;
    int64_t duration;
    double real;
    int choice, log_format;
} args;

#define AT(field_) offsetof(args, field_)

static const pt_option table[] = {
    {"flag", 'f', PT_OPT_FLAG, AT(flag), "", "a flag", .key = "key_column"},
    {"text", 't', PT_OPT_STRING, AT(text), "TEXT", "a text", .key = "group",
     .check = pt_check_group},
    {"added", 'X', PT_OPT_LIST, AT(added), "P=V", "pairs", .key = "kafka", .pairs = true,
     .adds = true},
    {"names", 0, PT_OPT_LIST, AT(names), "NAME", "names", .key = PT_NO_KEY, .list = PT_LIST_NAMES,
     .check = pt_check_topic},
    {"whole", 0, PT_OPT_LIST, AT(whole), "SQL", "statements", .key = "init_sql",
     .list = PT_LIST_WHOLE, .adds = true},
    {"count", 0, PT_OPT_COUNT, AT(count), "N", "a count", .key = "flush.rows",
     .check = pt_check_above_zero},
    {"size", 0, PT_OPT_SIZE, AT(size), "SIZE", "a size", .key = "flush.bytes"},
    {"every", 0, PT_OPT_DURATION, AT(duration), "DUR", "a duration", .key = "flush.interval"},
    {"rate", 0, PT_OPT_REAL, AT(real), "N", "a number", .key = "inline_rows"},
    {"choice", 0, PT_OPT_CHOICE, AT(choice), "fail|skip", "a choice", .key = "on_missing_data"},
    PT_CONFIG_OPTION(args, 'c', "a file"),
    PT_LOG_FORMAT_OPTION(args),
};
static const pt_command command = {.name = "try",
                                   .summary = "s",
                                   .usage = "u",
                                   .options = table,
                                   .n_options = sizeof table / sizeof *table};

typedef struct run {
    args a;
    pt_option_values values;
    pt_error err;
    char path[64];
} run;

static void set(const char *name, const char *value) {
    char variable[64];
    (void)snprintf(variable, sizeof variable, "PINTAIL_%s", name);
    assert_int_equal(value ? setenv(variable, value, 1) : unsetenv(variable), 0);
}

/* file NULL: none. What was there from an earlier run is cleared. */
static int take(run *r, const char *file, int argc, const char **argv) {
    pt_parsed parsed;
    pt_values_clear(&r->values);
    r->a = (args){.count = 7, .text = "default"};
    r->err = (pt_error){.code = PT_OK};
    if (file) {
        (void)snprintf(r->path, sizeof r->path, "/tmp/pintail-values-XXXXXX");
        int fd = mkstemp(r->path);
        assert_int_equal(write(fd, file, strlen(file)), (ssize_t)strlen(file));
        (void)close(fd);
        set("CONFIG", r->path);
    } else {
        set("CONFIG", NULL);
    }
    int code = pt_values_take(&command, argc, (char **)(uintptr_t)argv, &r->a, NULL, &r->values,
                              &parsed, &r->err);
    if (file) {
        (void)unlink(r->path);
    }
    return code;
}

/* TAKE(run, file, arguments...) */
#define TAKE(r, ...)                                                             \
    take_all((r), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
             (const char *[]){__VA_ARGS__})

static int take_all(run *r, int argc, const char **argv) {
    const char *file = argv[0];
    argv[0] = "try";
    return take(r, file, argc, argv);
}

static int clear_variables(void **state) {
    static const char *const names[] = {"FLAG", "TEXT",  "ADDED", "NAMES",  "WHOLE",  "COUNT",
                                        "SIZE", "EVERY", "RATE",  "CHOICE", "CONFIG", "LOG_FORMAT"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        set(names[i], NULL);
    }
    return 0;
}

#define FILE_ALL                                                                                 \
    "key_column: false\ngroup: of-file\ninline_rows: 3\non_missing_data: skip\nflush:\n  rows: " \
    "3\n  bytes: 3KiB\n  interval: 3s\nkafka: {p: file, q: file}\ninit_sql: [file one, file "    \
    "two]\n"

static void set_all(void) {
    set("FLAG", "true");
    set("TEXT", "of-variable");
    set("ADDED", "p=variable\nr=variable, too");
    set("NAMES", "a, b\nc");
    set("WHOLE", "variable one;\nvariable two");
    set("COUNT", "2");
    set("SIZE", "2KiB");
    set("EVERY", "2s");
    set("RATE", "2");
    set("CHOICE", "fail");
}

static void without_anything_the_default_stays(void **state) {
    run r = {0};
    (void)state;
    assert_int_equal(TAKE(&r, NULL), PT_OK);
    assert_int_equal(r.a.count, 7);
    assert_string_equal(r.a.text, "default");
    assert_false(pt_values_given(&r.values, "count"));
    assert_int_equal(pt_values_source(&r.values, "count"), PT_FROM_DEFAULT);
    pt_values_clear(&r.values);
}

static void the_file_goes_before_the_default(void **state) {
    run r = {0};
    (void)state;
    assert_int_equal(TAKE(&r, FILE_ALL), PT_OK);
    assert_false(r.a.flag);
    assert_string_equal(r.a.text, "of-file");
    assert_int_equal(r.a.count, 3);
    assert_int_equal(r.a.size, 3072);
    assert_int_equal(r.a.duration, 3000000);
    assert_true(r.a.real == 3);
    assert_int_equal(r.a.choice, 1);
    assert_int_equal(r.a.added.n, 2);
    assert_string_equal(r.a.added.items[1], "q=file");
    assert_int_equal(r.a.whole.n, 2);
    assert_string_equal(r.a.whole.items[0], "file one");
    assert_int_equal(pt_values_source(&r.values, "size"), PT_FROM_FILE);
    pt_values_clear(&r.values);
}

static void the_variable_goes_before_the_file(void **state) {
    run r = {0};
    (void)state;
    set_all();
    for (int with_file = 0; with_file < 2; with_file++) {
        assert_int_equal(TAKE(&r, with_file ? FILE_ALL : NULL), PT_OK);
        size_t n = with_file ? 2 : 0;
        assert_true(r.a.flag);
        assert_string_equal(r.a.text, "of-variable");
        assert_int_equal(r.a.count, 2);
        assert_int_equal(r.a.size, 2048);
        assert_int_equal(r.a.duration, 2000000);
        assert_true(r.a.real == 2);
        assert_int_equal(r.a.choice, 0);
        assert_int_equal(r.a.added.n, n + 2);
        assert_string_equal(r.a.added.items[n], "p=variable");
        assert_string_equal(r.a.added.items[n + 1], "r=variable, too");
        assert_int_equal(r.a.names.n, 3);
        assert_string_equal(r.a.names.items[1], "b");
        assert_int_equal(r.a.whole.n, n + 1);
        assert_string_equal(r.a.whole.items[n], "variable one;\nvariable two");
        assert_int_equal(pt_values_source(&r.values, "rate"), PT_FROM_VARIABLE);
    }
    pt_values_clear(&r.values);
}

static void the_flag_goes_before_the_variable(void **state) {
    run r = {0};
    (void)state;
    set_all();
    set("FLAG", "false");
    for (int with_file = 0; with_file < 2; with_file++) {
        assert_int_equal(TAKE(&r, with_file ? FILE_ALL : NULL, "-f", "--text", "of-flag", "-X",
                              "p=flag", "--names", "d", "--whole", "flag one", "--count", "1",
                              "--size", "1KiB", "--every", "1s", "--rate", "1", "--choice", "skip"),
                         PT_OK);
        size_t n = with_file ? 2 : 0;
        assert_true(r.a.flag);
        assert_string_equal(r.a.text, "of-flag");
        assert_int_equal(r.a.count, 1);
        assert_int_equal(r.a.size, 1024);
        assert_int_equal(r.a.duration, 1000000);
        assert_true(r.a.real == 1);
        assert_int_equal(r.a.choice, 1);
        assert_int_equal(r.a.added.n, n + 3); /* the last one wins */
        assert_string_equal(r.a.added.items[n + 2], "p=flag");
        assert_int_equal(r.a.names.n, 1);
        assert_string_equal(r.a.names.items[0], "d");
        assert_int_equal(r.a.whole.n, n + 2);
        assert_string_equal(r.a.whole.items[n + 1], "flag one");
        assert_int_equal(pt_values_source(&r.values, "choice"), PT_FROM_FLAG);
    }
    pt_values_clear(&r.values);
}

static void an_empty_variable_is_as_none(void **state) {
    run r = {0};
    (void)state;
    for (const char *const *name =
             (const char *const[]){"FLAG", "TEXT", "ADDED", "NAMES", "WHOLE", "COUNT", "SIZE",
                                   "EVERY", "RATE", "CHOICE", "LOG_FORMAT", NULL};
         *name; name++) {
        set(*name, "");
    }
    assert_int_equal(TAKE(&r, "flush: {rows: 5}\n"), PT_OK);
    assert_int_equal(r.a.count, 5);
    assert_string_equal(r.a.text, "default");
    assert_int_equal(r.a.names.n, 0);
    set("NAMES", "\n, ,\n");
    set("ADDED", "\n\n");
    assert_int_equal(TAKE(&r, NULL), PT_OK);
    assert_int_equal(r.a.names.n + r.a.added.n, 0);
    pt_values_clear(&r.values);
}

static void a_flag_takes_true_false_1_and_0_from_its_variable(void **state) {
    run r = {0};
    (void)state;
    static const struct {
        const char *text;
        int wanted;
    } cases[] = {{"true", 1}, {"1", 1}, {"false", 0}, {"0", 0}, {"yes", -1}, {"TRUE", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set("FLAG", cases[i].text);
        int code = TAKE(&r, "key_column: true\n");
        assert_int_equal(code == PT_OK ? r.a.flag : -1, cases[i].wanted);
    }
    pt_values_clear(&r.values);
}

static void variables_of_no_option_are_not_minded(void **state) {
    run r = {0};
    (void)state;
    set("NO_SUCH_OPTION", "x");
    set("FLUSH_ROWS", "nonsense"); /* an option of another command */
    assert_int_equal(TAKE(&r, NULL), PT_OK);
    set("NO_SUCH_OPTION", NULL);
    set("FLUSH_ROWS", NULL);
    pt_values_clear(&r.values);
}

/* Each kind of value, from each source. */
static void a_bad_value_is_told_with_where_it_came_from(void **state) {
    static const struct {
        const char *flag, *variable, *file, *bad, *word;
    } cases[] = {
        {"--count", "COUNT", "group: g\nflush:\n  rows: %s\n", "many", "many"},
        {"--count", "COUNT", "group: g\nflush:\n  rows: %s\n", "0", "more than 0"},
        {"--size", "SIZE", "group: g\nflush:\n  bytes: %s\n", "lots", "lots"},
        {"--every", "EVERY", "group: g\nflush:\n  interval: %s\n", "soon", "soon"},
        {"--rate", "RATE", "group: g\n\ninline_rows: %s\n", "-1", "-1"},
        {"--choice", "CHOICE", "group: g\n\non_missing_data: %s\n", "fial", "did you mean fail?"},
        {"--text", "TEXT", "brokers: b\n\ngroup: \"%s\"\n", "a\tb", "control character"},
        {NULL, "FLAG", "group: g\n\nkey_column: %s\n", "yes", "yes"},
        {"--names", "NAMES", NULL, "a b", "topic 'a b'"},
        {"--log-format", "LOG_FORMAT", "group: g\n\nlog_format: %s\n", "xml", "logfmt|json"},
    };
    run r = {0};
    char file[200], place[200];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)clear_variables(NULL);
        if (cases[i].flag) {
            (void)snprintf(place, sizeof place, "%s: ", cases[i].flag);
            assert_int_equal(TAKE(&r, NULL, cases[i].flag, cases[i].bad), PT_E_USAGE);
            assert_true(strncmp(r.err.text, place, strlen(place)) == 0);
            assert_non_null(strstr(r.err.text, cases[i].word));
        }
        if (cases[i].file) {
            (void)snprintf(file, sizeof file, cases[i].file, cases[i].bad);
            assert_int_equal(TAKE(&r, file), PT_E_USAGE);
            (void)snprintf(place, sizeof place, "config %s line 3: ", r.path);
            if (strncmp(r.err.text, place, strlen(place)) != 0 ||
                !strstr(r.err.text, cases[i].word)) {
                fail_msg("%s", r.err.text);
            }
        }
        set(cases[i].variable, cases[i].bad);
        (void)snprintf(place, sizeof place, "PINTAIL_%s: ", cases[i].variable);
        assert_int_equal(TAKE(&r, NULL), PT_E_USAGE);
        if (strncmp(r.err.text, place, strlen(place)) != 0 || !strstr(r.err.text, cases[i].word)) {
            fail_msg("%s", r.err.text);
        }
    }
    pt_values_clear(&r.values);
}

static void the_place_of_a_value_is_known_afterwards(void **state) {
    run r = {0};
    char place[200];
    (void)state;
    set("SIZE", "1");
    assert_int_equal(TAKE(&r, "group: g\nflush:\n  rows: 5\n", "--every", "1s"), PT_OK);
    (void)snprintf(place, sizeof place, "config %s line 3: flush.rows", r.path);
    assert_string_equal(pt_values_place(&r.values, "count").text, place);
    assert_string_equal(pt_values_place(&r.values, "size").text, "PINTAIL_SIZE");
    assert_string_equal(pt_values_place(&r.values, "every").text, "--every");
    assert_string_equal(pt_values_place(&r.values, "rate").text, "--rate");
    pt_values_clear(&r.values);
}

static void a_list_with_too_many_entries_is_refused_from_every_source(void **state) {
    char many[4 * PT_LIST_MAX + 64] = "";
    char file[12 * PT_LIST_MAX] = "init_sql: [";
    run r = {0};
    (void)state;
    for (size_t i = 0; i <= PT_LIST_MAX; i++) {
        (void)strcat(many, "t\n");
        (void)strcat(file, "SET x, ");
    }
    (void)strcat(file, "y]\n");
    assert_int_equal(TAKE(&r, file), PT_E_USAGE);
    assert_non_null(strstr(r.err.text, "init_sql"));
    set("NAMES", many);
    assert_int_equal(TAKE(&r, NULL), PT_E_USAGE);
    assert_non_null(strstr(r.err.text, "PINTAIL_NAMES: more than 256"));
    pt_values_clear(&r.values);
}

static void a_file_that_the_variable_names_and_is_not_there_is_told_with_it(void **state) {
    run r = {0};
    pt_parsed parsed;
    const char *argv[] = {"try"};
    (void)state;
    set("CONFIG", "/nonexistent/x.yaml");
    assert_int_equal(pt_values_take(&command, 1, (char **)(uintptr_t)argv, &r.a, NULL, &r.values,
                                    &parsed, &r.err),
                     PT_E_USAGE);
    assert_non_null(strstr(r.err.text, "PINTAIL_CONFIG: config /nonexistent/x.yaml: "));
    pt_values_clear(&r.values);
}

#define TEST(name_) cmocka_unit_test_setup(name_, clear_variables)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_anything_the_default_stays),
        TEST(the_file_goes_before_the_default),
        TEST(the_variable_goes_before_the_file),
        TEST(the_flag_goes_before_the_variable),
        TEST(an_empty_variable_is_as_none),
        TEST(a_flag_takes_true_false_1_and_0_from_its_variable),
        TEST(variables_of_no_option_are_not_minded),
        TEST(a_bad_value_is_told_with_where_it_came_from),
        TEST(the_place_of_a_value_is_known_afterwards),
        TEST(a_list_with_too_many_entries_is_refused_from_every_source),
        TEST(a_file_that_the_variable_names_and_is_not_there_is_told_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
