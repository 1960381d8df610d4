/* The auditor on small lakes made here; tests/e2e/test_check.py has every kind of damage, judged
 * from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "duck/session.h"
#include "lake/ledger.h"
#include "lake/ledger_form.h"

typedef struct lake {
    char folder[64], text[128], data[128];
    pt_engine *engine;
    pt_session *session;
} lake;

static void sql(lake *l, const char *text) {
    pt_error err = {0};
    if (pt_session_run(l->session, text, &err) != PT_OK) {
        fail_msg("%s: %s", text, err.text);
    }
}

static int set_up(void **state) {
    pt_error err = {0};
    lake *l = calloc(1, sizeof *l);
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/pintail-audit-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->text, sizeof l->text, "ducklake:%s/lake.ducklake", l->folder);
    (void)snprintf(l->data, sizeof l->data, "%s/data/", l->folder);
    pt_lake_options o = {.lake = l->text, .data_path = l->data, .create = true};
    if (pt_engine_open(&o, &l->engine, &err) != PT_OK ||
        pt_session_open(l->engine, &l->session, &err) != PT_OK ||
        pt_ledger_create(l->session, &err) != PT_OK) {
        fail_msg("%s", err.text);
    }
    sql(l, "CREATE TABLE lake.t (v INTEGER, _kafka_partition INTEGER, _kafka_offset BIGINT, "
           "_kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ)");
    sql(l, "INSERT INTO lake.t SELECT i, p, i, now(), now() FROM range(2) q(p), range(100) r(i) "
           "WHERE i <> 50");
    sql(l, "INSERT INTO lake.pintail.dead_letters (topic, \"partition\", \"offset\", error_code, "
           "target_table, pipeline) VALUES ('a', 0, 50, 'type', 't', 'g'), "
           "('a', 1, 50, 'type', 't', 'g')");
    sql(l,
        "INSERT INTO lake.pintail.offsets SELECT 'g', 'a', p, i * 50, i * 50 + 50, 50 - i, i, 1, "
        "'c', '', 't', 'commit', now(), NULL, NULL, NULL, NULL FROM range(2) q(p), range(2) r(i)");
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

static pt_audit run(lake *l, const pt_audit_options *options) {
    static const pt_audit_options all = {0};
    pt_audit audit;
    pt_error err = {0};
    if (pt_audit_run(l->engine, l->session, options ? options : &all, &audit, &err) != PT_OK) {
        fail_msg("%s", err.text);
    }
    return audit;
}

static const pt_finding *find(const pt_audit *audit, const char *kind) {
    for (size_t i = 0; i < audit->n_findings; i++) {
        if (strcmp(audit->findings[i].kind, kind) == 0) {
            return &audit->findings[i];
        }
    }
    return NULL;
}

static void a_sound_lake_has_no_findings(void **state) {
    pt_audit audit = run(*state, NULL);
    assert_int_equal(audit.n_findings, 0);
    assert_int_equal(audit.n_notes, 0);
    assert_true(audit.has_ledger && audit.snapshot > 0);
    assert_int_equal(audit.n_tables, 1);
    assert_int_equal(audit.tables[0].rows, 198);
    assert_int_equal(audit.tables[0].latest.n_rows, 5);
    assert_int_equal(audit.tables[0].sales.n_columns, 0);
    assert_int_equal(audit.n_partitions, 2);
    for (int32_t p = 0; p < 2; p++) {
        const pt_audit_partition *x = &audit.partitions[p];
        assert_int_equal(x->partition, p);
        assert_true(x->rows == 99 && x->dead_letters == 1 && x->first_offset == 0 &&
                    x->next_offset == 100 && x->gaps == 0 && x->duplicates == 0);
        assert_true(x->not_exposed == 0 && x->current && x->lag == -1);
    }
    pt_audit_clear(&audit);
    pt_audit_clear(&audit); /* twice is fine */
}

static void the_offsets_of_missing_and_doubled_rows_are_named(void **state) {
    sql(*state, "DELETE FROM lake.t WHERE _kafka_partition = 1 AND _kafka_offset IN (3, 77)");
    sql(*state,
        "INSERT INTO lake.t (_kafka_partition, _kafka_offset) VALUES (1, 4), (1, 4), (0, 100)");
    pt_audit audit = run(*state, NULL);
    const pt_finding *missing = find(&audit, "missing_rows"), *twice = find(&audit, "duplicate"),
                     *unknown = find(&audit, "unknown_offset");
    assert_int_equal(audit.n_findings, 3);
    assert_true(missing && missing->partition == 1 && missing->count == 2 &&
                missing->n_examples == 2);
    assert_true(missing->examples[0] == 3 && missing->examples[1] == 77);
    assert_true(twice && twice->count == 2 && twice->n_examples == 1 && twice->examples[0] == 4);
    assert_true(unknown && unknown->partition == 0 && unknown->examples[0] == 100);
    pt_audit_clear(&audit);
}

static void no_more_than_ten_offsets_are_named(void **state) {
    sql(*state, "DELETE FROM lake.t WHERE _kafka_partition = 0");
    pt_audit audit = run(*state, NULL);
    const pt_finding *missing = find(&audit, "missing_rows");
    assert_true(missing && missing->count == 99 && missing->n_examples == PT_AUDIT_EXAMPLES &&
                missing->examples[9] == 9);
    pt_audit_clear(&audit);
}

