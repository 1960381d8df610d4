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

#include "base/path.h"
#include "fsync_log.h"

static int set_up(void **state) {
    static char folder[64];
    (void)snprintf(folder, sizeof folder, "/tmp/pintail-path-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = folder;
    n_fsyncs = 0;
    return 0;
}

static int tear_down(void **state) {
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    return system(command);
}

static const char *below(void **state, const char *rest) {
    static char path[256];
    (void)snprintf(path, sizeof path, "%s%s", (char *)*state, rest);
    return path;
}

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static void the_parent_of_each_new_folder_is_fsynced(void **state) {
    pt_error err = {0};
    must(pt_make_folders(below(state, "/a//b/c/"), &err), &err);
    assert_true(pt_path_exists(below(state, "/a/b/c")));
    assert_int_not_equal(fsynced(below(state, ""), 0), FSYNC_LOG_MAX);
    assert_int_not_equal(fsynced(below(state, "/a"), 0), FSYNC_LOG_MAX);
    assert_int_not_equal(fsynced(below(state, "/a/b"), 0), FSYNC_LOG_MAX);
}

static void of_folders_that_are_there_only_the_last_ones_parent_is_fsynced(void **state) {
    pt_error err = {0};
    must(pt_make_folders(below(state, "/a/b"), &err), &err);
    size_t n = n_fsyncs;
    must(pt_make_folders(below(state, "/a/b"), &err),
         &err); /* whoever made it may have died before that */
    assert_int_equal(n_fsyncs, n + 1);
    assert_int_equal(fsynced(below(state, "/a"), n), n);
    must(pt_make_folders(below(state, "/a/b//"), &err), &err);
    assert_int_equal(n_fsyncs, n + 2);
    must(pt_make_folders("", &err), &err);
    must(pt_make_folders("/", &err), &err);
    assert_int_equal(n_fsyncs, n + 2);
}

static void a_relative_folder_is_made_in_the_working_directory(void **state) {
    pt_error err = {0};
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(*state), 0);
    must(pt_make_folders("new", &err), &err);
    assert_int_not_equal(fsynced(*state, 0), FSYNC_LOG_MAX);
    assert_int_equal(chdir(before), 0);
    assert_true(pt_path_exists(below(state, "/new")));
}

static void a_file_in_the_way_is_named(void **state) {
    pt_error err = {0};
    FILE *f = fopen(below(state, "/file"), "w");
    assert_non_null(f);
    (void)fclose(f);
    assert_int_equal(pt_make_folders(below(state, "/file/x"), &err), PT_E_LAKE);
    assert_non_null(strstr(err.text, "/file/x cannot be made: Not a directory"));
}

static void a_file_is_fsynced_before_its_folder(void **state) {
    pt_error err = {0};
    FILE *f = fopen(below(state, "/file"), "w");
    assert_non_null(f);
    (void)fclose(f);
    must(pt_sync_file(below(state, "/file"), &err), &err);
    assert_int_equal(fsynced(below(state, "/file"), 0), 0);
    assert_int_equal(fsynced(below(state, ""), 0), 1);
    assert_int_equal(pt_sync_file(below(state, "/none"), &err), PT_E_IO);
}

/* Also where rights do not tell it: root may write in /proc, where no folder can be made. */
static void whether_a_folder_can_be_made_is_tried_and_nothing_stays(void **state) {
    pt_error err = {0};
    must(pt_folder_can_be(below(state, "/a/b"), &err), &err);
    must(pt_folder_can_be(below(state, ""), &err), &err);
    assert_int_equal(rmdir(*state), 0); /* it is empty */
    must(pt_make_folders(*state, &err), &err);
    assert_int_not_equal(pt_folder_can_be("/proc/pintail/a", &err), PT_OK);
    assert_non_null(strstr(err.text, "/proc"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_parent_of_each_new_folder_is_fsynced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            of_folders_that_are_there_only_the_last_ones_parent_is_fsynced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_relative_folder_is_made_in_the_working_directory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_in_the_way_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whether_a_folder_can_be_made_is_tried_and_nothing_stays,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_fsynced_before_its_folder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
