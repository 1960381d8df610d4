#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/batches.h"
#include "ingest/memory.h"

#define MIB     ((uint64_t)1 << 20)
#define PROCESS (110 * MIB) /* an ingest that is attached and idle */

static void the_shares_together_stay_below_the_whole(void **state) {
    (void)state;
    for (uint64_t whole = 256 * MIB; whole <= 64 * 1024 * MIB; whole += whole / 3) {
        pt_error err;
        pt_memory m;
        assert_int_equal(pt_memory_divide(whole, 0, &m, &err), PT_OK);
        uint64_t sum = m.queue_bytes + m.queue_messages * 256 + 2 * m.fetch_bytes + m.poll_bytes +
                       PT_BATCHES * m.batch_bytes + m.large_bytes + m.small_bytes;
        assert_true(sum + PROCESS <= whole);
        assert_true(m.batch_bytes > whole / 32 && m.threads >= 1 && m.small_bytes >= 32 * MIB);
    }
}

static void a_larger_queue_is_taken_from_the_batches(void **state) {
    (void)state;
    pt_error err;
    pt_memory usual;
    pt_memory large;
    assert_int_equal(pt_memory_divide(512 * MIB, 0, &usual, &err), PT_OK);
    assert_int_equal(pt_memory_divide(512 * MIB, 60 * MIB, &large, &err), PT_OK);
    assert_int_equal(large.queue_bytes, 60 * MIB);
    uint64_t less = PT_BATCHES * (usual.batch_bytes - large.batch_bytes);
    assert_true(less + PT_BATCHES >= large.queue_bytes - usual.queue_bytes);
}

static void what_does_not_fit_is_refused_with_what_is_needed(void **state) {
    (void)state;
    pt_error err;
    pt_memory m;
    assert_int_equal(pt_memory_divide(255 * MIB, 0, &m, &err), PT_E_USAGE);
    assert_non_null(strstr(err.text, "at least 256MiB"));
    assert_int_equal(pt_memory_divide(512 * MIB, 400 * MIB, &m, &err), PT_E_USAGE);
    assert_non_null(strstr(err.text, "--queue-bytes"));
    assert_int_equal(pt_memory_divide(512 * MIB, 0, &m, &err), PT_OK);
    pt_least least = {.bytes = 100 * MIB, .columns = 3000};
    assert_int_equal(pt_memory_check_batch(&m, &least, &err), PT_E_USAGE);
    unsigned long long advised = 0;
    assert_int_equal(sscanf(strstr(err.text, "give --memory "), "give --memory %lluMiB", &advised),
                     1);
    assert_int_equal(pt_memory_divide(advised * MIB, 0, &m, &err), PT_OK);
    assert_int_equal(pt_memory_check_batch(&m, &least, &err), PT_OK);
}

static void a_schema_text_tells_what_its_smallest_batch_takes(void **state) {
    (void)state;
    pt_error err;
    pt_least narrow = {0};
    pt_least wide = {0};
    assert_int_equal(pt_least_add_schema(&narrow, "a INTEGER", NULL, 0, &err), PT_OK);
    assert_int_equal(pt_least_add_schema(&wide, "a INTEGER, b VARCHAR, c STRUCT(d UUID, e DOUBLE)",
                                         NULL, 0, &err),
                     PT_OK);
    assert_true(narrow.bytes >= 4 * 2048 && wide.bytes >= (4 + 16 + 16 + 8) * 2048);
    assert_int_equal(wide.columns, 3);
    assert_int_equal(pt_least_add_schema(&wide, "a NOTHING", NULL, 0, &err), PT_E_USAGE);
}

static void duckdbs_advice_gives_way_to_ours(void **state) {
    (void)state;
    pt_error err;
    pt_memory m;
    assert_int_equal(pt_memory_divide(512 * MIB, 0, &m, &err), PT_OK);
    int code =
        pt_fail_why(&err, PT_E_LAKE, PT_WHY_MEMORY_LIMIT,
                    "staging: Out of Memory Error: failed to pin block (3 MiB used)  Possible "
                    "solutions: * this");
    pt_memory_explain(&m, &err);
    assert_string_equal(err.text, "staging: Out of Memory Error: failed to pin block (3 MiB used); "
                                  "give more than --memory 512MiB");
    assert_int_equal(code, err.code);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shares_together_stay_below_the_whole),
        cmocka_unit_test(a_larger_queue_is_taken_from_the_batches),
        cmocka_unit_test(what_does_not_fit_is_refused_with_what_is_needed),
        cmocka_unit_test(a_schema_text_tells_what_its_smallest_batch_takes),
        cmocka_unit_test(duckdbs_advice_gives_way_to_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
