/* Rows over chunks: what was committed is read, what was not is gone, and a reset leaves nothing
 * behind. */
#include "decode/json/decode_testing.h"

static void rows_continue_over_chunks(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a INTEGER, b VARCHAR");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10000; i++) {
            assert_int_equal(pt_rows_open(f.rows, &f.err), PT_OK);
            ((int32_t *)pt_rows_data(f.rows, 0))[pt_rows_at(f.rows)] = i;
            char text[32];
            int n = snprintf(text, sizeof text, i % 2 ? "%d" : "a long text number %d", i);
            assert_int_equal(pt_rows_string(f.rows, 1, text, (size_t)n, &f.err), PT_OK);
            if (i % 10 == round) {
                pt_rows_null(f.rows, 0);
            }
            if (i % 100 == 50 + round) {
                pt_rows_null(f.rows, 1);
            }
            pt_rows_commit(f.rows);
        }
        assert_int_equal(pt_rows_count(f.rows), 10000);
        assert_int_equal(pt_rows_chunks(f.rows), 5);
        assert_int_equal(pt_rows_columns(f.rows), 2);
        fixture_scan(&f);
        char want[64];
        long sum = 49995000;
        for (int i = round; i < 10000; i += 10) {
            sum -= i;
        }
        (void)snprintf(want, sizeof want, "10000 9000 9900 %ld 9899", sum);
        char *got = sql_text(
            "SELECT concat_ws(' ', count(*), count(c0), count(c1), sum(c0), count(*) FILTER (c1 IN "
            "(c0::VARCHAR, 'a long text number ' || c0)) + "
            "count(*) FILTER (c0 IS NULL AND c1 IS NOT NULL) - 1) FROM scan_rows()");
        assert_string_equal(got, want);
        free(got);
        pt_rows_reset(f.rows, 0);
        assert_int_equal(pt_rows_count(f.rows), 0);
        assert_int_equal(pt_rows_chunks(f.rows), 0);
        assert_int_equal(pt_rows_bytes(f.rows), 0);
    }
    fixture_close(&f);
}

static void add_numbers(fixture *f, int n) {
    for (int i = 0; i < n; i++) {
        assert_int_equal(pt_rows_open(f->rows, &f->err), PT_OK);
        ((int32_t *)pt_rows_data(f->rows, 0))[pt_rows_at(f->rows)] = i;
        pt_rows_commit(f->rows);
    }
}

static void who_follows_has_the_full_chunks_at_once(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a INTEGER");
    const int rows[] = {0, 1, 2047, 2048, 2049, 61440, 122879, 122880, 122881};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool growing = false;
        add_numbers(&f, rows[i]);
        assert_int_equal(pt_rows_ready(f.rows, &growing), (rows[i] + 2047) / 2048);
        assert_false(growing);
        pt_rows_share(f.rows);
        assert_int_equal(pt_rows_ready(f.rows, &growing), rows[i] / 2048);
        assert_true(growing);
        add_numbers(&f, 5);
        pt_rows_finish(f.rows, true);
        assert_int_equal(pt_rows_ready(f.rows, &growing), (rows[i] + 5 + 2047) / 2048);
        assert_false(growing);
        pt_rows_reset(f.rows, 0);
    }
    fixture_close(&f);
}

