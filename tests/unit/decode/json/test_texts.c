/* Texts, bytes and JSON columns: escapes, UTF-8, forms. Every case runs through both
 * scanners, the second time with a plan that has learned the record's form. */
#include "decode/json/cases.h"

static void strings_of_every_length_keep_their_bytes(void **state) {
    (void)state;
    for (int portable = 0; portable < 2; portable++) {
        fixture f;
        fixture_open(&f, "a VARCHAR, b VARCHAR");
        if (portable) {
            pt_json_portable_only(f.decoder);
        }
        for (size_t len = 0; len < 300; len++) {
            char json[1000], text[320], want[700];
            for (size_t i = 0; i < len; i++) {
                text[i] = (char)('!' + (i * 7 + len) % 90);
                text[i] = text[i] == '"' || text[i] == '\\' ? '.' : text[i];
            }
            text[len] = '\0';
            int n = snprintf(json, sizeof json, "{\"a\": \"%s\", \"b\":\"%s\"}", text, text);
            assert_int_equal(decode_bytes(&f, json, (size_t)n).code, PT_DECODE_OK);
            (void)snprintf(want, sizeof want, "%s | %s", text, text);
            char *row = last_row(&f);
            assert_string_equal(row, want);
            free(row);
        }
        fixture_close(&f);
    }
}

