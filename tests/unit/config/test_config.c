#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/values.h"
#include "config/config.h"
#include "config/load.h"

/* With the keys that --config takes; without topics only where they are not needed. */
static int load_with(const char *text, bool needs_topics, pt_config **out, pt_error *err) {
    pt_file_keys keys;
    pt_values_keys(&keys, needs_topics);
    char path[] = "/tmp/pintail-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    int code = pt_config_load(path, keys.keys, keys.n, out, err);
    (void)unlink(path);
    return code;
}

static int load(const char *text, pt_config **out, pt_error *err) {
    return load_with(text, true, out, err);
}

static void assert_value(const pt_config *c, const char *key, const char *text) {
    const char *there = pt_config_text(c, key);
    if (!there || strcmp(there, text) != 0) {
        fail_msg("%s: %s", key, there ? there : "not there");
    }
}

static void a_whole_file_is_read(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    int code = load("brokers: b:1\n"
                    "group: g\n"
                    "lake: ducklake:x\n"
                    "data_path: d/\n"
                    "init_sql: [\"SET a = 1\", \"SET b = 2\"]\n"
                    "flush: {rows: 200, bytes: 64MiB, interval: 10s}\n"
                    "kafka:\n"
                    "  fetch.wait.max.ms: 50\n"
                    "  sasl.password: \"a b\"\n"
                    "topics:\n"
                    "  - topic: orders\n"
                    "    table: t\n"
                    "    schema: \"a INTEGER, b VARCHAR\"\n"
                    "  - topic: clicks\n",
                    &c, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, PT_OK);
    assert_value(c, "brokers", "b:1");
    assert_value(c, "flush.bytes", "64MiB");
    assert_int_equal(pt_config_count(c, "init_sql"), 2);
    assert_value(c, "init_sql.1", "SET b = 2");
    assert_int_equal(pt_config_count(c, "topics"), 2);
    assert_value(c, "topics.0.schema", "a INTEGER, b VARCHAR");
    assert_null(pt_config_text(c, "topics.1.table"));
    assert_null(pt_config_text(c, "start"));
    assert_int_equal(pt_config_count(c, "kafka"), 2);
    assert_value(c, "kafka.fetch.wait.max.ms", "50");
    assert_value(c, "kafka.sasl.password", "a b");
    pt_config_free(&c);
    assert_null(c);
}

static void a_value_is_found_by_its_key(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    assert_int_equal(load("memory: 1GiB\nflush: {bytes: 2MiB}\ncommit_timeout: 90s\ntopics: "
                          "[{topic: t, key_column: true}]\n",
                          &c, &err),
                     PT_OK);
    assert_value(c, "memory", "1GiB");
    assert_value(c, "flush.bytes", "2MiB");
    assert_value(c, "commit_timeout", "90s");
    assert_value(c, "topics.0.key_column", "true");
    for (const char *const *key =
             (const char *const[]){"flush.rows", "group", "flush", "topics", "topics.topic",
                                   "no_such_key", "flush.no", "kafka.x", "", "topics.1.topic",
                                   "topics.0", NULL};
         *key; key++) {
        assert_null(pt_config_text(c, *key));
    }
    pt_config_free(&c);
    assert_int_equal(load("topics: [{topic: t}]\n", &c, &err), PT_OK);
    assert_null(pt_config_text(c, "flush.bytes"));
    pt_config_free(&c);
}

