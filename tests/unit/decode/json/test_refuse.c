/* Records that are in order but not what the table wants: the code, and words that help whoever
 * reads pintail.dead_letters. */
#include "decode/json/decode_testing.h"

typedef struct refused_case {
    const char *schema, *record;
    size_t len; /* 0: strlen */
    pt_decode_code code;
    int64_t position;
    const char *said[3];
} refused_case;

static void check(const refused_case *c, bool portable) {
    fixture f;
    fixture_open_wanting(&f, c->schema, true);
    if (portable) {
        pt_json_portable_only(f.decoder);
    }
    for (int i = 0; i < 2; i++) {
        pt_decode_error e = decode_bytes(&f, c->record, c->len ? c->len : strlen(c->record));
        if (e.code != c->code || e.position != c->position) {
            fail_msg("%s <- %s: %s at %lld: %s", c->schema, c->record, pt_decode_code_name(e.code),
                     (long long)e.position, e.text);
        }
        for (size_t k = 0; k < 3 && c->said[k]; k++) {
            if (!strstr(e.text, c->said[k])) {
                fail_msg("%s <- %s: '%s' lacks '%s'", c->schema, c->record, e.text, c->said[k]);
            }
        }
        for (const char *p = e.text; *p; p++) {
            assert_true(*p >= ' ' && *p <= '~');
        }
    }
    assert_int_equal(pt_rows_count(f.rows), 0);
    if (c->code == PT_DECODE_NO_COLUMN) { /* nothing of it is ignored */
        assert_int_equal(pt_decoder_unknown_fields(f.decoder), 0);
        assert_null(pt_decoder_unknown_name(f.decoder, 0));
    }
    fixture_close(&f);
}

#define REFUSED(...)                                                \
    do {                                                            \
        static const refused_case cases[] = {__VA_ARGS__};          \
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) { \
            check(&cases[i], false);                                \
            check(&cases[i], true);                                 \
        }                                                           \
    } while (0)

#define NONE PT_DECODE_NO_COLUMN

static void a_record_none_of_whose_keys_is_a_column_is_refused_and_its_first_keys_are_named(
    void **state) {
    (void)state;
    REFUSED(
        {"a INTEGER, b VARCHAR", "{}", 0, NONE, 0, {"without keys", "--on-no-column"}},
        {"a INTEGER, b VARCHAR", " {\n} ", 0, NONE, 1, {"without keys"}},
        {"a INTEGER, b VARCHAR", "{\"x\":1}", 0, NONE, 0, {"a column: x"}},
        {"a INTEGER",
         " { \"x\" : {\"a\":1} , \"y y\":[1, {\"a\":2}],\"\\u00e9\":null}",
         0,
         NONE,
         1,
         {"column: x, y y, \\u00e9"}},
        {"a INTEGER",
         "{\"order number\":1,\"customer identifier\":2,\"product description\":3,\"d\":4,\"e\":5}",
         0,
         NONE,
         0,
         {"order number, customer identifier", ", ..."}},
        {"a INTEGER NOT NULL", "{\"x\":1}", 0, NONE, 0, {"column: x"}},
        {"a INTEGER DEFAULT 1", "{\"x\":1}", 0, NONE, 0, {"column: x"}},
        {"order_id INTEGER, b INTEGER",
         "{\"x\":1,\"Order_ID\":2}",
         0,
         NONE,
         0,
         {"x, Order_ID", "column order_id", "upper and lower case"}},
        {"a INTEGER",
         "{\"schema\":{\"type\":\"struct\"},\"payload\":{\"a\":1}}",
         0,
         NONE,
         0,
         {"schema, payload", "Connect", "schemas.enable=false"}},
        {"a INTEGER",
         "{\"before\":null,\"after\":{\"a\":1},\"source\":{},\"op\":\"c\",\"ts_ms\":1}",
         0,
         NONE,
         0,
         {"before, after, source, op, ts_ms", "ExtractNewRecordState"}},
        {"a INTEGER",
         "{\"specversion\":\"1.0\",\"type\":\"t\",\"id\":\"1\",\"data\":{\"a\":1}}",
         0,
         NONE,
         0,
         {"specversion", "CloudEvents"}},
        {"a INTEGER",
         "{\"_kafka_offset\":7,\"ingest_time\":1}",
         0,
         NONE,
         0,
         {"_kafka_offset, ingest_time", "filled by pintail"}},
        {"s STRUCT(a INTEGER)", "{\"a\":1}", 0, NONE, 0, {"column: a"}});
}

/* What is wrong with the bytes is said first. */
static void a_record_without_a_column_that_is_no_json_either_is_said_to_be_no_json(void **state) {
    (void)state;
    REFUSED({"a INTEGER", "{\"x\":1}}", 0, PT_DECODE_TRAILING, 7, {"bytes after the object"}},
            {"a INTEGER", "{\"x\":1", 0, PT_DECODE_TRUNCATED, 6, {NULL}},
            {"a INTEGER", "{\"x\":01}", 0, PT_DECODE_SYNTAX, 6, {NULL}},
            {"a INTEGER", "{\"x\":1,\"x\":2}", 0, PT_DECODE_DUPLICATE_KEY, 7, {NULL}});
}

