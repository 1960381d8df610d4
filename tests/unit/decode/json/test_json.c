/* What a JSON record becomes as a whole, and why it is refused. Every case runs through both
 * scanners, the second time with a plan that has learned the record's form. */
#include "decode/json/cases.h"

static const char ORDERS[] = "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product "
                             "VARCHAR, quantity INTEGER, unit_price DECIMAL(10,2), region VARCHAR";

static void an_order_is_read_in_every_spacing(void **state) {
    (void)state;
#define ORDER_ROW                                                                                  \
    "3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f60718 | 2026-09-21 14:13:20.123457+00 | CUST-0123 | Laptop | " \
    "3 | 1234.56 | Kanto"
    VALUES({ORDERS,
            "{\"order_id\": \"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f60718\", \"order_time\": "
            "1790000000.1234567, \"customer_id\": \"CUST-0123\", \"product\": \"Laptop\", "
            "\"quantity\": 3, \"unit_price\": 1234.56, \"region\": \"Kanto\"}",
            ORDER_ROW},
           {ORDERS,
            "{\"order_id\":\"3f0c2b1a-9d8e-4f70-a1b2-c3d4e5f60718\",\"order_time\":1790000000."
            "1234567,\"customer_id\":\"CUST-0123\",\"product\":\"Laptop\",\"quantity\":3,"
            "\"unit_price\":1234.56,\"region\":\"Kanto\"}",
            ORDER_ROW},
           {ORDERS,
            "\t{ \"region\" :\n\"Kanto\" , "
            "\"order_id\"\r\n:\t\"3F0C2B1A-9D8E-4F70-A1B2-C3D4E5F60718\",\n\n\n\n\"unit_price\"  : "
            " 1234.56, \"order_time\"  :  1790000000.1234567   ,\"quantity\":3"
            "\n ,\"product\":\"Laptop\",\"customer_id\":\"CUST-0123\"\n}\r\n ",
            ORDER_ROW});
}

static void records_may_change_their_spacing_and_order_at_any_time(void **state) {
    (void)state; /* an earlier prototype refused ": " */
    static const char *const forms[] = {
        "{\"a\":1,\"b\":\"x\",\"c\":{\"d\":2}}", "{\"a\": 1, \"b\": \"x\", \"c\": {\"d\": 2}}",
        "{ \"b\" : \"x\" , \"a\" : 1 , \"c\" : { \"d\" : 2 } }",
        "{\n\t\"c\":\n{\n\t\t\"d\":2\n}\n,\"a\":\t1,\r\n\"b\":\r\"x\"}\n",
        "{\"a\" :1 ,\"b\" :\"x\" ,\"z\":null,\"c\" :{\"z\":[], \"d\" :2 }}"};
    for (int portable = 0; portable < 2; portable++) {
        fixture f;
        fixture_open(&f, "a INTEGER, b VARCHAR, c STRUCT(d INTEGER)");
        if (portable) {
            pt_json_portable_only(f.decoder);
        }
        for (size_t i = 0; i < 5; i++) {
            for (size_t k = 0; k < 5; k++) {
                for (size_t l = 0; l < 5; l++) {
                    assert_int_equal(decode_text(&f, forms[i]).code, PT_DECODE_OK);
                    assert_int_equal(decode_text(&f, forms[k]).code, PT_DECODE_OK);
                    assert_int_equal(decode_text(&f, forms[l]).code, PT_DECODE_OK);
                }
            }
        }
        fixture_scan(&f);
        char *got = sql_text("SELECT concat_ws(' ', count(*), count(DISTINCT (c0, c1, c2)), "
                             "min(c0), min(c1), min(c2.d)) FROM scan_rows()");
        assert_string_equal(got, "375 1 1 x 2");
        free(got);
        fixture_close(&f);
    }
}

