/* Broken and hostile bytes: no read outside of the record, no crash, and both scanners agree on
 * every outcome. */
#include <sys/mman.h>
#include <unistd.h>

#include "columns/same_rows.h"
#include "decode/json/decode_testing.h"

static const struct record {
    const char *schema, *json;
} records[] = {
    {"order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity "
     "INTEGER, unit_price DECIMAL(10,2), region VARCHAR",
     "{\"order_id\": \"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f60718\", \"order_time\": 1790000000.1234567, "
     "\"customer_id\": \"CUST-0123\", \"product\": \"Laptop\", \"quantity\": 3, \"unit_price\": "
     "1234.56, "
     "\"region\": \"Kanto\"}"},
    {"a INTEGER[], b STRUCT(c VARCHAR, d DOUBLE), m MAP(VARCHAR, BOOLEAN), j JSON",
     "{\"a\":[1,-2,null],\"b\":{\"d\":1.5e-3,\"c\":\"x\\u00e9\\n\"},\"m\":{\"k\":true,\"l\":false},"
     "\"j\":{\"p\":[0,\"q\"]}}"},
    {"a VARCHAR, t TIMESTAMP, d DATE, c TIME, b BLOB, h BLOB HEX",
     "{\"a\":\"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E and \xF0\x9F\x98\x80 \\ud83d\\ude00 "
     "text\",\"t\":\"2026-09-21T14:13:20.5+09:00\",\"d\":\"2026-09-21\",\"c\":\"12:34:56.789\","
     "\"b\":\"YWJjZA==\","
     "\"h\":\"00ff\",\"u\":{\"v\":[true,false,null,1.25,-7]}}"},
    {"a BIGINT, b HUGEINT, c UBIGINT, d DECIMAL(38,10), e REAL, f TIMESTAMP_NS EPOCH ns, g TINYINT",
     "{\"a\":-9223372036854775808,\"b\":170141183460469231731687303715884105727,\"c\":"
     "18446744073709551615,\"d\":\"-123456789012345678.0123456789\",\"e\":3.4028234e38,\"f\":"
     "1790000000123456789,\"g\":1.0}"},
};
#define RECORDS (sizeof records / sizeof *records)

typedef struct pair {
    fixture best, portable;
} pair;

static void pair_open(pair *p, const char *schema) {
    fixture_open_wanting(&p->best, schema, true);
    fixture_open_wanting(&p->portable, schema, true);
    pt_json_portable_only(p->portable.decoder);
}

static void pair_close(pair *p) {
    fixture_close(&p->best);
    fixture_close(&p->portable);
}

/* Decodes into both without committing; fails the test when they differ. */
static pt_decode_error decode_both(pair *p, const char *data, size_t len) {
    pt_decode_error a = {0}, b = {0};
    assert_int_equal(pt_rows_open(p->best.rows, &p->best.err), PT_OK);
    assert_int_equal(pt_rows_open(p->portable.rows, &p->portable.err), PT_OK);
    assert_int_equal(decode_value(p->best.decoder, data, len, p->best.rows, &a, &p->best.err),
                     PT_OK);
    assert_int_equal(decode_value(p->portable.decoder, data, len, p->portable.rows, &b,
                                  &p->portable.err),
                     PT_OK);
    if (a.code != b.code ||
        (a.code != PT_DECODE_OK && (a.position != b.position || strcmp(a.text, b.text) != 0))) {
        fail_msg("%.*s: %s at %lld (%s), portable: %s at %lld (%s)", (int)len, data,
                 pt_decode_code_name(a.code), (long long)a.position, a.text,
                 pt_decode_code_name(b.code), (long long)b.position, b.text);
    }
    if (a.code == PT_DECODE_OK) {
        assert_true(same_open_row(p->best.rows, p->portable.rows, p->best.schema->n_columns));
    } else {
        assert_true(a.position >= 0 && a.position <= (int64_t)len && a.text[0]);
    }
    return a;
}

