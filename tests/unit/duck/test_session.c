/* Values reach a statement as they are, whatever stands in them, and come back as they went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "duck/result.h"
#include "duck/session.h"
#include "duck/uuid.h"

typedef struct place {
    char folder[64];
    pt_engine *engine;
    pt_session *session;
} place;

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static void open_lake(place *p, const char *alias, const char *make) {
    char lake[128];
    pt_error err;
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/pintail-session-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(lake, sizeof lake, "ducklake:%s/lake.ducklake", p->folder);
    pt_lake_options o = {.lake = lake, .alias = alias, .create = true, .threads = 1};
    if (make) {
        pt_lake_options none = {.load = PT_LOAD_REMOTE, .threads = 1};
        must(pt_engine_open(&none, &p->engine, &err), &err);
        must(pt_session_open(p->engine, &p->session, &err), &err);
        must(pt_session_runf(p->session, &err, make, lake, p->folder), &err);
        pt_session_close(&p->session);
        pt_engine_close(&p->engine);
    }
    must(pt_engine_open(&o, &p->engine, &err), &err);
    must(pt_session_open(p->engine, &p->session, &err), &err);
}

static void close_lake(place *p) {
    char command[128];
    pt_session_close(&p->session);
    pt_engine_close(&p->engine);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    int ignored = system(command);
    (void)ignored;
}

static place here;

static int set_up(void **state) {
    (void)state;
    open_lake(&here, "my lake", NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    close_lake(&here);
    return 0;
}

static void comes_back(pt_value value, const char *cast, const char *expected) {
    pt_error err;
    char sql[128];
    char *text;
    (void)snprintf(sql, sizeof sql, "SELECT ?%s", cast);
    must(pt_session_exec_text(here.session, &text, &err, sql, PT_VALUES(value)), &err);
    if (expected) {
        assert_non_null(text);
        assert_string_equal(text, expected);
    } else {
        assert_null(text);
    }
    free(text);
}

static void a_value_of_each_type_comes_back(void **state) {
    (void)state;
    comes_back(pt_int(INT64_MIN), "", "-9223372036854775808");
    comes_back(pt_int(INT64_MAX), "::BIGINT", "9223372036854775807");
    comes_back(pt_real(0.1), "", "0.1");
    comes_back(pt_bool(true), "", "true");
    comes_back(pt_bool(false), "::BOOLEAN", "false");
    comes_back(pt_str(""), "", "");
    comes_back(pt_str("gr\u00fc\u00df dich"), "", "gr\u00fc\u00df dich");
    comes_back(pt_str_n("abcdef", 3), "", "abc");
    comes_back(pt_blob("\0\xff'", 3), "::BLOB", "\\x00\\xFF\\x27");
    comes_back(pt_null(), "", NULL);
    comes_back(pt_null(), "::INTEGER", NULL);
    comes_back(pt_str(NULL), "", NULL);
    comes_back(pt_blob(NULL, 0), "", NULL);
}

static void hostile_text_is_a_value_and_nothing_else(void **state) {
    (void)state;
    static const char *const texts[] = {"'; DROP TABLE \"my lake\".t; --",
                                        "\"",
                                        "''",
                                        "?",
                                        "$1",
                                        "@lake @meta",
                                        "a;b",
                                        "/* ",
                                        "\n\r\t",
                                        "%s%n"};
    pt_error err;
    must(pt_session_exec(here.session, NULL, &err, "CREATE OR REPLACE TABLE @lake.t (a VARCHAR)",
                         PT_NO_VALUES),
         &err);
    int64_t n = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        must(pt_session_exec(here.session, NULL, &err, "INSERT INTO @lake.t VALUES (?)",
                             PT_VALUES(pt_str(texts[i]))),
             &err);
        must(pt_session_exec_int(here.session, &n, &err, "SELECT count(*) FROM @lake.t WHERE a = ?",
                                 PT_VALUES(pt_str(texts[i]))),
             &err);
        assert_int_equal(n, 1);
        comes_back(pt_str(texts[i]), "", texts[i]);
    }
}

static void a_nul_byte_does_not_end_a_text(void **state) {
    (void)state;
    pt_error err;
    int64_t n;
    must(pt_session_exec_int(here.session, &n, &err, "SELECT strlen(?)",
                             PT_VALUES(pt_str_n("a\0b", 3))),
         &err);
    assert_int_equal(n, 3);
}

static void text_that_is_not_utf8_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pt_error err;
        assert_int_equal(pt_session_exec(here.session, NULL, &err, "SELECT ?",
                                         PT_VALUES(pt_str(texts[i]))),
                         PT_E_DATA);
    }
}

static void a_wrong_number_of_values_is_an_error_of_ours(void **state) {
    (void)state;
    pt_error err;
    pt_result rows;
    assert_int_equal(pt_session_exec(here.session, &rows, &err, "SELECT ?", PT_NO_VALUES),
                     PT_E_INTERNAL);
    assert_int_equal(pt_session_exec(here.session, NULL, &err, "SELECT 1", PT_VALUES(pt_int(1))),
                     PT_E_INTERNAL);
    assert_int_equal(pt_session_exec(here.session, NULL, &err, "SELECT ?, ?",
                                     PT_VALUES(pt_int(1), pt_int(2), pt_int(3))),
                     PT_E_INTERNAL);
    assert_string_equal(err.text, "a statement has 2 parameters and was given 3 values");
}

static void a_value_that_does_not_fit_fails_the_statement(void **state) {
    (void)state;
    pt_error err;
    assert_int_equal(pt_session_exec(here.session, NULL, &err,
                                     "SELECT 1 FROM range(3) r(i) WHERE i = ?::INTEGER",
                                     PT_VALUES(pt_str("abc"))),
                     PT_E_LAKE);
}

static void one_value_may_stand_in_two_places(void **state) {
    (void)state;
    pt_error err;
    char *text;
    must(pt_session_exec_text(here.session, &text, &err, "SELECT $2 || $1 || $2",
                              PT_VALUES(pt_str("a"), pt_str("b"))),
         &err);
    assert_string_equal(text, "bab");
    free(text);
}

static void rows_come_as_text_whatever_their_type(void **state) {
    (void)state;
    pt_error err;
    pt_result rows;
    must(pt_session_exec(here.session, &rows, &err,
                         "SELECT i, i::UTINYINT AS small, i > 1 AS more, [i, NULL] AS list, "
                         "TIMESTAMP '2026-01-02 03:04:05' AS at, i::HUGEINT AS huge, nullif(i, ?) "
                         "FROM range(3) r(i) ORDER BY i",
                         PT_VALUES(pt_int(2))),
         &err);
    assert_int_equal(rows.n_rows, 3);
    assert_int_equal(rows.n_columns, 7);
    assert_string_equal(rows.names[1], "small");
    assert_string_equal(pt_result_cell(&rows, 1, 0), "1");
    assert_string_equal(pt_result_cell(&rows, 1, 1), "1");
    assert_string_equal(pt_result_cell(&rows, 2, 2), "true");
    assert_string_equal(pt_result_cell(&rows, 1, 3), "[1, NULL]");
    assert_string_equal(pt_result_cell(&rows, 0, 4), "2026-01-02 03:04:05");
    assert_string_equal(pt_result_cell(&rows, 2, 5), "2");
    assert_null(pt_result_cell(&rows, 2, 6));
    pt_result_clear(&rows);
    must(pt_session_exec(here.session, &rows, &err, "SELECT i FROM range(5000) r(i) ORDER BY i",
                         PT_NO_VALUES),
         &err);
    assert_int_equal(rows.n_rows, 5000);
    assert_int_equal(pt_result_int(&rows, 4999, 0), 4999);
    pt_result_clear(&rows);
}

static void lake_and_meta_are_names_outside_of_quotes_alone(void **state) {
    (void)state;
    pt_error err;
    pt_result rows;
    must(pt_session_exec(here.session, &rows, &err,
                         "SELECT '@lake', \"@meta\", (SELECT count(*) > 0 FROM "
                         "@meta.ducklake_metadata) FROM (SELECT 1 AS \"@meta\")",
                         PT_NO_VALUES),
         &err);
    assert_string_equal(pt_result_cell(&rows, 0, 0), "@lake");
    assert_string_equal(pt_result_cell(&rows, 0, 1), "1");
    assert_string_equal(pt_result_cell(&rows, 0, 2), "true");
    pt_result_clear(&rows);
    assert_string_equal(pt_session_alias(here.session), "my lake");
    assert_ptr_equal(pt_session_engine(here.session), here.engine);
}

/* DuckDB does not bind a statement that it kept again for every change: so none is kept. */
static void the_same_statement_sees_what_others_have_committed(void **state) {
    (void)state;
    pt_error err;
    pt_session *other;
    must(pt_session_open(here.engine, &other, &err), &err);
    must(pt_session_run(here.session, "CREATE OR REPLACE TABLE \"my lake\".u (a INTEGER)", &err),
         &err);
    int64_t snapshot = -1;
    for (int i = 0; i < 3; i++) {
        int64_t now;
        int64_t rows;
        must(pt_session_exec(other, NULL, &err, "INSERT INTO @lake.u VALUES (?)",
                             PT_VALUES(pt_int(i))),
             &err);
        must(pt_session_exec_int(here.session, &now, &err,
                                 "SELECT id FROM ducklake_current_snapshot(?)",
                                 PT_VALUES(pt_str("my lake"))),
             &err);
        must(pt_session_exec_int(here.session, &rows, &err,
                                 "SELECT count(*) FROM @lake.u WHERE a < ?", PT_VALUES(pt_int(10))),
             &err);
        assert_true(now > snapshot);
        assert_int_equal(rows, i + 1);
        snapshot = now;
    }
    must(pt_session_run(other, "ALTER TABLE \"my lake\".u ADD COLUMN b INTEGER", &err), &err);
    assert_int_not_equal(pt_session_exec(here.session, NULL, &err, "INSERT INTO @lake.u VALUES (?)",
                                         PT_VALUES(pt_int(1))),
                         PT_OK);
    pt_session_close(&other);
}

