/* What a commit will mention is on the disk before: the folders of a table, a staged file and its
 * entry in the folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fsync_log.h"
#include "lake/catalog.h"
#include "lake/stage.h"
#include "lake/table_open.h"

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static const char *path(const char *folder, const char *rest) {
    static char out[256];
    (void)snprintf(out, sizeof out, "%s%s", folder, rest);
    return out;
}

static void add_row(pt_rows *rows, size_t n_columns) {
    pt_error err = {0};
    must(pt_rows_open(rows, &err), &err);
    for (size_t i = 0; i < n_columns; i++) {
        pt_rows_null(rows, i);
    }
    pt_rows_commit(rows);
}

static void all_that_a_commit_mentions_is_on_the_disk_before(void **state) {
    (void)state;
    char folder[64] = "/tmp/pintail-durable-XXXXXX";
    char text[128];
    char data[128];
    pt_error err = {0};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(text, sizeof text, "ducklake:sqlite:%s/metadata/lake.sqlite", folder);
    (void)snprintf(data, sizeof data, "%s/new/data/", folder);
    pt_lake_options options = {.lake = text,
                               .data_path = data,
                               .create = true,
                               .load = PT_LOAD_LAKE};
    pt_table_options target_options = {.table = "t", .schema_text = "v BIGINT"};
    pt_catalog *catalog;
    pt_table *target;
    pt_stager *stager;
    pt_flush *flush;

    must(pt_catalog_open(&options, "g", "owner", &catalog, &err), &err);
    must(pt_table_open(pt_catalog_session(catalog), &target_options, &target, &err), &err);
    static const char *const folders[] = {"", "/new", "/new/data",
                                          "/new/data/main"}; /* of new/, data/, main/ and t/ */
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (fsynced(path(folder, folders[i]), 0) == FSYNC_LOG_MAX) {
            fail_msg("%s has a new folder and was not fsynced", path(folder, folders[i]));
        }
    }
    assert_string_equal(target->folder, path(folder, "/new/data/main/t/"));

    must(pt_flush_new(&(const pt_table *){target}, 1, &flush, &err), &err);
    must(pt_stager_open(&options, false, &stager, &err), &err);
    add_row(flush->slices[0].rows, target->n_columns);
    size_t before = n_fsyncs;
    must(pt_stage(stager, flush, &err), &err);
    size_t of_file = fsynced(flush->slices[0].staged, before);
    size_t of_folder = fsynced(target->folder, before);
    assert_int_not_equal(of_file, FSYNC_LOG_MAX);
    assert_int_not_equal(of_folder, FSYNC_LOG_MAX);
    assert_true(of_file < of_folder);

    pt_stager_close(&stager);
    pt_flush_free(&flush);
    pt_table_free(&target);
    pt_catalog_close(&catalog);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_a_commit_mentions_is_on_the_disk_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