static void an_uncommitted_row_leaves_nothing(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a INTEGER, b VARCHAR, c STRUCT(x INTEGER, y VARCHAR[]), d INTEGER[][], m "
                     "MAP(VARCHAR, INTEGER)");
    static const char good[] =
        "{\"a\":1,\"b\":\"a text of many bytes\",\"c\":{\"x\":2,\"y\":[\"p\",\"a text of many "
        "bytes\"]},\"d\":[[1,2],[3]],\"m\":{\"k\":4}}";
    static const char *const bad[] = {
        "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"m\":null,\"a\":1}",
        "{\"b\":\"another text of many "
        "bytes\",\"c\":{\"x\":null,\"y\":[null,null,null]},\"d\":[[null,null],null,[null]],\"m\":{"
        "\"k\":null,\"l\":null},\"a\":\"x\"}",
        "{\"c\":{\"y\":[\"another text of many bytes\",null]},\"d\":[null,[1,2,3,null,5],",
        "{\"d\":[[1],[2],[3,\"x\"]]}",
    };
    size_t bytes = 0;
    for (int i = 0; i < 5000; i++) {
        assert_int_not_equal(decode_text(&f, bad[i % 4]).code, PT_DECODE_OK);
        assert_int_equal(pt_rows_bytes(f.rows), bytes);
        assert_int_equal(decode_text(&f, good).code, PT_DECODE_OK);
        assert_true(pt_rows_bytes(f.rows) > bytes);
        bytes = pt_rows_bytes(f.rows);
        assert_int_not_equal(decode_text(&f, bad[(i + 1) % 4]).code, PT_DECODE_OK);
    }
    fixture_scan(&f);
    char *got = sql_text("SELECT concat_ws(' ', count(*), count(DISTINCT (c0, c1, c2, c3, c4)), "
                         "any_value(concat_ws(' | ', c0, c1, c2, c3, c4))) FROM scan_rows()");
    assert_string_equal(got, "5000 1 1 | a text of many bytes | {'x': 2, 'y': [p, a text of many "
                             "bytes]} | [[1, 2], [3]] | {k=4}");
    free(got);
    fixture_close(&f);
}

static void lists_grow_and_shrink_with_their_nulls(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a INTEGER[], s STRUCT(x INTEGER, y VARCHAR)[], n INTEGER[][]");
    for (int round = 0; round < 3; round++) {
        char *json = malloc(4000000);
        size_t total = 0, nulls = 0;
        for (int row = 0; row < 40; row++) {
            size_t n = (size_t)row * 200, len = (size_t)sprintf(json, "{\"a\":[");
            for (size_t i = 0; i < n; i++) {
                bool null = (i + (size_t)round) % 7 == 0;
                nulls += null;
                len += (size_t)sprintf(json + len, "%s%s", i ? "," : "", null ? "null" : "5");
            }
            len += (size_t)sprintf(json + len, "],\"s\":[");
            for (size_t i = 0; i < n; i++) {
                len += (size_t)sprintf(json + len, "%s%s", i ? "," : "",
                                       (i + (size_t)round) % 7 == 0
                                           ? "null"
                                           : "{\"x\":5,\"y\":\"some text of many bytes\"}");
            }
            len += (size_t)sprintf(json + len, "],\"n\":[");
            for (size_t i = 0; i < n; i++) {
                len += (size_t)sprintf(json + len, "%s%s", i ? "," : "",
                                       (i + (size_t)round) % 7 == 0 ? "null" : "[5,null]");
            }
            len += (size_t)sprintf(json + len, "]}");
            assert_int_equal(decode_bytes(&f, json, len).code, PT_DECODE_OK);
            total += n;
        }
        fixture_scan(&f);
        char want[200];
        (void)snprintf(want, sizeof want, "%zu %zu %zu %zu %zu %zu %zu %zu", total,
                       5 * (total - nulls), total, 5 * (total - nulls), total - nulls, total,
                       5 * (total - nulls), total - nulls);
        char *got = sql_text("SELECT concat_ws(' ', sum(len(c0)), sum(list_sum(c0)), sum(len(c1)), "
                             "sum(list_sum([e.x for e in c1])), sum(len([1 for e in c1 if e.y = "
                             "'some text of many bytes'])), sum(len(c2)), "
                             "sum(list_sum(flatten(c2))), sum(len([1 for e in c2 if e[2] IS NULL "
                             "AND e IS NOT NULL])))"
                             " FROM scan_rows()");
        assert_string_equal(got, want);
        free(got);
        free(json);
        assert_true(pt_rows_memory(f.rows) >= pt_rows_bytes(f.rows));
        pt_rows_reset(f.rows, 0);
    }
    fixture_close(&f);
}