static void uuids_are_of_version_7_and_none_comes_twice(void **state) {
    (void)state;
    pt_error err;
    char ids[200][PT_UUID_SIZE];
    for (size_t i = 0; i < 200; i++) {
        must(i % 50 ? pt_uuid_any(here.session, ids[i], &err)
                    : pt_uuid_now(here.session, ids[i], &err),
             &err);
        assert_int_equal(strlen(ids[i]), PT_UUID_SIZE - 1);
        assert_int_equal(ids[i][14], '7');
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(ids[i], ids[k]);
        }
    }
    int64_t before = pt_now_us() / 1000;
    must(pt_uuid_now(here.session, ids[0], &err), &err);
    char hex[13];
    (void)snprintf(hex, sizeof hex, "%.8s%.4s", ids[0], ids[0] + 9);
    int64_t at = (int64_t)strtoull(hex, NULL, 16);
    assert_true(at >= before && at <= pt_now_us() / 1000);
}

static void an_error_has_its_reason(void **state) {
    (void)state;
    pt_error err;
    must(pt_session_run(here.session, "BEGIN", &err), &err);
    assert_int_not_equal(pt_session_run(here.session, "BEGIN", &err), PT_OK);
    assert_true(pt_error_is(&err, PT_WHY_IN_TRANSACTION));
    must(pt_session_run(here.session, "ROLLBACK", &err), &err);
    assert_int_not_equal(pt_session_exec(here.session, NULL, &err, "FROM read_parquet(?)",
                                         PT_VALUES(pt_str("/nowhere/x"))),
                         PT_OK);
    assert_true(pt_error_is(&err, PT_WHY_NO_FILE));
}

