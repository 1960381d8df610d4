/* A start leaves the lake as it was; DuckLake's own retry is off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duck/own_retry.h"
#include "duck/result.h"
#include "lake/catalog.h"
#include "lake/inlined.h"
#include "lake/ledger_form.h"
#include "lake/table_open.h"

/* A start takes half a second of CPU, since each claim makes DuckLake read again all that it knows
 * of the lake: PINTAIL_STARTS=100 takes a minute, and shows no more than a few do. */
#define STARTS 6
#define ANEW   3 /* DuckDB is opened anew */

typedef struct lake {
    char folder[64], text[128], data[128];
    pt_lake_options options;
    pt_catalog *catalog;
} lake;

static void must(int code, const pt_error *err) {
    if (code != PT_OK) {
        fail_msg("%s", err->text);
    }
}

static int set_up(void **state) {
    lake *l = calloc(1, sizeof *l);
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/pintail-starts-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->text, sizeof l->text, "ducklake:sqlite:%s/lake.sqlite", l->folder);
    (void)snprintf(l->data, sizeof l->data, "%s/data/", l->folder);
    l->options = (pt_lake_options){.lake = l->text,
                                   .data_path = l->data,
                                   .create = true,
                                   .load = PT_LOAD_LAKE,
                                   .inline_rows = 30};
    *state = l;
    return 0;
}

static int tear_down(void **state) {
    lake *l = *state;
    char command[128];
    pt_catalog_close(&l->catalog);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", l->folder);
    int ignored = system(command);
    (void)ignored;
    free(l);
    return 0;
}

/* What an ingest does with the lake before it reads its first record; in the DuckDB that is open,
 * if one is. */
static void start(lake *l) {
    static const char *const tables[] = {"plain", "parted"};
    pt_error err = {0};
    pt_table *target = NULL;
    if (!l->catalog) {
        must(pt_catalog_open(&l->options, "g", "owner", &l->catalog, &err), &err);
    }
    must(pt_ledger_create(pt_catalog_session(l->catalog), &err), &err);
    pt_session *session = pt_catalog_session(l->catalog);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        pt_table_options options = {.table = tables[i],
                                    .schema_text = "a INTEGER, b STRUCT(x INTEGER)",
                                    .topic = "t"};
        must(pt_table_open(session, &options, &target, &err), &err);
        if (pt_table_spoils_inlined(target)) {
            must(pt_inlined_forbid(session, target, &err), &err);
        }
        must(pt_table_look_for_rows(session, target, &err), &err);
        pt_table_free(&target);
    }
    must(pt_table_open_own(session, "dead_letters", PT_DEAD_LETTER_COLUMNS, &target, &err), &err);
    pt_table_free(&target);
    pt_claim claim = {.topic = "t", .partition = 0, .next_offset = -1};
    must(pt_catalog_claim(l->catalog, &(pt_claiming){.claims = &claim, .n = 1}, &err), &err);
}

static void run(lake *l, const char *sql) {
    pt_error err = {0};
    must(pt_session_run(pt_catalog_session(l->catalog), sql, &err), &err);
}

/* Schema versions and tables of inlined rows of all but the ledger (a claim comments it, and so
 * alters it) and the table of epochs, and all settings. */
static char *state_of(lake *l) {
    pt_error err = {0};
    char *text = NULL;
    must(pt_session_text(
             pt_catalog_session(l->catalog),
             "WITH t AS (SELECT table_id FROM __ducklake_metadata_lake.ducklake_table WHERE "
             "table_name NOT IN ('offsets', 'epochs')) "
             "SELECT (SELECT string_agg(table_id || ':' || schema_version, ',' ORDER BY table_id, "
             "schema_version) FROM __ducklake_metadata_lake.ducklake_schema_versions JOIN t USING "
             "(table_id)) "
             "|| ' ' || (SELECT coalesce(string_agg(table_name, ',' ORDER BY table_name), '') FROM "
             "__ducklake_metadata_lake.ducklake_inlined_data_tables JOIN t USING (table_id)) "
             "|| ' ' || (SELECT string_agg(key || '=' || value || coalesce(scope, ''), ',' ORDER "
             "BY key, value, scope_id) FROM __ducklake_metadata_lake.ducklake_metadata)",
             &text, &err),
         &err);
    assert_non_null(text);
    return text;
}

static void test_starts_leave_tables_and_settings_as_they_are(void **state) {
    lake *l = *state;
    start(l);
    run(l, "ALTER TABLE lake.parted SET PARTITIONED BY (a); ALTER TABLE lake.plain SET SORTED BY "
           "(a); CALL lake.set_option('parquet_compression', 'zstd')");
    pt_catalog_close(&l->catalog);
    start(l);
    char *before = state_of(l);
    const char *asked = getenv("PINTAIL_STARTS");
    int starts = asked ? atoi(asked) : STARTS;
    for (int i = 0; i < starts; i++) {
        if (i % ANEW == 0) {
            pt_catalog_close(&l->catalog);
        }
        start(l);
    }
    char *after = state_of(l);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_ducklakes_own_retry_is_off_and_the_probe_sees_it_when_it_is_on(void **state) {
    lake *l = *state;
    pt_error err = {0};
    bool retries = true;
    pt_session *session = pt_catalog_session(l->catalog);
    pt_engine *engine = pt_session_engine(session);
    must(pt_own_retry_probe(engine, session, &retries, &err), &err);
    assert_false(retries);
    run(l, "SET GLOBAL ducklake_max_retry_count = 10");
    must(pt_own_retry_probe(engine, session, &retries, &err), &err);
    assert_true(retries);
    must(pt_own_retry_off(engine, session, &err), &err);
    must(pt_own_retry_probe(engine, session, &retries, &err), &err);
    assert_false(retries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_leave_tables_and_settings_as_they_are),
        cmocka_unit_test(test_ducklakes_own_retry_is_off_and_the_probe_sees_it_when_it_is_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
