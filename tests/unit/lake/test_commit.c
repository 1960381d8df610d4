/* One transaction a flush, and the fence, on an SQLite catalog with two committers that know
 * nothing of one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duck/session.h"
#include "duck/transaction.h"
#include "lake/catalog.h"
#include "lake/ledger_form.h"
#include "lake/table_open.h"

enum { OLD, NEW };

typedef struct lake {
    char folder[64], text[128], data[128];
    char topic[16]; /* of this test alone */
    int n_topics;
    pt_lake_options options;
    pt_catalog *catalog[2];
    pt_table *dead_letters;
    pt_flush *flush;
} lake;

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static int set_up(void **state) {
    pt_error err = {0};
    lake *l = calloc(1, sizeof *l);
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/pintail-commit-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->text, sizeof l->text, "ducklake:sqlite:%s/lake.sqlite", l->folder);
    (void)snprintf(l->data, sizeof l->data, "%s/data/", l->folder);
    l->options = (pt_lake_options){.lake = l->text,
                                   .data_path = l->data,
                                   .create = true,
                                   .load = PT_LOAD_LAKE};
    must(pt_catalog_open(&l->options, "g", "old", &l->catalog[OLD], &err), &err);
    must(pt_catalog_open(&l->options, "g", "new", &l->catalog[NEW], &err), &err);
    must(pt_table_open_own(pt_catalog_session(l->catalog[OLD]), "dead_letters",
                           PT_DEAD_LETTER_COLUMNS, &l->dead_letters, &err),
         &err);
    const pt_table *tables[] = {l->dead_letters};
    must(pt_flush_new(tables, 1, &l->flush, &err), &err);
    *state = l;
    return 0;
}

static int new_topic(void **state) {
    lake *l = *state;
    for (int32_t partition = 0; partition < 2; partition++) {
        pt_catalog_release(l->catalog[OLD], l->topic, partition);
        pt_catalog_release(l->catalog[NEW], l->topic, partition);
    }
    (void)snprintf(l->topic, sizeof l->topic, "t%d", ++l->n_topics);
    return 0;
}

static int tear_down(void **state) {
    lake *l = *state;
    char command[128];
    pt_flush_free(&l->flush);
    pt_table_free(&l->dead_letters);
    pt_catalog_close(&l->catalog[OLD]);
    pt_catalog_close(&l->catalog[NEW]);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", l->folder);
    int ignored = system(command);
    (void)ignored;
    free(l);
    return 0;
}

static int64_t number(lake *l, const char *sql) {
    pt_error err = {0};
    int64_t n = 0;
    must(pt_session_int(pt_catalog_session(l->catalog[NEW]), sql, &n, &err), &err);
    return n;
}

static int64_t stands_at(lake *l) {
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "SELECT max(next_offset) FROM lake.pintail.offsets WHERE topic = '%s'",
                   l->topic);
    return number(l, sql);
}

static pt_claim claim_partition(lake *l, int who, int32_t partition) {
    pt_error err = {0};
    pt_claim c = {.topic = l->topic, .partition = partition, .next_offset = -1};
    must(pt_catalog_claim(l->catalog[who], &(pt_claiming){.claims = &c, .n = 1}, &err), &err);
    return c;
}

static pt_claim claim(lake *l, int who) {
    return claim_partition(l, who, 0);
}

static int commit_partition(lake *l, int who, int32_t partition, int64_t from, int64_t to,
                            pt_error *err) {
    pt_flush_reset(l->flush, 1);
    *pt_flush_add_entry(l->flush) = (pt_ledger_entry){.topic = l->topic,
                                                      .partition = partition,
                                                      .from_offset = from,
                                                      .next_offset = to,
                                                      .rows = to - from,
                                                      .cluster_id = "c",
                                                      .topic_id = "",
                                                      .target_table = "t",
                                                      .kind = "commit"};
    int code;
    do {
        code = pt_catalog_commit(l->catalog[who], l->flush, err) == PT_COMMITTED ? PT_OK
                                                                                 : (int)err->code;
    } while (code == PT_E_LAKE_BUSY);
    return code;
}

static int commit(lake *l, int who, int64_t from, int64_t to, pt_error *err) {
    return commit_partition(l, who, 0, from, to, err);
}

static void a_flush_without_a_ledger_row_is_refused(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, OLD);
    pt_flush_reset(l->flush, 1);
    assert_int_equal(pt_catalog_commit(l->catalog[OLD], l->flush, &err), PT_REFUSED);
    assert_int_equal(err.code, PT_E_INTERNAL);
    assert_non_null(strstr(err.text, "without a ledger row is not fenced"));
}

static void who_claimed_last_commits_and_nobody_else(void **state) {
    lake *l = *state;
    pt_error err = {0};
    assert_int_equal(claim(l, OLD).epoch, 1);
    must(commit(l, OLD, 0, 10, &err), &err);
    pt_claim taken = claim(l, NEW);
    assert_int_equal(taken.epoch, 2);
    assert_int_equal(taken.next_offset, 10);
    assert_int_equal(commit(l, OLD, 10, 20, &err), PT_E_FENCED);
    assert_non_null(strstr(
        err.text,
        " partition 0 was taken over by another process of this group (epoch 2, ours is 1)"));
    assert_int_equal(stands_at(l), 10);
    must(commit(l, NEW, 10, 20, &err), &err);
    assert_int_equal(stands_at(l), 20);
}

/* The committer does not read the epochs again while the lake stands at its own last commit. */
static void a_fence_after_any_number_of_own_commits_is_noticed(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, OLD);
    for (int64_t at = 0; at < 50; at += 10) {
        must(commit(l, OLD, at, at + 10, &err), &err);
    }
    (void)claim(l, NEW);
    assert_int_equal(commit(l, OLD, 50, 60, &err), PT_E_FENCED);
    assert_int_equal(stands_at(l), 50);
}

