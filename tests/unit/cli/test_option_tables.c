/* The option tables of all commands: what flags, variables and keys of the file they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/values.h"

/* Every option of every command. */
static struct {
    const pt_command *command;
    const pt_option *option;
} all[8 * PT_OPTIONS_MAX];
static size_t n_all;

static int gather(void **state) {
    (void)state;
    for (size_t c = 0; pt_commands[c]; c++) {
        for (size_t i = 0; i < pt_commands[c]->n_options; i++) {
            assert_true(n_all < sizeof all / sizeof *all);
            all[n_all].command = pt_commands[c];
            all[n_all++].option = &pt_commands[c]->options[i];
        }
    }
    return 0;
}

/* Variables that mean something else: to the tests, the build, the failpoints, or Kubernetes, which
 * sets PINTAIL_PORT and PINTAIL_SERVICE_... for a service of the name pintail. */
static const char *const reserved[] = {
    "PINTAIL_ALLOC_FAIL", "PINTAIL_ALLOC_REPORT", "PINTAIL_ASAN",         "PINTAIL_BREAK",
    "PINTAIL_CRASH",      "PINTAIL_DEPS",         "PINTAIL_E2E_RUN",      "PINTAIL_EXTENSIONS",
    "PINTAIL_FAILPOINT",  "PINTAIL_FAILPOINTS",   "PINTAIL_FUZZ",         "PINTAIL_JEMALLOC",
    "PINTAIL_LIBDUCKDB",  "PINTAIL_LIBRDKAFKA",   "PINTAIL_NO_APT",       "PINTAIL_REQUIRE_ALL",
    "PINTAIL_SANITIZE",   "PINTAIL_SANITIZED",    "PINTAIL_SEED",         "PINTAIL_STARTS",
    "PINTAIL_WERROR",     "PINTAIL_PORT",         "PINTAIL_SERVICE_HOST", "PINTAIL_SERVICE_PORT",
};

static bool is_one_of(const char *name, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool file_has(const pt_config_key *keys, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void every_option_has_a_flag_a_variable_and_a_text(void **state) {
    (void)state;
    for (size_t i = 0; i < n_all; i++) {
        const pt_command *command = all[i].command;
        const pt_option *o = all[i].option;
        pt_variable_name variable = pt_option_variable(o);
        const char *rest = variable.text + strlen("PINTAIL_");
        assert_true(strlen(o->name) > 1 &&
                    strspn(o->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(o->name));
        assert_true(strncmp(variable.text, "PINTAIL_", 8) == 0 && *rest);
        assert_int_equal(strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), strlen(rest));
        assert_true(strlen(o->help) > 4 && o->help[strlen(o->help) - 1] != '.');
        assert_true(pt_option_find(command, o->name) == o);
        if (is_one_of(variable.text, reserved, sizeof reserved / sizeof *reserved)) {
            fail_msg("%s --%s: %s has another meaning", command->name, o->name, variable.text);
        }
        assert_true(command->n_options <= PT_OPTIONS_MAX);
    }
}

static void no_two_options_of_a_command_share_a_flag_letter_variable_or_key(void **state) {
    (void)state;
    for (size_t i = 0; i < n_all; i++) {
        const pt_command *command = all[i].command;
        const pt_option *o = all[i].option;
        for (const pt_option *p = command->options; p < o; p++) {
            assert_string_not_equal(o->name, p->name);
            assert_true(!o->letter || o->letter != p->letter);
            assert_string_not_equal(pt_option_variable(o).text, pt_option_variable(p).text);
            assert_true(!o->key || !p->key || strcmp(o->key, p->key) != 0);
            assert_true(!o->topic_key || !p->topic_key || strcmp(o->topic_key, p->topic_key) != 0);
        }
    }
}

/* One environment and one file serve all commands: what is good for one is good for the others. */
static void a_variable_or_key_means_the_same_to_every_command(void **state) {
    (void)state;
    for (size_t i = 0; i < n_all; i++) {
        const pt_option *o = all[i].option;
        for (size_t k = 0; k < n_all; k++) {
            const pt_option *p = all[k].option;
            bool same = strcmp(pt_option_variable(o).text, pt_option_variable(p).text) == 0 ||
                        (o->key && p->key && strcmp(o->key, p->key) == 0);
            bool one_topic = strcmp(o->name, "topic") == 0; /* of reset and produce */
            if (same && (strcmp(o->name, p->name) != 0 ||
                         (!one_topic && (o->kind != p->kind || o->check != p->check)) ||
                         strcmp(pt_option_variable(o).text, pt_option_variable(p).text) != 0)) {
                fail_msg("%s --%s, %s --%s: one name, two meanings", all[i].command->name, o->name,
                         all[k].command->name, p->name);
            }
        }
    }
}

static void every_option_of_a_service_has_a_key_in_the_file(void **state) {
    static const char *const by_hand[] = {"config", "until-end", "verbose"}; /* of a single run */
    (void)state;
    for (size_t i = 0; i < pt_command_ingest.n_options; i++) {
        const pt_option *o = &pt_command_ingest.options[i];
        bool wanted = !is_one_of(o->name, by_hand, sizeof by_hand / sizeof *by_hand);
        if ((o->key || o->topic_key) != wanted) {
            fail_msg("--%s: %s", o->name,
                     wanted ? "the file has no key for it" : "the file should have no key for it");
        }
    }
}

static void every_command_that_takes_a_lake_takes_the_file_of_ingest(void **state) {
    pt_file_keys keys;
    (void)state;
    pt_values_keys(&keys, true);
    assert_true(keys.n > 20 && keys.n_topic_keys == 6);
    for (size_t i = 0; i < n_all; i++) {
        const pt_command *command = all[i].command;
        const pt_option *o = all[i].option;
        if (strcmp(o->name, "lake") == 0) {
            assert_non_null(pt_option_find(command, "config"));
        }
        if (pt_option_find(command, "config") && o->key) {
            assert_true(file_has(keys.keys, keys.n, o->key));
            const pt_option *ingests = pt_option_find(&pt_command_ingest, o->name);
            assert_true(ingests && ingests->key && strcmp(ingests->key, o->key) == 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_has_a_flag_a_variable_and_a_text),
        cmocka_unit_test(no_two_options_of_a_command_share_a_flag_letter_variable_or_key),
        cmocka_unit_test(a_variable_or_key_means_the_same_to_every_command),
        cmocka_unit_test(every_option_of_a_service_has_a_key_in_the_file),
        cmocka_unit_test(every_command_that_takes_a_lake_takes_the_file_of_ingest),
    };
    return cmocka_run_group_tests(tests, gather, NULL);
}
