/* What a commit notices before it writes: a catalog that went back in time, and tables that are not
 * what they were. On an SQLite catalog, whose file the tests put back. */
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
#include "lake/table_open.h"

enum { ME, OTHER };

typedef struct lake {
    char folder[64], text[128], data[128];
    pt_lake_options options;
    pt_catalog *catalog[2]; /* of two pipelines */
    pt_table *table;
    pt_flush *flush;
    bool with_row; /* commit puts one into the table */
} lake;

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

/* By somebody who knows nothing of pintail. */
static void sql(lake *l, const char *text) {
    pt_error err = {0};
    pt_engine *engine = NULL;
    pt_session *session = NULL;
    must(pt_engine_open(&l->options, &engine, &err), &err);
    must(pt_session_open(engine, &session, &err), &err);
    must(pt_session_run(session, text, &err), &err);
    pt_session_close(&session);
    pt_engine_close(&engine);
}

static void shell(lake *l, const char *format) {
    char command[512];
    (void)snprintf(command, sizeof command, "cd '%s' && %s", l->folder, format);
    assert_int_equal(system(command), 0);
}

static void save(lake *l) {
    shell(l, "rm -rf saved && mkdir saved && cp lake.sqlite* saved");
}

static void put_back_in_place(lake *l) {
    shell(l, "rm -f lake.sqlite-wal lake.sqlite-shm && cp saved/* .");
}

static void put_back_as_another_file(lake *l) {
    shell(l, "rm -f lake.sqlite-wal lake.sqlite-shm && cp saved/lake.sqlite another && mv another "
             "lake.sqlite && cp saved/* .");
}

static pt_claim claim(lake *l, int who) {
    pt_error err = {0};
    pt_claim c = {.topic = "orders", .partition = 3, .next_offset = -1};
    must(pt_catalog_claim(l->catalog[who], &(pt_claiming){.claims = &c, .n = 1}, &err), &err);
    return c;
}

static int commit(lake *l, int who, int64_t from, int64_t to, pt_error *err) {
    int code;
    pt_flush_reset(l->flush, 1);
    pt_ledger_entry *e = pt_flush_add_entry(l->flush);
    e->topic = "orders";
    e->partition = 3;
    e->from_offset = from;
    e->next_offset = to;
    if (l->with_row) {
        pt_rows *rows = l->flush->slices[0].rows;
        must(pt_rows_open(rows, err), err);
        for (size_t i = 0; i < pt_rows_columns(rows); i++) {
            pt_rows_null(rows, i);
        }
        pt_rows_commit(rows);
    }
    do {
        code = pt_catalog_commit(l->catalog[who], l->flush, err) == PT_COMMITTED ? PT_OK
                                                                                 : (int)err->code;
    } while (code == PT_E_LAKE_BUSY);
    return code;
}

static void commit_well(lake *l, int who, int64_t from, int64_t to) {
    pt_error err = {0};
    must(commit(l, who, from, to, &err), &err);
}

static int set_up(void **state) {
    pt_error err = {0};
    lake *l = calloc(1, sizeof *l);
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/pintail-gate-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->text, sizeof l->text, "ducklake:sqlite:%s/lake.sqlite", l->folder);
    (void)snprintf(l->data, sizeof l->data, "%s/data/", l->folder);
    l->options = (pt_lake_options){.lake = l->text,
                                   .data_path = l->data,
                                   .create = true,
                                   .load = PT_LOAD_LAKE,
                                   .inline_rows = 10};
    must(pt_catalog_open(&l->options, "mine", "me", &l->catalog[ME], &err), &err);
    must(pt_catalog_open(&l->options, "theirs", "other", &l->catalog[OTHER], &err), &err);
    pt_table_options target = {.table = "orders",
                               .schema_text = "i INTEGER, s STRUCT(x INTEGER, z INTEGER)"};
    must(pt_table_open(pt_catalog_session(l->catalog[ME]), &target, &l->table, &err), &err);
    const pt_table *tables[] = {l->table};
    must(pt_flush_new(tables, 1, &l->flush, &err), &err);
    *state = l;
    return 0;
}

static int tear_down(void **state) {
    lake *l = *state;
    char command[128];
    pt_flush_free(&l->flush);
    pt_table_free(&l->table);
    pt_catalog_close(&l->catalog[ME]);
    pt_catalog_close(&l->catalog[OTHER]);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", l->folder);
    int ignored = system(command);
    (void)ignored;
    free(l);
    return 0;
}

static void assert_went_back(int code, const pt_error *err, const char *words) {
    if (code != PT_E_LAKE_CHANGED || !strstr(err->text, "went back in time") ||
        !strstr(err->text, words)) {
        fail_msg("%d: %s", code, err->text);
    }
}

/* ---- back in time ---- */

