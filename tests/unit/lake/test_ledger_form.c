/* Lakes in the form of pintail 0.1, of this version and of a later one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duck/result.h"
#include "lake/catalog.h"
#include "lake/ledger_form.h"

#define OLD_LEDGER                                                                             \
    "pipeline VARCHAR, topic VARCHAR, \"partition\" INTEGER, from_offset BIGINT, next_offset " \
    "BIGINT, row_count BIGINT, dead_letter_count BIGINT, epoch BIGINT, "                       \
    "cluster_id VARCHAR, topic_id VARCHAR, target_table VARCHAR, kind VARCHAR, committed_at "  \
    "TIMESTAMPTZ"

typedef struct lake {
    char folder[64], text[128], data[128];
    pt_lake_options options;
    pt_engine *engine;
    pt_session *session; /* somebody else's */
} lake;

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static void sql(lake *l, const char *text) {
    pt_error err = {0};
    must(pt_session_run(l->session, text, &err), &err);
}

static int64_t number(lake *l, const char *text) {
    pt_error err = {0};
    int64_t n = 0;
    must(pt_session_int(l->session, text, &n, &err), &err);
    return n;
}

static int set_up(void **state) {
    pt_error err = {0};
    lake *l = calloc(1, sizeof *l);
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/pintail-form-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->text, sizeof l->text, "ducklake:sqlite:%s/lake.sqlite", l->folder);
    (void)snprintf(l->data, sizeof l->data, "%s/data/", l->folder);
    l->options = (pt_lake_options){.lake = l->text,
                                   .data_path = l->data,
                                   .create = true,
                                   .load = PT_LOAD_LAKE};
    must(pt_engine_open(&l->options, &l->engine, &err), &err);
    must(pt_session_open(l->engine, &l->session, &err), &err);
    *state = l;
    return 0;
}

static int tear_down(void **state) {
    lake *l = *state;
    char command[128];
    pt_session_close(&l->session);
    pt_engine_close(&l->engine);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", l->folder);
    int ignored = system(command);
    (void)ignored;
    free(l);
    return 0;
}

static void make_old_lake(lake *l) {
    sql(l, "CREATE SCHEMA lake.pintail; CREATE TABLE lake.pintail.offsets (" OLD_LEDGER
           "); CREATE TABLE lake.pintail.epochs (" PT_EPOCH_COLUMNS "); "
           "CREATE TABLE lake.pintail.dead_letters (" PT_DEAD_LETTER_COLUMNS
           "); CALL lake.set_option('data_inlining_row_limit', 1000, schema => 'pintail')");
    sql(l, "INSERT INTO lake.pintail.epochs VALUES ('g', 't', 0, 3, 'before', now()); "
           "INSERT INTO lake.pintail.offsets VALUES ('g', 't', 0, 0, 40, 40, 0, 3, 'c', 'id', 't', "
           "'commit', now())");
}

static pt_claim claim(pt_catalog *c) {
    pt_error err = {0};
    pt_claim made = {.topic = "t", .partition = 0, .next_offset = -1};
    must(pt_catalog_claim(c, &(pt_claiming){.claims = &made, .n = 1}, &err), &err);
    return made;
}

static void commit(pt_catalog *c, int64_t from, int64_t to) {
    pt_error err = {0};
    pt_flush *flush = NULL;
    must(pt_flush_new(NULL, 0, &flush, &err), &err);
    pt_ledger_entry *e = pt_flush_add_entry(flush);
    e->topic = "t";
    e->from_offset = from;
    e->next_offset = to;
    assert_int_equal(pt_catalog_commit(c, flush, &err), PT_COMMITTED);
    pt_flush_free(&flush);
}

#define NEW_COLUMNS                                                                           \
    "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'pintail' AND column_name IN " \
    "('leader_epoch', 'commit_id', 'lake_snapshot', 'detail')"
#define INLINED_TABLES "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_inlined_data_tables"
#define LAST_COMMIT    "FROM lake.pintail.offsets WHERE kind = 'commit' AND next_offset = 50"

