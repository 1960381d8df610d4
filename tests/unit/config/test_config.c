#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/config.h"

static int load(const char *text, pt_config **out, pt_error *err) {
    char path[] = "/tmp/pintail-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    int code = pt_config_load(path, out, err);
    (void)unlink(path);
    return code;
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
    assert_string_equal(c->brokers, "b:1");
    assert_string_equal(c->flush->bytes, "64MiB");
    assert_int_equal(c->init_sql_count, 2);
    assert_string_equal(c->init_sql[1], "SET b = 2");
    assert_int_equal(c->topics_count, 2);
    assert_string_equal(c->topics[0].schema, "a INTEGER, b VARCHAR");
    assert_null(c->topics[1].table);
    assert_null(c->start);
    assert_int_equal(c->n_properties, 2);
    assert_string_equal(c->properties[1], "sasl.password=a b");
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
    assert_string_equal(pt_config_get(c, "memory"), "1GiB");
    assert_string_equal(pt_config_get(c, "flush.bytes"), "2MiB");
    assert_string_equal(pt_config_get(c, "commit_timeout"), "90s");
    assert_string_equal(c->topics[0].key_column, "true");
    for (const char *const *key =
             (const char *const[]){"flush.rows", "group", "flush", "topics", "topics.topic",
                                   "no_such_key", "flush.no", "kafka.x", NULL};
         *key; key++) {
        assert_null(pt_config_get(c, *key));
    }
    pt_config_free(&c);
    assert_int_equal(load("topics: [{topic: t}]\n", &c, &err), PT_OK);
    assert_null(pt_config_get(c, "flush.bytes"));
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
    assert_null(c->brokers);
    assert_null(c->group);
    assert_null(c->flush);
    assert_int_equal(c->init_sql_count, 0);
    assert_int_equal(c->n_properties, 0);
    assert_null(c->topics[0].table);
    assert_null(c->topics[0].schema);
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
    assert_int_equal(pt_config_load("/nonexistent/x.yaml", &c, &err), PT_E_USAGE);
    assert_non_null(strstr(err.text, "/nonexistent/x.yaml"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(a_value_is_found_by_its_key),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(a_key_without_a_value_is_as_no_key),
        cmocka_unit_test(the_line_of_a_value_is_known),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
