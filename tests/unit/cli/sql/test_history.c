/* The prompt's history file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/sql/history.h"

static char folder[64];
static char path[96];

static void collect(void *context, const char *statement) {
    pt_text_addf(context, "<%s>", statement);
}

static void expect_loaded(const char *text) {
    pt_text got = {0};
    pt_error err;
    assert_int_equal(pt_history_load(path, collect, &got, &err), PT_OK);
    assert_string_equal(pt_text_get(&got), text);
    pt_text_free(&got);
}

static int set_up(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/pt_history_XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/a/b/history", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : -1;
}

static void statements_come_back_as_they_were(void **state) {
    (void)state;
    pt_error err;
    expect_loaded("");
    assert_int_equal(pt_history_append(path, "select 1;", &err), PT_OK);
    assert_int_equal(pt_history_append(path, "select 'a\\n',\n  'b';", &err), PT_OK);
    expect_loaded("<select 1;><select 'a\\n',\n  'b';>");
}

static void only_the_owner_may_read_it(void **state) {
    (void)state;
    pt_error err;
    struct stat st;
    (void)umask(0);
    assert_int_equal(pt_history_append(path, "select 1;", &err), PT_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0644), 0); /* one made by hand */
    assert_int_equal(pt_history_append(path, "select 1;", &err), PT_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_long_file_is_cut_to_its_newest_statements(void **state) {
    (void)state;
    pt_error err;
    struct stat st;
    static char statement[100000];
    memset(statement, 'x', sizeof statement - 1);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(pt_history_append(path, statement, &err), PT_OK);
    }
    assert_int_equal(pt_history_append(path, "the newest", &err), PT_OK);
    pt_text got = {0};
    assert_int_equal(pt_history_load(path, collect, &got, &err), PT_OK);
    assert_true(got.len > 12 && strcmp(got.data + got.len - 12, "<the newest>") == 0);
    assert_int_equal(got.data[1], 'x'); /* no half statement at the front */
    assert_int_equal(strcspn(got.data + 1, ">"), sizeof statement - 1);
    pt_text_free(&got);
    assert_int_equal(stat(path, &st), 0);
    assert_true((size_t)st.st_size < PT_HISTORY_MAX / 2 + 1);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void only_the_newest_thousand_are_read(void **state) {
    (void)state;
    pt_error err;
    char statement[32];
    for (int i = 0; i < PT_HISTORY_KEPT + 5; i++) {
        (void)snprintf(statement, sizeof statement, "s%d", i);
        assert_int_equal(pt_history_append(path, statement, &err), PT_OK);
    }
    pt_text got = {0};
    assert_int_equal(pt_history_load(path, collect, &got, &err), PT_OK);
    assert_int_equal(strncmp(got.data, "<s5><s6>", 8), 0);
    pt_text_free(&got);
}

static void secrets_are_not_kept(void **state) {
    (void)state;
    assert_true(pt_history_secret("CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b');"));
    assert_true(pt_history_secret("attach 'ducklake:postgres:host=x password=y' as z"));
    assert_true(pt_history_secret("attach 'postgres://user:hush@host/db'"));
    assert_true(pt_history_secret("FROM quack_serve('quack://x', token := 'abc')"));
    assert_false(pt_history_secret("select * from orders where name = 'a'"));
}

static void the_path_follows_the_environment(void **state) {
    (void)state;
    pt_text got = {0};
    pt_error err;
    (void)setenv("HOME", "/home/x", 1);
    (void)unsetenv("XDG_STATE_HOME");
    assert_int_equal(pt_history_path(&got, &err), PT_OK);
    assert_string_equal(pt_text_get(&got), "/home/x/.local/state/pintail/history");
    (void)setenv("XDG_STATE_HOME", "/state", 1);
    assert_int_equal(pt_history_path(&got, &err), PT_OK);
    assert_string_equal(pt_text_get(&got), "/state/pintail/history");
    (void)unsetenv("XDG_STATE_HOME");
    (void)unsetenv("HOME");
    assert_int_equal(pt_history_path(&got, &err), PT_OK);
    assert_string_equal(pt_text_get(&got), "");
    pt_text_free(&got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statements_come_back_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_owner_may_read_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_file_is_cut_to_its_newest_statements, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_the_newest_thousand_are_read, set_up, tear_down),
        cmocka_unit_test(secrets_are_not_kept),
        cmocka_unit_test(the_path_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