/* Nor does an own commit to another partition hide a fence that came before it. */
static void a_partition_that_was_taken_before_the_last_own_commit_is_not_committed(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim_partition(l, OLD, 0);
    (void)claim_partition(l, OLD, 1);
    must(commit(l, OLD, 0, 10, &err), &err);
    (void)claim_partition(l, NEW, 1);
    must(commit(l, OLD, 10, 20, &err), &err);
    assert_int_equal(commit_partition(l, OLD, 1, 0, 10, &err), PT_E_FENCED);
    assert_non_null(strstr(
        err.text,
        " partition 1 was taken over by another process of this group (epoch 2, ours is 1)"));
    must(commit(l, OLD, 20, 30, &err), &err);
}

static void a_flush_that_leaves_a_gap_or_steps_back_is_refused(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, OLD);
    must(commit(l, OLD, 0, 10, &err), &err);
    assert_int_equal(commit(l, OLD, 11, 20, &err), PT_E_FENCED);
    assert_non_null(strstr(err.text, "the lake stands at offset 10, the flush begins at 11"));
    assert_int_equal(commit(l, OLD, 9, 20, &err), PT_E_FENCED);
    must(commit(l, OLD, 10, 20, &err), &err);
}

static void a_partition_that_was_released_is_not_committed(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, OLD);
    pt_catalog_release(l->catalog[OLD], l->topic, 0);
    assert_int_equal(commit(l, OLD, 0, 10, &err), PT_E_FENCED);
    assert_non_null(strstr(err.text, "no longer assigned"));
}

static void recovery_tells_what_landed_from_what_did_not(void **state) {
    lake *l = *state;
    pt_error err = {0};
    (void)claim(l, OLD);
    must(commit(l, OLD, 0, 10, &err), &err);
    assert_int_equal(pt_catalog_settle(l->catalog[OLD], l->flush, &err), PT_COMMITTED);
    pt_flush_reset(l->flush, 1);
    *pt_flush_add_entry(
        l->flush) = (pt_ledger_entry){.topic = l->topic, .from_offset = 10, .next_offset = 20};
    assert_int_equal(pt_catalog_settle(l->catalog[OLD], l->flush, &err), PT_TRY_AGAIN);
    must(commit(l, OLD, 10, 20, &err), &err);
    (void)claim(l, NEW);
    assert_int_equal(pt_catalog_settle(l->catalog[OLD], l->flush, &err), PT_REFUSED);
    assert_int_equal(err.code, PT_E_FENCED);
}

static void ducklake_itself_retries_no_commit(void **state) {
    assert_int_equal(number(*state, "SELECT current_setting('ducklake_max_retry_count')"), 0);
}

/* ---- transactions ---- */

static int insert_and_fail(void *arg, pt_error *err) {
    PT_TRY(pt_session_run(arg, "INSERT INTO lake.pintail.epochs (epoch) VALUES (77)", err));
    return pt_session_run(arg, "INSERT INTO lake.pintail.epochs (epoch) VALUES ('not a number')",
                          err);
}

static int insert(void *arg, pt_error *err) {
    return pt_session_run(arg, "INSERT INTO lake.pintail.epochs (epoch) VALUES (78)", err);
}

static void after_a_failed_statement_nothing_lands_and_the_next_transaction_is_a_new_one(
    void **state) {
    lake *l = *state;
    pt_error err = {0};
    pt_session *session = pt_catalog_session(l->catalog[NEW]);
    assert_int_not_equal(pt_transaction(session, insert_and_fail, session, &err), PT_OK);
    assert_false(pt_error_is(&err, PT_WHY_OUTCOME_UNKNOWN));
    must(pt_transaction(session, insert, session, &err), &err);
    assert_int_equal(number(l, "SELECT sum(epoch) FROM lake.pintail.epochs WHERE pipeline IS NULL"),
                     78);
}

static int fails_busy_twice(void *arg, pt_error *err) {
    return ++*(int *)arg < 3 ? pt_fail(err, PT_E_LAKE_BUSY, "conflict")
                             : pt_fail(err, PT_E_FENCED, "taken");
}

static void what_is_busy_is_tried_again_as_a_whole_until_it_is_something_else(void **state) {
    (void)state;
    pt_error err = {0};
    int tries = 0;
    assert_int_equal(pt_retry_busy(fails_busy_twice, &tries, &err), PT_E_FENCED);
    assert_int_equal(tries, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_flush_without_a_ledger_row_is_refused, new_topic),
        cmocka_unit_test_setup(who_claimed_last_commits_and_nobody_else, new_topic),
        cmocka_unit_test_setup(a_fence_after_any_number_of_own_commits_is_noticed, new_topic),
        cmocka_unit_test_setup(
            a_partition_that_was_taken_before_the_last_own_commit_is_not_committed, new_topic),
        cmocka_unit_test_setup(a_flush_that_leaves_a_gap_or_steps_back_is_refused, new_topic),
        cmocka_unit_test_setup(a_partition_that_was_released_is_not_committed, new_topic),
        cmocka_unit_test_setup(recovery_tells_what_landed_from_what_did_not, new_topic),
        cmocka_unit_test_setup(ducklake_itself_retries_no_commit, new_topic),
        cmocka_unit_test_setup(
            after_a_failed_statement_nothing_lands_and_the_next_transaction_is_a_new_one,
            new_topic),
        cmocka_unit_test(what_is_busy_is_tried_again_as_a_whole_until_it_is_something_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