static void a_null_struct_has_null_members(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a STRUCT(b STRUCT(c INTEGER, d VARCHAR[]))");
    assert_int_equal(decode_text(&f, "{\"a\":{\"b\":{\"c\":1,\"d\":[\"x\"]}}}").code, PT_DECODE_OK);
    assert_int_equal(decode_text(&f, "{\"a\":null}").code, PT_DECODE_OK);
    assert_int_equal(decode_text(&f, "{\"a\":{\"b\":null}}").code, PT_DECODE_OK);
    fixture_scan(&f);
    char *got = sql_text("SELECT concat_ws(' ', count(c0), count(c0.b), count(c0.b.c), "
                         "count(c0.b.d)) FROM scan_rows()");
    assert_string_equal(got, "2 1 1 1");
    free(got);
    fixture_close(&f);
}

static void a_reset_keeps_no_more_than_it_may(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a VARCHAR");
    char *big = malloc(3000000);
    memset(big, 'x', 3000000);
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(pt_rows_open(f.rows, &f.err), PT_OK);
        assert_int_equal(pt_rows_string(f.rows, 0, big, i % 1000 == 0 ? 3000000 : 500, &f.err),
                         PT_OK);
        pt_rows_commit(f.rows);
    }
    assert_true(pt_rows_bytes(f.rows) >= 20 * 3000000 + 500 * 19980 + 20000 * 16);
    assert_true(pt_rows_memory(f.rows) >= pt_rows_bytes(f.rows));
    fixture_scan(&f);
    char *got = sql_text("SELECT sum(length(c0)) FROM scan_rows()");
    assert_string_equal(got, "69990000");
    free(got);
    pt_rows_reset(f.rows, 1000000);
    assert_true(pt_rows_memory(f.rows) <= 1000000);
    assert_int_equal(pt_rows_open(f.rows, &f.err), PT_OK);
    assert_int_equal(pt_rows_string(f.rows, 0, "again", 5, &f.err), PT_OK);
    pt_rows_commit(f.rows);
    got = sql_text("SELECT concat_ws(' ', count(*), min(c0)) FROM scan_rows()");
    assert_string_equal(got, "1 again");
    free(got);
    free(big);
    fixture_close(&f);
}

static void memory_is_used_again_after_a_reset(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a VARCHAR, b INTEGER[]");
    size_t memory = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 5000; i++) {
            assert_int_equal(
                decode_text(&f, "{\"a\":\"some text of many bytes\",\"b\":[1,2,3]}").code,
                PT_DECODE_OK);
        }
        if (round) {
            assert_int_equal(pt_rows_memory(f.rows), memory);
        }
        memory = pt_rows_memory(f.rows);
        pt_rows_reset(f.rows, 0);
    }
    fixture_close(&f);
}

static void rows_of_another_shape_are_an_internal_error(void **state) {
    (void)state;
    fixture f, g;
    fixture_open(&f, "a INTEGER");
    fixture_open(&g, "a VARCHAR");
    pt_decode_error e;
    assert_int_equal(pt_rows_open(g.rows, &g.err), PT_OK);
    assert_int_equal(decode_value(f.decoder, "{}", 2, g.rows, &e, &g.err), PT_E_INTERNAL);
    fixture_close(&f);
    fixture_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_continue_over_chunks),
        cmocka_unit_test(who_follows_has_the_full_chunks_at_once),
        cmocka_unit_test(an_uncommitted_row_leaves_nothing),
        cmocka_unit_test(lists_grow_and_shrink_with_their_nulls),
        cmocka_unit_test(a_null_struct_has_null_members),
        cmocka_unit_test(a_reset_keeps_no_more_than_it_may),
        cmocka_unit_test(memory_is_used_again_after_a_reset),
        cmocka_unit_test(rows_of_another_shape_are_an_internal_error),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