static void nothing_is_read_outside_of_the_record(void **state) {
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages, page, PROT_NONE), 0);
    assert_int_equal(mprotect(pages + 2 * page, page, PROT_NONE), 0);
    for (size_t i = 0; i < RECORDS; i++) {
        pair p;
        pair_open(&p, records[i].schema);
        size_t len = strlen(records[i].json);
        for (size_t cut = 0; cut <= len;
             cut++) { /* any start of it right before the hole, and right after one */
            memcpy(pages + 2 * page - cut, records[i].json, cut);
            pt_decode_error e = decode_both(&p, pages + 2 * page - cut, cut);
            assert_int_equal(e.code, cut == len ? PT_DECODE_OK
                                     : cut == 0 ? PT_DECODE_EMPTY
                                                : PT_DECODE_TRUNCATED);
            memcpy(pages + page, records[i].json, cut);
            (void)decode_both(&p, pages + page, cut);
        }
        pair_close(&p);
    }
    assert_int_equal(munmap(pages, 3 * page), 0);
}

static void a_record_cut_anywhere_is_truncated(void **state) {
    (void)state;
    for (size_t i = 0; i < RECORDS; i++) {
        pair p;
        pair_open(&p, records[i].schema);
        size_t len = strlen(records[i].json);
        assert_int_equal(decode_both(&p, records[i].json, len).code, PT_DECODE_OK);
        for (size_t cut = 1; cut < len; cut++) {
            pt_decode_error e = decode_both(&p, records[i].json, cut);
            if (e.code != PT_DECODE_TRUNCATED || e.position != (int64_t)cut) {
                fail_msg("%.*s: %s at %lld: %s", (int)cut, records[i].json,
                         pt_decode_code_name(e.code), (long long)e.position, e.text);
            }
        }
        pair_close(&p);
    }
}

static void every_changed_byte_has_one_outcome(void **state) {
    (void)state;
    for (size_t i = 0; i < RECORDS; i++) {
        pair p;
        pair_open(&p, records[i].schema);
        size_t len = strlen(records[i].json);
        char *json = strdup(records[i].json);
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                json[at] = (char)byte;
                (void)decode_both(&p, json, len);
            }
            json[at] = records[i].json[at];
            assert_int_equal(decode_both(&p, json, len).code, PT_DECODE_OK);
        }
        free(json);
        pair_close(&p);
    }
}

static void deleted_and_doubled_bytes_have_one_outcome(void **state) {
    (void)state;
    for (size_t i = 0; i < RECORDS; i++) {
        pair p;
        pair_open(&p, records[i].schema);
        size_t len = strlen(records[i].json);
        char *json = malloc(len + 2);
        for (size_t at = 0; at < len; at++) {
            memcpy(json, records[i].json, at);
            memcpy(json + at, records[i].json + at + 1, len - at);
            (void)decode_both(&p, json, len - 1);
            memcpy(json + at, records[i].json + at, 1);
            memcpy(json + at + 1, records[i].json + at, len - at);
            (void)decode_both(&p, json, len + 1);
        }
        free(json);
        pair_close(&p);
    }
}

static void random_bytes_have_one_outcome(void **state) {
    (void)state;
    uint64_t seed = test_seed("random_bytes_have_one_outcome");
    static const char alphabet[] =
        "{}[]:,\"\\ \n0123456789.-+eEtruefalsnux\xC3\xA9\xF0\x9F\x98\x80";
    for (size_t i = 0; i < RECORDS; i++) {
        pair p;
        pair_open(&p, records[i].schema);
        size_t len = strlen(records[i].json);
        char *json = malloc(len);
        for (int round = 0; round < 20000; round++) {
            memcpy(json, records[i].json, len);
            for (uint64_t n = random_below(&seed, 4) + 1; n; n--) {
                json[random_below(&seed, len)] = alphabet[random_below(&seed, sizeof alphabet - 1)];
            }
            (void)decode_both(&p, json, len);
        }
        free(json);
        pair_close(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_read_outside_of_the_record),
        cmocka_unit_test(a_record_cut_anywhere_is_truncated),
        cmocka_unit_test(every_changed_byte_has_one_outcome),
        cmocka_unit_test(deleted_and_doubled_bytes_have_one_outcome),
        cmocka_unit_test(random_bytes_have_one_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