static void a_catalog_that_lost_our_last_commits_is_noticed(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, ME);
    commit_well(l, ME, 0, 10);
    save(l);
    commit_well(l, ME, 10, 20);
    commit_well(l, ME, 20, 30);
    put_back_in_place(l);
    assert_went_back(commit(l, ME, 30, 40, &err), &err, "orders/3 from 30 to 10");
    assert_went_back(pt_catalog_look_back(l->catalog[ME], &err), &err, "orders/3 from 30 to 10");
}

static void numbers_that_another_process_has_used_again_deceive_nobody(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, ME);
    (void)claim(l, OTHER);
    commit_well(l, ME, 0, 10);
    save(l);
    commit_well(l, ME, 10, 20);
    put_back_in_place(l);
    commit_well(l, OTHER, 0, 5); /* the snapshot that ours had */
    assert_went_back(commit(l, ME, 20, 30, &err), &err, "orders/3 from 20 to 10");
    put_back_in_place(l);
    sql(l, "CREATE TABLE lake.a (i INTEGER)");
    sql(l, "CREATE TABLE lake.b (i INTEGER)");
    sql(l, "CREATE TABLE lake.c (i INTEGER)");
    assert_went_back(commit(l, ME, 20, 30, &err), &err, "orders/3 from 20 to 10");
}

static void a_claim_stands_by_its_owner_not_by_its_epoch(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog *heir = NULL;
    save(l);
    pt_claim mine = claim(l, ME);
    put_back_in_place(l);
    must(pt_catalog_open(&l->options, "mine", "heir", &heir, &err), &err);
    pt_claim c = {.topic = "orders", .partition = 3, .next_offset = -1};
    must(pt_catalog_claim(heir, &(pt_claiming){.claims = &c, .n = 1}, &err), &err);
    assert_int_equal(c.epoch, mine.epoch);
    assert_went_back(commit(l, ME, 0, 10, &err), &err, "our claim");
    pt_catalog_close(&heir);
    put_back_in_place(l);
    assert_went_back(commit(l, ME, 0, 10, &err), &err, "our claim");
}

static void a_recovery_after_the_catalog_went_back_says_so(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, ME);
    commit_well(l, ME, 0, 10);
    save(l);
    commit_well(l, ME, 10, 20);
    put_back_as_another_file(l);
    assert_int_equal(
        commit(l, ME, 20, 30, &err),
        PT_E_LAKE_DOWN); /* before a byte is written into a file that has no name any more */
    assert_non_null(strstr(err.text, "another one than before"));
    assert_int_equal(pt_catalog_settle(l->catalog[ME], l->flush, &err), PT_REFUSED);
    assert_went_back((int)err.code, &err, "orders/3 from 20 to 10");
}

static void a_file_that_was_put_back_as_it_was_changes_nothing(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, ME);
    commit_well(l, ME, 0, 10);
    save(l);
    put_back_as_another_file(l);
    assert_int_equal(commit(l, ME, 10, 20, &err), PT_E_LAKE_DOWN);
    assert_int_equal(pt_catalog_settle(l->catalog[ME], l->flush, &err), PT_TRY_AGAIN);
    assert_int_equal(pt_catalog_commit(l->catalog[ME], l->flush, &err), PT_COMMITTED);
    commit_well(l, ME, 20, 30);
}

/* A DuckDB file is held open by the process, and another one may have its name all the same. */
static void a_duckdb_file_that_was_put_back_is_noticed_and_left_as_it_is(void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_catalog_close(&l->catalog[ME]);
    (void)snprintf(l->text, sizeof l->text, "ducklake:%s/lake.ducklake", l->folder);
    must(pt_catalog_open(&l->options, "mine", "me", &l->catalog[ME], &err), &err);
    pt_flush_free(&l->flush);
    must(pt_flush_new(NULL, 0, &l->flush, &err), &err);
    (void)claim(l, ME);
    commit_well(l, ME, 0, 10);
    shell(l, "rm -rf saved && mkdir saved && cp lake.ducklake* saved");
    commit_well(l, ME, 10, 20);
    shell(l, "rm -f lake.ducklake.wal && (cd saved && for f in *; do cp $f ../new && mv ../new "
             "../$f; done)");
    assert_int_equal(pt_catalog_look_back(l->catalog[ME], &err), PT_E_RESTART);
    assert_non_null(strstr(err.text, "start pintail again"));
    assert_int_equal(commit(l, ME, 20, 30, &err), PT_E_RESTART);
    pt_catalog_close(&l->catalog[ME]);
    shell(l, "for f in saved/*; do cmp $f ${f#saved/} || exit 1; done");
}

static void an_expired_snapshot_is_no_outage(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, ME);
    commit_well(l, ME, 0, 10);
    sql(l, "CREATE TABLE lake.others (i INTEGER)");
    sql(l, "CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)");
    must(pt_catalog_look_back(l->catalog[ME], &err), &err);
    commit_well(l, ME, 10, 20);
}

static void an_expired_snapshot_hides_no_step_back(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, ME);
    save(l);
    commit_well(l, ME, 0, 10);
    put_back_in_place(l);
    sql(l, "CREATE TABLE lake.a (i INTEGER)");
    sql(l, "CREATE TABLE lake.b (i INTEGER)");
    sql(l, "CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)");
    assert_went_back(commit(l, ME, 10, 20, &err), &err, "orders/3 from 10 to 0");
}