static void booleans_and_null_are_only_the_words(void **state) {
    (void)state;
    VALUES({"a BOOLEAN, b BOOLEAN, c BOOLEAN", "{\"a\":true,\"b\":false,\"c\":null}",
            "true | false | NULL"});
    static const error_case bad[] = {{"a BOOLEAN", "{\"a\":1}", PT_DECODE_TYPE, 5},
                                     {"a BOOLEAN", "{\"a\":\"true\"}", PT_DECODE_TYPE, 5},
                                     {"a BOOLEAN", "{\"a\":tru}", PT_DECODE_SYNTAX, 8},
                                     {"a BOOLEAN", "{\"a\":falsy}", PT_DECODE_SYNTAX, 9},
                                     {"a BOOLEAN", "{\"a\":truee}", PT_DECODE_SYNTAX, 9},
                                     {"a BOOLEAN", "{\"a\":True}", PT_DECODE_SYNTAX, 5},
                                     {"a BOOLEAN", "{\"a\":nul}", PT_DECODE_SYNTAX, 8}};
    check_errors(bad, sizeof bad / sizeof *bad);
}

static void grammar_errors_have_a_place(void **state) {
    (void)state;
    ERRORS({"a INTEGER", "{\"a\":01}", PT_DECODE_SYNTAX, 6},
           {"a INTEGER", "{\"a\":-}", PT_DECODE_SYNTAX, 6},
           {"a INTEGER", "{\"a\":+1}", PT_DECODE_SYNTAX, 5},
           {"a INTEGER", "{\"a\":.5}", PT_DECODE_SYNTAX, 5},
           {"a DOUBLE", "{\"a\":1.}", PT_DECODE_SYNTAX, 7},
           {"a DOUBLE", "{\"a\":1.e5}", PT_DECODE_SYNTAX, 7},
           {"a DOUBLE", "{\"a\":1e}", PT_DECODE_SYNTAX, 7},
           {"a DOUBLE", "{\"a\":1e+}", PT_DECODE_SYNTAX, 8},
           {"a DOUBLE", "{\"a\":-01.5}", PT_DECODE_SYNTAX, 7},
           {"a INTEGER", "{\"a\":0x10}", PT_DECODE_SYNTAX, 6},
           {"a DOUBLE", "{\"a\":NaN}", PT_DECODE_SYNTAX, 5},
           {"a DOUBLE", "{\"a\":Infinity}", PT_DECODE_SYNTAX, 5},
           {"a DOUBLE", "{\"a\":-Infinity}", PT_DECODE_SYNTAX, 6},
           {"a INTEGER", "{\"a\":1,}", PT_DECODE_SYNTAX, 7},
           {"a INTEGER", "{,\"a\":1}", PT_DECODE_SYNTAX, 1},
           {"a INTEGER", "{\"a\":1 \"b\":2}", PT_DECODE_SYNTAX, 7},
           {"a INTEGER", "{\"a\" 1}", PT_DECODE_SYNTAX, 5},
           {"a INTEGER", "{\"a\"::1}", PT_DECODE_SYNTAX, 5},
           {"a INTEGER", "{a:1}", PT_DECODE_SYNTAX, 1},
           {"a INTEGER", "{\"a\":1]", PT_DECODE_SYNTAX, 6},
           {"a INTEGER", "{\"a\":}", PT_DECODE_SYNTAX, 5},
           {"a INTEGER", "{\"x\":[1,]}", PT_DECODE_SYNTAX, 8},
           {"a INTEGER", "{\"x\":[1 2]}", PT_DECODE_SYNTAX, 8},
           {"a INTEGER[]", "{\"a\":[1,]}", PT_DECODE_SYNTAX, 8},
           {"a INTEGER[]", "{\"a\":[,1]}", PT_DECODE_SYNTAX, 6},
           {"a INTEGER", "{\"x\":{\"y\":1,}}", PT_DECODE_SYNTAX, 12},
           {"a INTEGER", "\xEF\xBB\xBF{\"a\":1}", PT_DECODE_SYNTAX, 0},
           {"a INTEGER", "{\"a\":/**/1}", PT_DECODE_SYNTAX, 5},
           {"a INTEGER", "{\"a\":1}}", PT_DECODE_TRAILING, 7},
           {"a INTEGER", "{\"a\":1} {\"a\":2}", PT_DECODE_TRAILING, 8},
           {"a INTEGER", "{\"a\":1}\v", PT_DECODE_TRAILING, 7},
           {"a INTEGER", "[1]", PT_DECODE_NOT_OBJECT, 0},
           {"a INTEGER", " null", PT_DECODE_NOT_OBJECT, 1},
           {"a INTEGER", "\"x\"", PT_DECODE_NOT_OBJECT, 0},
           {"a INTEGER", "12 ", PT_DECODE_NOT_OBJECT, 0},
           {"a INTEGER", "[1", PT_DECODE_TRUNCATED, 2}, {"a INTEGER", "hello", PT_DECODE_SYNTAX, 0},
           {"a INTEGER", "", PT_DECODE_EMPTY, 0}, {"a INTEGER", " \t\r\n ", PT_DECODE_EMPTY, 0});
    static const error_case nul = {"a INTEGER", "{\"a\":1}\0", PT_DECODE_TRAILING, 7};
    check_error_bytes(&nul, 8, false);
    check_error_bytes(&nul, 8, true);
}

