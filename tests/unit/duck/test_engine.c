/* A DuckDB that gave itself up after an internal error must not take the process with it. */
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

typedef struct place {
    char folder[64], duckdb[128], sqlite[128], data[128];
} place;

static int set_up(void **state) {
    place *p = calloc(1, sizeof *p);
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/pintail-engine-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->duckdb, sizeof p->duckdb, "ducklake:%s/lake.ducklake", p->folder);
    (void)snprintf(p->sqlite, sizeof p->sqlite, "ducklake:sqlite:%s/lake.sqlite", p->folder);
    (void)snprintf(p->data, sizeof p->data, "%s/data/", p->folder);
    *state = p;
    return 0;
}

static int tear_down(void **state) {
    place *p = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    int ignored = system(command);
    (void)ignored;
    free(p);
    return 0;
}

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

/* Asks DuckDB for a member that the struct does not have: it answers with the internal error that
 * PostgreSQL's restarts were seen to bring. */
static void fail_inside(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out) {
    (void)info;
    (void)in;
    (void)duckdb_struct_vector_get_child(out, 100);
}

static void add_fail_inside(pt_session *session) {
    const char *member = "x";
    duckdb_logical_type integer = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    duckdb_logical_type type = duckdb_create_struct_type(&integer, &member, 1);
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, "fail_inside");
    duckdb_scalar_function_add_parameter(function, integer);
    duckdb_scalar_function_set_return_type(function, type);
    duckdb_scalar_function_set_function(function, fail_inside);
    assert_int_equal(duckdb_register_scalar_function(pt_session_connection(session), function),
                     DuckDBSuccess);
    duckdb_destroy_scalar_function(&function);
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_logical_type(&integer);
}

static int write_and_fail(void *arg, pt_error *err) {
    PT_TRY(pt_session_run(arg, "INSERT INTO lake.t SELECT range FROM range(100)", err));
    return pt_session_run(arg, "SELECT fail_inside(range::INTEGER) FROM range(3)", err);
}

/* Opens the lake (NULL: none) and makes its DuckDB give itself up in the middle of a transaction,
 * with or without pintail's knowing. */
static void open_and_fail(const place *p, const char *lake, bool known) {
    pt_error err = {0};
    pt_engine *engine = NULL;
    pt_session *session = NULL;
    pt_lake_options o = {.lake = lake,
                         .data_path = lake ? p->data : NULL,
                         .create = true,
                         .load = lake ? PT_LOAD_LAKE : PT_LOAD_NOTHING};
    must(pt_engine_open(&o, &engine, &err), &err);
    must(pt_session_open(engine, &session, &err), &err);
    must(pt_session_run(session,
                        lake ? "CREATE TABLE IF NOT EXISTS lake.t (v BIGINT)"
                             : "CREATE SCHEMA lake; CREATE TABLE lake.t (v BIGINT)",
                        &err),
         &err);
    add_fail_inside(session);
    if (known) {
        assert_int_not_equal(pt_transaction(session, write_and_fail, session, &err), PT_OK);
        assert_non_null(strstr(err.text, "index 100"));
        assert_true(pt_engine_invalid(engine));
        assert_int_equal(pt_session_run(session, "SELECT 1", &err), PT_E_LAKE_DOWN);
    } else {
        must(pt_session_run(session, "BEGIN", &err), &err);
        assert_int_not_equal(write_and_fail(session, &err), PT_OK);
        assert_false(pt_engine_invalid(engine));
    }
    pt_session_close(&session);
    pt_engine_close(&engine);
    assert_null(session);
    assert_null(engine);
}

static int open_again(const place *p, const char *lake, pt_error *err) {
    pt_engine *engine = NULL;
    pt_lake_options o = {.lake = lake,
                         .data_path = lake ? p->data : NULL,
                         .create = true,
                         .load = lake ? PT_LOAD_LAKE : PT_LOAD_NOTHING};
    int code = pt_engine_open(&o, &engine, err);
    pt_engine_close(&engine);
    return code;
}

static void an_engine_that_gave_itself_up_is_set_aside_and_another_opens(void **state) {
    pt_error err = {0};
    open_and_fail(*state, NULL, true);
    must(open_again(*state, NULL, &err), &err);
    must(open_again(*state, ((place *)*state)->duckdb, &err), &err);
    open_and_fail(*state, NULL, false);
    must(open_again(*state, NULL, &err), &err);
}

static void a_catalog_file_that_it_held_needs_another_process(void **state) {
    pt_error err = {0};
    const place *p = *state;
    open_and_fail(p, p->sqlite, true);
    assert_int_equal(open_again(p, p->sqlite, &err), PT_E_RESTART);
    assert_non_null(strstr(err.text, "nothing is lost: start pintail again"));
    assert_int_equal(open_again(p, p->duckdb, &err), PT_E_RESTART);
    must(open_again(p, NULL, &err), &err);
}

static void not_more_than_a_few_are_set_aside(void **state) {
    pt_error err = {0};
    for (int i = 0; i < 5; i++) { /* the other tests: three */
        open_and_fail(*state, NULL, i % 2 == 0);
    }
    assert_int_equal(open_again(*state, NULL, &err), PT_E_RESTART);
    assert_non_null(strstr(err.text, "8 times"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_engine_that_gave_itself_up_is_set_aside_and_another_opens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_catalog_file_that_it_held_needs_another_process, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(not_more_than_a_few_are_set_aside, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