/* ---- tables that change under a batch ---- */

static const struct {
    const char *ddl;
    int code; /* of the commit that follows */
    const char *words;
    bool with_row; /* in the commit that follows */
} changes[] = {
    {"ALTER TABLE lake.T ADD COLUMN c INTEGER DEFAULT 7", PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T DROP COLUMN i", PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T RENAME COLUMN i TO j", PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T ALTER COLUMN i SET DATA TYPE BIGINT", PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T ALTER COLUMN i SET DEFAULT 5", PT_E_LAKE_CHANGED, "altered", false},
    {"INSERT INTO lake.T (i) VALUES (1); ALTER TABLE lake.T ALTER COLUMN i SET NOT NULL",
     PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T ADD COLUMN s.y INTEGER", PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T DROP COLUMN s.x", PT_E_LAKE_CHANGED, "altered", false},
    {"ALTER TABLE lake.T SET PARTITIONED BY (_kafka_partition)", PT_E_LAKE_CHANGED, "altered",
     false},
    {"ALTER TABLE lake.T ADD COLUMN c INTEGER; ALTER TABLE lake.T DROP COLUMN c", PT_E_LAKE_CHANGED,
     "altered", false},
    {"ALTER TABLE lake.T RENAME TO purchases", PT_E_LAKE, "is now named main.purchases", false},
    {"DROP TABLE lake.T", PT_E_LAKE, "does not exist any more", false},
    {"CREATE TABLE lake.copy AS FROM lake.T; DROP TABLE lake.T; ALTER TABLE lake.copy RENAME TO T",
     PT_E_LAKE, "does not exist any more", false},
    {"COMMENT ON TABLE lake.T IS 'of last year'", PT_OK, "", false},
    {"CREATE TABLE lake.others (i INTEGER)", PT_OK, "", false},
    {"INSERT INTO lake.T (i) VALUES (1)", PT_OK, "", false},
    {"ALTER TABLE lake.T SET SORTED BY (i)", PT_OK, "", false}, /* nothing of it is written */
    {"ALTER TABLE lake.T SET SORTED BY (i)", PT_E_LAKE_CHANGED, "the lake's settings were changed",
     true},
};

/* Of the table's own name in place of T. */
static void change(pt_session *session, const char *ddl, const char *table) {
    pt_error err = {0};
    char text[512];
    size_t n = 0;
    for (const char *p = ddl; *p && n + 64 < sizeof text; p++) {
        bool name = *p == 'T' && (p[1] == ' ' || p[1] == ';' || p[1] == '\0') &&
                    (p[-1] == '.' || p[-1] == ' ') && strncmp(p, "TO ", 3) != 0;
        n += (size_t)snprintf(text + n, sizeof text - n, name ? "%s" : "%.1s", name ? table : p);
    }
    text[n] = '\0';
    if (pt_session_run(session, text, &err) != PT_OK) {
        fail_msg("%s: %s", text, err.text);
    }
}

static void every_change_of_a_table_under_a_batch_is_noticed_and_nothing_else(void **state) {
    lake *l = *state;
    int64_t at = 10;
    (void)claim(l, ME);
    commit_well(l, ME, 0, at);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        pt_error err = {0};
        char name[16];
        pt_table_options options = {.table = name,
                                    .schema_text = "i INTEGER, s STRUCT(x INTEGER, z INTEGER)"};
        (void)snprintf(name, sizeof name, "t%zu", i);
        pt_table_free(&l->table);
        pt_flush_free(&l->flush);
        must(pt_table_open(pt_catalog_session(l->catalog[ME]), &options, &l->table, &err), &err);
        const pt_table *tables[] = {l->table};
        must(pt_flush_new(tables, 1, &l->flush, &err), &err);
        commit_well(l, ME, at, at + 10);
        at += 10;
        change(pt_catalog_session(l->catalog[OTHER]), changes[i].ddl, name);
        l->with_row = changes[i].with_row;
        int code = commit(l, ME, at, at + 10, &err);
        l->with_row = false;
        if (code != changes[i].code || (code != PT_OK && !strstr(err.text, changes[i].words))) {
            fail_msg("%s: %d: %s", changes[i].ddl, code, code == PT_OK ? "" : err.text);
        }
        at += code == PT_OK ? 10 : 0;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_catalog_that_lost_our_last_commits_is_noticed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(numbers_that_another_process_has_used_again_deceive_nobody,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_stands_by_its_owner_not_by_its_epoch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_recovery_after_the_catalog_went_back_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_put_back_as_it_was_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_expired_snapshot_is_no_outage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_expired_snapshot_hides_no_step_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            every_change_of_a_table_under_a_batch_is_noticed_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_duckdb_file_that_was_put_back_is_noticed_and_left_as_it_is, set_up,
            tear_down), /* the last one: what it leaves open keeps others from opening a file */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