static void values_of_the_wrong_kind_are_refused(void **state) {
    (void)state;
    ERRORS({"a VARCHAR", "{\"a\":1}", PT_DECODE_TYPE, 5},
           {"a VARCHAR", "{\"a\":{}}", PT_DECODE_TYPE, 5},
           {"a VARCHAR", "{\"a\":[]}", PT_DECODE_TYPE, 5},
           {"a VARCHAR", "{\"a\":true}", PT_DECODE_TYPE, 5},
           {"a INTEGER", "{\"a\":\"1\"}", PT_DECODE_TYPE, 5},
           {"a HUGEINT", "{\"a\":\"1\"}", PT_DECODE_TYPE, 5},
           {"a DOUBLE", "{\"a\":\"NaN\"}", PT_DECODE_TYPE, 5},
           {"a DOUBLE", "{\"a\":\"Infinity\"}", PT_DECODE_TYPE, 5},
           {"a REAL", "{\"a\":\"-Infinity\"}", PT_DECODE_TYPE, 5},
           {"a DATE", "{\"a\":19000}", PT_DECODE_TYPE, 5},
           {"a TIME", "{\"a\":1}", PT_DECODE_TYPE, 5}, {"a UUID", "{\"a\":1}", PT_DECODE_TYPE, 5},
           {"a BLOB", "{\"a\":1}", PT_DECODE_TYPE, 5},
           {"a INTEGER[]", "{\"a\":{}}", PT_DECODE_TYPE, 5},
           {"a INTEGER[]", "{\"a\":[1,\"x\"]}", PT_DECODE_TYPE, 8},
           {"a STRUCT(b INTEGER)", "{\"a\":[1]}", PT_DECODE_TYPE, 5},
           {"a STRUCT(b INTEGER)", "{\"a\":{\"b\":\"x\"}}", PT_DECODE_TYPE, 10},
           {"a MAP(VARCHAR, INTEGER)", "{\"a\":[]}", PT_DECODE_TYPE, 5},
           {"a DECIMAL(4,2)", "{\"a\":true}", PT_DECODE_TYPE, 5},
           {"a TIMESTAMP", "{\"a\":false}", PT_DECODE_TYPE, 5},
           /* a wrong kind that is no JSON either */
           {"a INTEGER", "{\"a\":\"x\t\"}", PT_DECODE_SYNTAX, 7},
           {"a INTEGER", "{\"a\":{\"b\":1,\"b\":2}}", PT_DECODE_DUPLICATE_KEY, 12});
}