static void one_audit_leaves_nothing_to_the_next(void **state) {
    pt_audit first = run(*state, NULL);
    sql(*state, "DELETE FROM lake.t WHERE _kafka_partition = 0 AND _kafka_offset = 1");
    pt_audit second = run(*state, NULL);
    assert_int_equal(first.n_findings, 0);
    assert_int_equal(second.n_findings, 1);
    assert_true(second.snapshot > first.snapshot);
    pt_audit_clear(&first);
    pt_audit_clear(&second);
}

static void an_unknown_topic_or_table_is_an_error(void **state) {
    lake *l = *state;
    const char *const name = "none";
    const pt_audit_options options[] = {{.topics = &name, .n_topics = 1},
                                        {.tables = &name, .n_tables = 1},
                                        {.pipeline = name}};
    for (size_t i = 0; i < 3; i++) {
        pt_audit audit;
        pt_error err = {0};
        assert_int_equal(pt_audit_run(l->engine, l->session, &options[i], &audit, &err), PT_E_LAKE);
        assert_non_null(strstr(err.text, "none"));
        pt_audit_clear(&audit);
    }
}

static void names_with_quotes_are_names(void **state) {
    lake *l = *state;
    sql(l, "CREATE TABLE lake.\"o'\"\"t\" (v INTEGER, _kafka_partition INTEGER, _kafka_offset "
           "BIGINT)");
    sql(l, "INSERT INTO lake.\"o'\"\"t\" VALUES (1, 0, 0)");
    sql(l, "INSERT INTO lake.pintail.offsets VALUES ('g''', 'a''b', 0, 0, 1, 1, 0, 1, 'c', '', "
           "'o''\"t', 'commit', now(), NULL, NULL, NULL, NULL)");
    pt_audit audit = run(l, NULL);
    assert_int_equal(audit.n_findings, 0);
    assert_int_equal(audit.n_tables, 2);
    assert_int_equal(audit.n_partitions, 3);
    pt_audit_clear(&audit);
}

#define LINE                                                                                       \
    "INSERT INTO lake.pintail.offsets (pipeline, topic, \"partition\", from_offset, next_offset, " \
    "row_count, dead_letter_count, epoch, target_table, kind, detail) VALUES "

/* Nothing is found, and the partitions stand where rows of kinds that move the position have left
 * them. */
static void assert_sound(lake *l, int64_t next_0, int64_t next_1) {
    pt_audit audit = run(l, NULL);
    assert_int_equal(audit.n_findings, 0);
    assert_int_equal(audit.n_partitions, 2);
    assert_int_equal(audit.partitions[0].next_offset, next_0);
    assert_int_equal(audit.partitions[1].next_offset, next_1);
    pt_audit_clear(&audit);
}

static void rows_of_every_kind_are_summed(void **state) {
    lake *l = *state;
    sql(l, "DELETE FROM lake.pintail.dead_letters WHERE \"partition\" = 0");
    sql(l, "INSERT INTO lake.t (_kafka_partition, _kafka_offset) VALUES (0, 50)");
    sql(l, LINE "('g', 'a', 0, 50, 50, 1, -1, 7, 't', 'replay', NULL)");
    sql(l, "DELETE FROM lake.pintail.dead_letters");
    sql(l, LINE "('g', 'a', 1, 50, 50, 0, -1, 1, 't', 'discard', '{\"reason\":\"spam\"}')");
    assert_sound(l, 100, 100);
    sql(l, "DELETE FROM lake.t WHERE _kafka_partition = 0 AND _kafka_offset >= 60");
    sql(l, LINE "('g', 'a', 0, 100, 60, -40, 0, 8, 't', 'reset', '{\"rows\":[60,99]}')");
    assert_sound(l, 60, 100);
    sql(l, LINE "('g', 'a', 0, 99, 99, 0, 0, 9, 't', 'moved', NULL)");
    sql(l, "INSERT INTO lake.t SELECT 1, 0, i, now(), now() FROM range(60, 80) r(i)");
    sql(l, LINE "('g', 'a', 0, 60, 80, 20, 0, 8, 't', 'commit', NULL)");
    assert_sound(l, 80, 100);
    sql(l, LINE "('g', 'a', 0, 70, 70, 1, -1, 9, 't', 'replay', NULL)");
    pt_audit audit = run(l, NULL);
    assert_non_null(find(&audit, "missing_rows"));
    pt_audit_clear(&audit);
}

static void tables_of_a_newer_pintail_are_not_judged(void **state) {
    lake *l = *state;
    pt_audit_options all = {0};
    pt_audit audit;
    pt_error err = {0};
    sql(l, "UPDATE lake.pintail.meta SET value = CASE key WHEN 'schema_version' THEN '10' ELSE "
           "'pintail 9.8.7' END");
    assert_int_equal(pt_audit_run(l->engine, l->session, &all, &audit, &err), PT_E_LAKE);
    assert_non_null(strstr(err.text, "use pintail 9.8.7 or a newer one"));
    pt_audit_clear(&audit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_lake_has_no_findings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_offsets_of_missing_and_doubled_rows_are_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_more_than_ten_offsets_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_audit_leaves_nothing_to_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_topic_or_table_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_with_quotes_are_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_of_every_kind_are_summed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tables_of_a_newer_pintail_are_not_judged, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