static void errors_of_an_encrypted_lake_cite_no_value(void **state) {
    (void)state;
    place p = {0};
    open_lake(&p, "lake", "ATTACH '%s' AS l (DATA_PATH '%s/data/', ENCRYPTED); DETACH l");
    assert_true(pt_engine_encrypted(p.engine));
    static const char *const statements[] = {"SELECT ?::VARCHAR::INTEGER", "SELECT CAST(? AS DATE)",
                                             "SELECT error(?::VARCHAR)",
                                             "SELECT CAST(? AS INTEGER[])"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        pt_error err;
        assert_int_not_equal(pt_session_exec(p.session, NULL, &err, statements[i],
                                             PT_VALUES(pt_str("the 'secret\" value"))),
                             PT_OK);
        if (strstr(err.text, "secret")) {
            fail_msg("%s: %s", statements[i], err.text);
        }
    }
    close_lake(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_of_each_type_comes_back),
        cmocka_unit_test(hostile_text_is_a_value_and_nothing_else),
        cmocka_unit_test(a_nul_byte_does_not_end_a_text),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(a_wrong_number_of_values_is_an_error_of_ours),
        cmocka_unit_test(a_value_that_does_not_fit_fails_the_statement),
        cmocka_unit_test(one_value_may_stand_in_two_places),
        cmocka_unit_test(rows_come_as_text_whatever_their_type),
        cmocka_unit_test(lake_and_meta_are_names_outside_of_quotes_alone),
        cmocka_unit_test(the_same_statement_sees_what_others_have_committed),
        cmocka_unit_test(uuids_are_of_version_7_and_none_comes_twice),
        cmocka_unit_test(an_error_has_its_reason),
        cmocka_unit_test(errors_of_an_encrypted_lake_cite_no_value),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