static void a_lake_of_an_older_form_is_renewed_by_the_first_claim(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog *c = NULL;
    make_old_lake(l);
    must(pt_catalog_open(&l->options, "g", "me", &c, &err), &err);
    assert_int_equal(number(l, NEW_COLUMNS), 0);
    pt_claim made = claim(c);
    assert_int_equal(made.next_offset, 40);
    assert_int_equal(made.epoch, 4);
    assert_string_equal(made.topic_id, "id");
    assert_int_equal(number(l, NEW_COLUMNS), 4);
    assert_int_equal(
        number(l, "SELECT value::INTEGER FROM lake.pintail.meta WHERE key = 'schema_version'"),
        PT_LEDGER_FORM);
    assert_int_equal(number(l, "SELECT count(*) FROM lake.pintail.meta WHERE key = 'made_by' AND "
                               "value = 'pintail " PT_VERSION "'"),
                     1);
    commit(c, 40, 50);
    assert_int_equal(
        number(l, "SELECT count(*) " LAST_COMMIT
                  " AND leader_epoch IS NULL AND detail IS NULL AND commit_id IS NOT NULL"),
        1);
    int64_t inlined = number(l, INLINED_TABLES);
    assert_int_equal(claim(c).next_offset, 50);
    assert_int_equal(number(l, INLINED_TABLES), inlined);
    pt_catalog_close(&c);
}

static void a_commit_knows_its_snapshot(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog *c = NULL;
    must(pt_catalog_open(&l->options, "g", "me", &c, &err), &err);
    (void)claim(c);
    for (int64_t at = 0; at < 50; at += 10) {
        commit(c, at, at + 10);
        if (at == 20) {
            sql(l, "CREATE TABLE lake.others (i INTEGER)");
        }
    }
    assert_int_equal(
        number(l, "SELECT count(*) FROM lake.pintail.offsets WHERE lake_snapshot = snapshot_id"),
        5);
    assert_int_equal(number(l, "SELECT count(DISTINCT commit_id) FROM lake.pintail.offsets"), 5);
    pt_catalog_close(&c);
}

static void only_commits_skips_and_resets_move_the_position(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog *c = NULL;
    must(pt_catalog_open(&l->options, "g", "me", &c, &err), &err);
    (void)claim(c);
    commit(c, 0, 30);
    sql(l, "INSERT INTO lake.pintail.offsets (pipeline, topic, \"partition\", from_offset, "
           "next_offset, row_count, dead_letter_count, epoch, kind) VALUES "
           "('g', 't', 0, 77, 77, 1, -1, 1, 'replay'), ('g', 't', 0, 78, 78, 0, -1, 9, 'discard'), "
           "('g', 't', 0, 79, 79, 0, 0, 1, 'moved')");
    assert_int_equal(claim(c).next_offset, 30);
    pt_catalog_close(&c);
}

static void a_newer_form_is_left_alone(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog *c = NULL, *late = NULL;
    must(pt_catalog_open(&l->options, "g", "me", &c, &err), &err);
    sql(l, "UPDATE lake.pintail.meta SET value = CASE key WHEN 'schema_version' THEN '3' ELSE "
           "'pintail 0.9.1' END");
    int64_t snapshot = number(l, "SELECT id FROM ducklake_current_snapshot('lake')");
    pt_claim made = {.topic = "t", .partition = 0, .next_offset = -1};
    assert_int_equal(pt_catalog_claim(c, &(pt_claiming){.claims = &made, .n = 1}, &err),
                     PT_E_LAKE); /* of a process that was there before */
    assert_non_null(strstr(err.text, "use pintail 0.9.1 or a newer one"));
    assert_int_equal(pt_catalog_open(&l->options, "g", "late", &late, &err), PT_E_LAKE);
    assert_non_null(strstr(err.text, "use pintail 0.9.1 or a newer one"));
    assert_int_equal(pt_exit_code((int)err.code), 1);
    assert_int_equal(number(l, "SELECT id FROM ducklake_current_snapshot('lake')"), snapshot);
    pt_catalog_close(&c);
}

/* A process may die between making the tables and telling DuckLake to inline the ledger's rows. */
static void what_a_start_left_undone_the_next_one_does(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog *c = NULL;
    must(pt_catalog_open(&l->options, "g", "me", &c, &err), &err);
    pt_catalog_close(&c);
    sql(l, "DELETE FROM __ducklake_metadata_lake.ducklake_metadata WHERE scope = 'schema'; DROP "
           "TABLE lake.pintail.dead_letters");
    must(pt_catalog_open(&l->options, "g", "me", &c, &err), &err);
    assert_int_equal(number(l,
                            "SELECT value::INTEGER FROM ducklake_options('lake') WHERE option_name "
                            "= 'data_inlining_row_limit' AND scope_entry = 'pintail'"),
                     1000);
    assert_int_equal(number(l, "SELECT count(*) FROM lake.pintail.dead_letters"), 0);
    assert_int_equal(number(l, "SELECT count(*) FROM lake.pintail.meta"), 2);
    pt_catalog_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lake_of_an_older_form_is_renewed_by_the_first_claim,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_knows_its_snapshot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_commits_skips_and_resets_move_the_position, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_newer_form_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_start_left_undone_the_next_one_does, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