static void more_columns_than_a_word_has_bits_are_looked_at_all(void **state) {
    (void)state;
    char *schema = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&schema, &len);
    for (int i = 0; i < 200; i++) {
        fprintf(out, "%sc%d INTEGER", i ? ", " : "", i);
    }
    fclose(out);
    fixture f;
    fixture_open_wanting(&f, schema, true);
    for (int i = 0; i < 200; i++) {
        char json[64];
        (void)snprintf(json, sizeof json, "{\"x\":0,\"c%d\":null}", i);
        assert_int_equal(decode_text(&f, json).code, PT_DECODE_OK);
    }
    assert_int_equal(decode_text(&f, "{\"c200\":1}").code, PT_DECODE_NO_COLUMN);
    assert_int_equal(pt_decoder_unknown_fields(f.decoder), 200);
    fixture_close(&f);
    free(schema);
}

static void a_decoder_that_does_not_want_a_column_takes_such_records_as_rows_of_nulls(
    void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "a INTEGER, b VARCHAR");
    assert_int_equal(decode_text(&f, "{}").code, PT_DECODE_OK);
    assert_int_equal(decode_text(&f, "{\"x\":1}").code, PT_DECODE_OK);
    assert_int_equal(pt_decoder_unknown_fields(f.decoder), 1);
    char *row = last_row(&f);
    assert_string_equal(row, "NULL | NULL");
    free(row);
    fixture_close(&f);
}

static void the_framing_of_a_schema_registry_is_told_with_its_id(void **state) {
    (void)state;
#define FRAMED PT_DECODE_FRAMED
    REFUSED({"a INTEGER",
             "\0\0\0\x04\xd2{\"a\":1}",
             12,
             FRAMED,
             0,
             {"4-byte schema id 1234", "JSON follows"}},
            {"a INTEGER", "\0\0\0\x04\xd2 {\"a\":1}", 13, FRAMED, 0, {"id 1234", "JSON follows"}},
            {"a INTEGER",
             "\0\0\0\0\x07\x02\x06"
             "abc",
             10,
             FRAMED,
             0,
             {"4-byte schema id 7", "Avro or Protobuf"}},
            {"a INTEGER", "\0\xff\xff\xff\xff", 5, FRAMED, 0, {"id 4294967295", "no JSON object"}},
            {"a INTEGER",
             "\0\0\0\0\0\0\0\0\x2a{\"a\":1}",
             16,
             FRAMED,
             0,
             {"8-byte schema id 42", "JSON follows"}},
            {"a INTEGER",
             "\x03\x00"
             "0123456789abcdef{\"a\":1}",
             25,
             FRAMED,
             0,
             {"UUID", "JSON follows"}},
            {"a INTEGER",
             "\x03\x05"
             "0123456789abcdefxyz",
             21,
             FRAMED,
             0,
             {"zlib", "no JSON object"}},
            {"a INTEGER", "\0\0\0\x01", 4, PT_DECODE_SYNTAX, 0, {NULL}},
            {"a INTEGER", "\x01\0\0\0\x01{}", 7, PT_DECODE_SYNTAX, 0, {NULL}},
            {"a INTEGER", " \0\0\0\x01{}", 7, PT_DECODE_SYNTAX, 1, {NULL}});
}

static void a_string_that_holds_json_is_said_to_be_encoded_twice(void **state) {
    (void)state;
#define OBJECT PT_DECODE_NOT_OBJECT
    REFUSED(
        {"a INTEGER",
         "\"{\\\"a\\\":1}\"",
         0,
         OBJECT,
         0,
         {"string that holds JSON (an object)", "encoded twice"}},
        {"a INTEGER",
         " \" [1, {\\\"a\\\":\\\"\\u00e9\\\"}]\\n\" ",
         0,
         OBJECT,
         1,
         {"holds JSON (a list)"}},
        {"a INTEGER", "\"\\\"{\\\\\\\"a\\\\\\\":1}\\\"\"", 0, OBJECT, 0, {"holds JSON (a string)"}},
        {"a INTEGER", "\"{\\\"a\\\":1\"", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "\"{\\\"a\\\":1}x\"", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "\"plain\"", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "\"12\"", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "\"\"", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "\"{\\u0000}\"", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "[{\"a\":1}]", 0, OBJECT, 0, {"must be a JSON object"}},
        {"a INTEGER", "\"{\\\"a\\\":1}\" x", 0, PT_DECODE_TRAILING, 12, {"bytes after the value"}},
        {"a INTEGER", "\"{\\\"a\\\":1}", 0, PT_DECODE_TRUNCATED, 10, {NULL}});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_record_none_of_whose_keys_is_a_column_is_refused_and_its_first_keys_are_named),
        cmocka_unit_test(a_record_without_a_column_that_is_no_json_either_is_said_to_be_no_json),
        cmocka_unit_test(more_columns_than_a_word_has_bits_are_looked_at_all),
        cmocka_unit_test(a_decoder_that_does_not_want_a_column_takes_such_records_as_rows_of_nulls),
        cmocka_unit_test(the_framing_of_a_schema_registry_is_told_with_its_id),
        cmocka_unit_test(a_string_that_holds_json_is_said_to_be_encoded_twice),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