static void escapes_and_unicode_become_utf8(void **state) {
    (void)state;
    VALUES({"a VARCHAR", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
           {"a VARCHAR", "{\"a\":\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}",
            "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
           {"a VARCHAR", "{\"a\":\"\\uD83D\\uDE00 and more text behind it\"}",
            "\xF0\x9F\x98\x80 and more text behind it"},
           {"a VARCHAR", "{\"a\":\"関東 \xC3\xA9\"}", "関東 \xC3\xA9"},
           {"a VARCHAR", "{\"a\":\"\xF4\x8F\xBF\xBF\"}", "\xF4\x8F\xBF\xBF"},
           {"a VARCHAR", "{\"\\u0061\":\"key\"}", "key"},
           {"\"a\"\"b\" VARCHAR", "{\"a\\\"b\":\"key\"}", "key"},
           {"\"日本\" VARCHAR", "{\"日本\":\"key\"}", "key"},
           {"\"日本\" VARCHAR", "{\"\\u65e5\\u672c\":\"key\"}", "key"},
           {"\"\xF0\x9F\x98\x80 with a long name of more than thirty-two bytes\" VARCHAR",
            "{\"\xF0\x9F\x98\x80 with a long name of more than thirty-two bytes\":\"key\"}",
            "key"});
    fixture f;
    fixture_open(&f, "a VARCHAR");
    assert_int_equal(decode_text(&f, "{\"a\":\"x\\u0000y\"}").code, PT_DECODE_OK);
    fixture_scan(&f);
    char *length = sql_text(
        "SELECT octet_length(encode(c0)) || ' ' || ord(c0[2]) FROM scan_rows()");
    assert_string_equal(length, "3 0");
    free(length);
    fixture_close(&f);
}

static void long_strings_with_escapes_are_taken(void **state) {
    (void)state; /* an earlier prototype refused them */
    for (size_t len = 10; len < 200000; len = len * 3 + 1) {
        for (int portable = 0; portable < 2; portable++) {
            fixture f;
            fixture_open(&f, "a VARCHAR, b VARCHAR");
            if (portable) {
                pt_json_portable_only(f.decoder);
            }
            char *json = malloc(len * 2 + 100);
            size_t n = (size_t)sprintf(json, "{\"a\":\"");
            for (size_t i = 0; i < len; i++) {
                json[n++] = i % 7 ? (char)('a' + i % 26) : '\\';
                if (i % 7 == 0) {
                    json[n++] = 'n';
                }
            }
            n += (size_t)sprintf(json + n, "\",\"b\":\"x\"}");
            assert_int_equal(decode_bytes(&f, json, n).code, PT_DECODE_OK);
            fixture_scan(&f);
            char want[64];
            (void)snprintf(want, sizeof want, "%zu %zu", len, (len + 6) / 7);
            char *got = sql_text("SELECT length(c0) || ' ' || (length(c0) - length(replace(c0, "
                                 "chr(10), ''))) FROM scan_rows()");
            assert_string_equal(got, want);
            free(got);
            free(json);
            fixture_close(&f);
        }
    }
}

static void invalid_utf8_is_refused_wherever_it_stands(void **state) {
    (void)state;
    ERRORS({"a VARCHAR", "{\"a\":\"x\x80\"}", PT_DECODE_UTF8, 7},
           {"a VARCHAR", "{\"a\":\"\xC0\x80\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\xE0\x9F\xBF\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\xED\xA0\x80\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\xF4\x90\x80\x80\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\xF8\x88\x80\x80\x80\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\xE3\x81\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\xE3\\u0041\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"1\",\"x\":\"\xFF\"}", PT_DECODE_UTF8, 14},
           {"a VARCHAR", "{\"a\":\"1\",\"\xFF\":1}", PT_DECODE_UTF8, 10},
           {"a VARCHAR", "{\"a\":\"1\",\"x\":[{\"\xFF\":1}]}", PT_DECODE_UTF8, 16},
           {"a JSON", "{\"a\":[\"\xFF\"]}", PT_DECODE_UTF8, 7},
           {"a VARCHAR", "{\"a\":\"\\ud800\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\\udc00\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\\ud800\\u0041\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"a\":\"\\ud800x\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"b\":\"\\ud800\\ud800\"}", PT_DECODE_UTF8, 6},
           {"a VARCHAR", "{\"\\ud800\":1}", PT_DECODE_UTF8, 2},
           {"a VARCHAR",
            "{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xFF\"}",
            PT_DECODE_UTF8, 71});
}

static void bad_escapes_and_control_characters_are_syntax_errors(void **state) {
    (void)state;
    ERRORS({"a VARCHAR", "{\"a\":\"\\x\"}", PT_DECODE_SYNTAX, 7},
           {"a VARCHAR", "{\"a\":\"\\u12g4\"}", PT_DECODE_SYNTAX, 10},
           {"a VARCHAR", "{\"a\":\"\t\"}", PT_DECODE_SYNTAX, 6},
           {"a VARCHAR", "{\"a\":\"x\n\"}", PT_DECODE_SYNTAX, 7},
           {"a VARCHAR", "{\"b\":\"x\x1f\"}", PT_DECODE_SYNTAX, 7},
           {"a VARCHAR", "{\"b\tc\":1}", PT_DECODE_SYNTAX, 3},
           {"a VARCHAR", "{\"a\":'x'}", PT_DECODE_SYNTAX, 5});
    static const error_case nul = {"a VARCHAR", "{\"a\":\"x\0y\"}", PT_DECODE_SYNTAX, 7};
    check_error_bytes(&nul, 11, false);
    check_error_bytes(&nul, 11, true);
}

static void text_of_another_format_is_refused(void **state) {
    (void)state;
    ERRORS({"a UUID", "{\"a\":\"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f6071\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f6071g\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"3f0c2b1a 9d8e-4f70-a1b2-c3d4e5f60718\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"3f0c2b1a9d8e4f70a1b2c3d4e5f60718\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"`f0c2b1a-9d8e-4f70-a1b2-c3d4e5f60718\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f6071:\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f6071/\"}", PT_DECODE_FORMAT, 5},
           {"a UUID", "{\"a\":\"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f6071\xC3\xA9\"}", PT_DECODE_FORMAT,
            5},
           {"a DATE", "{\"a\":\"2026-02-29\"}", PT_DECODE_FORMAT, 5},
           {"a DATE", "{\"a\":\"2026-13-01\"}", PT_DECODE_FORMAT, 5},
           {"a DATE", "{\"a\":\"2026-1-1\"}", PT_DECODE_FORMAT, 5},
           {"a DATE", "{\"a\":\"26-01-01\"}", PT_DECODE_FORMAT, 5},
           {"a DATE", "{\"a\":\"5881580-07-11\"}", PT_DECODE_RANGE, 5},
           {"a DATE", "{\"a\":\"infinity\"}", PT_DECODE_FORMAT, 5},
           {"a TIME", "{\"a\":\"23:59:60\"}", PT_DECODE_FORMAT, 5},
           {"a TIME", "{\"a\":\"24:00:01\"}", PT_DECODE_FORMAT, 5},
           {"a TIME", "{\"a\":\"1:00\"}", PT_DECODE_FORMAT, 5},
           {"a TIME", "{\"a\":\"12:00:00Z\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T23:59:60Z\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T24:00:01Z\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T10:00:00.\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T10:00:00+\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T10:00:00+05:\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"2016-12-31T10:00:00.1234567890Z\"}", PT_DECODE_FORMAT, 5},
           {"a TIMESTAMP", "{\"a\":\"294247-01-10T04:00:54.775807\"}", PT_DECODE_RANGE, 5},
           {"a TIMESTAMP", "{\"a\":1e30}", PT_DECODE_RANGE, 5},
           {"a TIMESTAMP", "{\"a\":9223372036855}", PT_DECODE_RANGE, 5},
           {"a TIMESTAMP_NS", "{\"a\":\"2262-04-11T23:47:16.854775807\"}", PT_DECODE_RANGE, 5},
           {"a TIMESTAMP_NS", "{\"a\":\"1677-09-21T23:59:59\"}", PT_DECODE_RANGE, 5},
           {"a BLOB", "{\"a\":\"YQ\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB", "{\"a\":\"YQ=a\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB", "{\"a\":\"YR==\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB", "{\"a\":\"Y_==\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB", "{\"a\":\"YQ==YQ==\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB", "{\"a\":\"====\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB HEX", "{\"a\":\"abc\"}", PT_DECODE_FORMAT, 5},
           {"a BLOB HEX", "{\"a\":\"zz\"}", PT_DECODE_FORMAT, 5},
           {"a DECIMAL(4,2)", "{\"a\":\"1.5x\"}", PT_DECODE_FORMAT, 5},
           {"a DECIMAL(4,2)", "{\"a\":\"\"}", PT_DECODE_FORMAT, 5},
           {"a DECIMAL(4,2)", "{\"a\":\" 1\"}", PT_DECODE_FORMAT, 5},
           {"a MAP(INTEGER, INTEGER)", "{\"a\":{\"x\":1}}", PT_DECODE_FORMAT, 6});
}

static void blobs_come_as_base64_or_hex(void **state) {
    (void)state;
    VALUES({"a BLOB", "{\"a\":\"\"}", ""}, {"a BLOB", "{\"a\":\"YQ==\"}", "a"},
           {"a BLOB", "{\"a\":\"YWI=\"}", "ab"}, {"a BLOB", "{\"a\":\"YWJj\"}", "abc"},
           {"a BLOB", "{\"a\":\"\\/\\/\\/\\/\"}", "\\xFF\\xFF\\xFF"},
           {"a BLOB BASE64", "{\"a\":\"VGhlIHF1aWNrIGJyb3duIGZveA==\"}", "The quick brown fox"},
           {"a BLOB HEX", "{\"a\":\"00fFAb\"}", "\\x00\\xFF\\xAB"});
}

static void json_columns_keep_the_text_as_it_stood(void **state) {
    (void)state;
    VALUES({"a JSON", "{\"a\": { \"x\" : [1, 2.50, \"\\u0041\"] } }",
            "{ \"x\" : [1, 2.50, \"\\u0041\"] }"},
           {"a JSON, b JSON", "{\"a\":\"s\",\"b\":1e5}", "\"s\" | 1e5"},
           {"a JSON", "{\"a\":null}", "NULL"}, {"a JSON", "{\"a\":true}", "true"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_every_length_keep_their_bytes),
        cmocka_unit_test(escapes_and_unicode_become_utf8),
        cmocka_unit_test(long_strings_with_escapes_are_taken),
        cmocka_unit_test(invalid_utf8_is_refused_wherever_it_stands),
        cmocka_unit_test(bad_escapes_and_control_characters_are_syntax_errors),
        cmocka_unit_test(text_of_another_format_is_refused),
        cmocka_unit_test(blobs_come_as_base64_or_hex),
        cmocka_unit_test(json_columns_keep_the_text_as_it_stood),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