static void errors_name_the_column_and_quote_little(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "quantity INTEGER, items STRUCT(price DECIMAL(4,2))[], m MAP(VARCHAR, UUID)");
    pt_decode_error e = decode_text(&f, "{\"quantity\": 1.5}");
    assert_string_equal(e.text, "column quantity: 1.5 for INTEGER is no whole number; declare "
                                "DECIMAL or DOUBLE to keep the fraction");
    e = decode_text(&f, "{\"items\": [{\"price\":1},{\"price\":true}]}");
    assert_non_null(strstr(e.text, "column items[].price: "));
    e = decode_text(&f, "{\"m\": {\"k\":\"a very long text that is certainly no UUID, and should "
                        "not be quoted in full \\u0000 \xE3\x81\x82\"}}");
    assert_non_null(strstr(e.text, "column m[]: "));
    assert_null(strstr(e.text, "in full"));
    fixture_close(&f);
}

static void the_advice_for_a_number_is_one_that_helps(void **state) {
    static const struct {
        const char *schema, *json, *said;
    } cases[] = {
        {"a DOUBLE", "{\"a\":1e400}",
         "1e400 does not fit into DOUBLE; no number type takes it; declare JSON to keep its text"},
        {"a REAL", "{\"a\":1e40}", "1e40 does not fit into REAL; DOUBLE takes it"},
        {"a REAL", "{\"a\":1e400}", "declare JSON"},
        {"a UBIGINT", "{\"a\":-1}",
         "-1 does not fit into UBIGINT; declare a signed type, such as BIGINT, for negative "
         "numbers"},
        {"a INTEGER", "{\"a\":3000000000}", "a wider column type takes it"},
        {"a UBIGINT", "{\"a\":18446744073709551616}", "a wider column type takes it"},
        {"a DECIMAL(4,2)", "{\"a\":100}", "a wider column type takes it"},
        {"a DECIMAL(38,0)", "{\"a\":1e38}", "DOUBLE takes it, rounded"},
        {"a BIGINT", "{\"a\":1e40}", "DOUBLE takes it, rounded"},
        {"a BIGINT", "{\"a\":1e400}", "declare JSON"},
        {"a INTEGER", "\xEF\xBB\xBF{\"a\":1}", "byte order mark"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        fixture_open(&f, cases[i].schema);
        pt_decode_error e = decode_text(&f, cases[i].json);
        if (e.code == PT_DECODE_OK || !strstr(e.text, cases[i].said)) {
            fail_msg("%s: %s", cases[i].json, e.text);
        }
        fixture_close(&f);
    }
}

static void the_code_names_are_those_of_dead_letters(void **state) {
    (void)state;
    assert_string_equal(pt_decode_code_name(PT_DECODE_DUPLICATE_KEY), "duplicate_key");
    assert_string_equal(pt_decode_code_name(PT_DECODE_TOO_LARGE), "too_large");
    for (int i = 0; i < PT_DECODE_CODES; i++) {
        assert_string_not_equal(pt_decode_code_name((pt_decode_code)i), "unknown");
    }
}

static void a_record_above_the_limit_is_too_large(void **state) {
    (void)state; /* refused by its length alone: no byte of it is read */
    fixture f;
    fixture_open(&f, "a INTEGER");
    char byte = '{';
    assert_int_equal(decode_bytes(&f, &byte, PT_DECODE_BYTES_MAX + 1).code, PT_DECODE_TOO_LARGE);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_read_in_every_spacing),
        cmocka_unit_test(records_may_change_their_spacing_and_order_at_any_time),
        cmocka_unit_test(booleans_and_null_are_only_the_words),
        cmocka_unit_test(grammar_errors_have_a_place),
        cmocka_unit_test(values_of_the_wrong_kind_are_refused),
        cmocka_unit_test(errors_name_the_column_and_quote_little),
        cmocka_unit_test(the_advice_for_a_number_is_one_that_helps),
        cmocka_unit_test(the_code_names_are_those_of_dead_letters),
        cmocka_unit_test(a_record_above_the_limit_is_too_large),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