static void mistakes_are_told_with_their_line(void **state) {
    static const struct {
        const char *text, *line, *word;
    } cases[] = {
        {"topics:\n  - topic: a\nbrokrs: x\n", "line 3", "brokrs"},
        {"topics:\n  - topic: a\n    shema: x\n", "line 3", "shema"},
        {"topics:\n  - topic: a\nflush:\n  rows: 1\n  every: 3s\n", "line 5", "every"},
        {"topics:\n  - topic: a\nlake: [1, 2]\n", "line 3", "lake"},
        {"topics: none\n", "line 1", "topics"},
        {"brokers: x\n", "line 1", "topics"},
        {"topics:\n  - table: a\n", "line 2", "topic"},
        {"topics:\n  - topic: a\nlake: x\nlake: y\n", "line 4", "lake"},
        {"topics:\n  - topic: a\nkafka: [1]\n", "line 3", "kafka"},
        {"topics:\n\t- a\n", "line 2", ""},
        {"- a\n- b\n", "line 1", "keys and values"},
        {"topics: []\n", "line 1", "topics"},
        {"topics:\n  - topic: ''\n", "line 2", "topic"},
        {"topics:\n  - topic:\n", "line 2", "topic"},
        {"topics:\n  - topic: a\ngroup: ''\n", "line 3", "group"},
        {"topics:\n  - topic: a\n---\nbrokers: x\n", "line 4", "second document"},
        {"topics:\n  - topic: a\n---\n{[\n", "line 5", ""},
        {"", "empty", ""},
        {"topics:\n  - topic: a\nkafka:\n  linger.ms: 5\n  acks: 1\n  linger.ms: 6\n", "line 6",
         "linger.ms"},
        {"topics:\n  - topic: a\nkafka: {a: [1]}\n", "line 3", "kafka"},
        {"topics:\n  - topic: a\nflush: 5\n", "line 3", "flush"},
        {"topics:\n  - topic: a\nflush: {rows: [1]}\n", "line 3", "rows"},
        {"topics:\n  - topic: a\nflush.rows: 5\n", "line 3", "unknown key 'flush.rows'"},
        {"topics:\n  - topic: a\nfl: 5\n", "line 3", "unknown key 'fl'"},
        {"topics:\n  - topic: a\n'': 5\n", "line 3", "unknown key ''"},
        {"topics:\n  - topic: a\ntopics.0.table: 5\n", "line 3", "unknown key"},
        {"topics:\n  - topic: a\n[x]: 5\n", "line 3", "plain word"},
        {"topics:\n  - topic: a\n\"lake\\0x\": 5\n", "line 3", "plain word"},
        {"topics:\n  - topic: a\nlake: \"x\\0y\"\n", "line 3", "NUL"},
        {"topics:\n  - topic: a\ninit_sql: SET x\n", "line 3", "init_sql"},
        {"topics:\n  - topic: a\ninit_sql:\n  - a\n  - ''\n", "line 5", "init_sql"},
        {"topics:\n  - orders\n", "line 2", "topics"},
        {"a: &x [*x]\ntopics: [{topic: a}]\n", "line 1", ""},
        {"topics: [{topic: a}]\nx: &x {group: g}\n<<: *x\n", "line 2", "unknown key 'x'"},
        {"topics: [{topic: a}]\nflush: &x {rows: 1}\n<<: *x\n", "line 3", "unknown key '<<'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pt_config *c = NULL;
        pt_error err = {0};
        assert_int_equal(load(cases[i].text, &c, &err), PT_E_USAGE);
        assert_null(c);
        if (!strstr(err.text, cases[i].line) || !strstr(err.text, cases[i].word)) {
            fail_msg("case %zu: %s", i, err.text);
        }
    }
}

static void a_key_without_a_value_is_as_no_key(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    int code = load("brokers:\ngroup: ~\ninit_sql:\nflush:\nkafka:\ntopics:\n  - topic: a\n    "
                    "table:\n    schema: ' '\n",
                    &c, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, PT_OK);
    assert_int_equal(c->n_values, 2); /* topics and topics.0.topic */
    assert_value(c, "topics.0.topic", "a");
    pt_config_free(&c);
}

/* `null` is a value of on_no_column, and of no other key. */
static void null_is_a_text_only_where_it_is_a_value(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    assert_int_equal(load("on_no_column: null\non_error: null\ntopics: [{topic: t}]\n", &c, &err),
                     PT_OK);
    assert_value(c, "on_no_column", "null");
    assert_null(pt_config_text(c, "on_error"));
    pt_config_free(&c);
    assert_int_equal(load("on_no_column:\ntopics: [{topic: t}]\n", &c, &err), PT_OK);
    assert_null(pt_config_text(c, "on_no_column"));
    pt_config_free(&c);
}

static void an_alias_stands_for_its_value_everywhere(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    assert_int_equal(load("topics:\n  - &t {topic: a, schema: &s \"x INTEGER\"}\n  - {topic: b, "
                          "schema: *s}\n",
                          &c, &err),
                     PT_OK);
    assert_value(c, "topics.1.schema", "x INTEGER");
    pt_config_free(&c);
}

static void topics_are_needed_only_where_they_are_read(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    assert_int_equal(load_with("lake: l\ntopics:\n", false, &c, &err), PT_OK);
    assert_int_equal(pt_config_count(c, "topics"), 0);
    pt_config_free(&c);
    assert_int_equal(load_with("lake: l\n", true, &c, &err), PT_E_USAGE);
    assert_int_equal(load_with("lake: l\ntopics: []\n", false, &c, &err), PT_E_USAGE);
}

/* Values are found by their keys, and kept in the order of the file, however many there are. */
static void a_file_of_many_topics_and_properties_is_read(void **state) {
    enum { N = 3000 };
    static char text[N * 64];
    char key[32], want[32];
    size_t at = 0;
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    at += (size_t)snprintf(text + at, sizeof text - at, "kafka:\n");
    for (int i = 0; i < N; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "  p%d: v%d\n", i, i);
    }
    at += (size_t)snprintf(text + at, sizeof text - at, "topics:\n");
    for (int i = 0; i < N; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "  - topic: t%d\n", i);
    }
    assert_int_equal(load(text, &c, &err), PT_OK);
    assert_int_equal(pt_config_count(c, "topics"), N);
    for (int i = 0; i < N; i += 7) {
        (void)snprintf(key, sizeof key, "topics.%d.topic", i);
        (void)snprintf(want, sizeof want, "t%d", i);
        assert_value(c, key, want);
        (void)snprintf(key, sizeof key, "kafka.p%d", i);
        assert_string_equal(c->values[i].key, key);
        assert_int_equal(pt_config_line_of(c, key), i + 2);
    }
    pt_config_free(&c);
}

static void the_line_of_a_value_is_known(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    assert_int_equal(load("flush:\n  rows: 1\nkafka:\n  linger.ms: 5\ntopics:\n  - topic: a\n  - "
                          "topic: b\n    schema: x\n",
                          &c, &err),
                     PT_OK);
    assert_int_equal(pt_config_line_of(c, "flush.rows"), 2);
    assert_int_equal(pt_config_line_of(c, "kafka.linger.ms"), 4);
    assert_int_equal(pt_config_line_of(c, "topics.1.schema"), 8);
    assert_int_equal(pt_config_line_of(c, "group"), 0);
    pt_config_free(&c);
}

static void a_missing_file_is_named(void **state) {
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    assert_int_equal(pt_config_load("/nonexistent/x.yaml", NULL, 0, &c, &err), PT_E_USAGE);
    assert_non_null(strstr(err.text, "/nonexistent/x.yaml"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(a_value_is_found_by_its_key),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(a_key_without_a_value_is_as_no_key),
        cmocka_unit_test(null_is_a_text_only_where_it_is_a_value),
        cmocka_unit_test(an_alias_stands_for_its_value_everywhere),
        cmocka_unit_test(topics_are_needed_only_where_they_are_read),
        cmocka_unit_test(a_file_of_many_topics_and_properties_is_read),
        cmocka_unit_test(the_line_of_a_value_is_known),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
