/* pintail ingest's options against the keys of its configuration file. */
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

#include "cli/options.h"
#include "config/config.h"

/* Of a single run, by hand. */
static const char *const not_in_file[] = {"config", "until-end", "verbose"};
/* Where the file has another form. */
static const char *const other_form[][2] = {{"topic", "topics.topic"},
                                            {"table", "topics.table"},
                                            {"schema", "topics.schema"},
                                            {"X", "kafka"}};

static bool is_one_of(const char *name, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void key_of(const char *option, char *key, size_t size) {
    (void)snprintf(key, size, "%s", option);
    for (char *p = key; *p; p++) {
        *p = *p == '-' ? '_' : *p;
    }
    if (strncmp(key, "flush_", 6) == 0) {
        key[5] = '.';
    }
    for (size_t i = 0; i < sizeof other_form / sizeof *other_form; i++) {
        if (strcmp(option, other_form[i][0]) == 0) {
            (void)snprintf(key, size, "%s", other_form[i][1]);
        }
    }
}

static void every_option_of_a_service_has_a_key_in_the_file(void **state) {
    (void)state;
    for (size_t i = 0; i < pt_command_ingest.n_options; i++) {
        const char *name = pt_command_ingest.options[i].name;
        char key[64];
        key_of(name, key, sizeof key);
        bool wanted = !is_one_of(name, not_in_file, sizeof not_in_file / sizeof *not_in_file);
        if (pt_config_knows(key) != wanted) {
            fail_msg("--%s: %s", name,
                     wanted ? "the file has no key for it" : "the file should have no key for it");
        }
    }
}

/* The keys of the file, as the message about an unknown one lists them. */
static void every_key_of_the_file_belongs_to_an_option(void **state) {
    static const char *const no_options[] = {"flush", "kafka", "topics"};
    char path[] = "/tmp/pintail-config-XXXXXX";
    const char text[] = "no_such_key: 1\ntopics: [{topic: t}]\n";
    pt_config *c = NULL;
    pt_error err = {0};
    (void)state;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    (void)close(fd);
    assert_int_equal(pt_config_load(path, &c, &err), PT_E_USAGE);
    (void)unlink(path);
    char *known = strstr(err.text, "known here: ");
    assert_non_null(known);
    size_t keys = 0;
    for (char *rest, *key = strtok_r(known + strlen("known here: "), ", ", &rest); key;
         key = strtok_r(NULL, ", ", &rest), keys++) {
        bool found = is_one_of(key, no_options, sizeof no_options / sizeof *no_options);
        for (size_t i = 0; !found && i < pt_command_ingest.n_options; i++) {
            char of[64];
            key_of(pt_command_ingest.options[i].name, of, sizeof of);
            found = strcmp(of, key) == 0;
        }
        if (!found) {
            fail_msg("%s: no option", key);
        }
    }
    assert_true(keys > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_a_service_has_a_key_in_the_file),
        cmocka_unit_test(every_key_of_the_file_belongs_to_an_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
