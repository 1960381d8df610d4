/* Numbers: their range, their digits, their rounding. Every case runs through both
 * scanners, the second time with a plan that has learned the record's form. */
#include "decode/json/cases.h"

static void integers_take_their_whole_range_and_whole_valued_fractions(void **state) {
    (void)state;
    VALUES({"a TINYINT, b UTINYINT", "{\"a\":-128,\"b\":255}", "-128 | 255"},
           {"a TINYINT, b UTINYINT", "{\"a\":127,\"b\":0}", "127 | 0"},
           {"a SMALLINT, b USMALLINT", "{\"a\":-32768,\"b\":65535}", "-32768 | 65535"},
           {"a INTEGER, b UINTEGER", "{\"a\":-2147483648,\"b\":4294967295}",
            "-2147483648 | 4294967295"},
           {"a BIGINT, b UBIGINT", "{\"a\":-9223372036854775808,\"b\":18446744073709551615}",
            "-9223372036854775808 | 18446744073709551615"},
           {"a BIGINT", "{\"a\":9223372036854775807}", "9223372036854775807"},
           {"a HUGEINT, b UHUGEINT",
            "{\"a\":-170141183460469231731687303715884105728,\"b\":"
            "340282366920938463463374607431768211455}",
            "-170141183460469231731687303715884105728 | 340282366920938463463374607431768211455"},
           {"a INTEGER, b INTEGER, c INTEGER", "{\"a\":1.0,\"b\":1e2,\"c\":-0}", "1 | 100 | 0"},
           {"a INTEGER", "{\"a\":1200e-2}", "12"}, {"a INTEGER", "{\"a\":0.000012E6}", "12"},
           {"a INTEGER", "{\"a\":1.00000000000000000000000000000000000000000000000000000}", "1"},
           {"a UBIGINT", "{\"a\":-0.0}", "0"}, {"a INTEGER", "{\"a\":0e99999999999999999999}", "0"},
           {"a BIGINT", "{\"a\":1234567890123456789}", "1234567890123456789"},
           {"a BIGINT", "{\"a\":12345678}", "12345678"},
           {"a BIGINT", "{\"a\":1234567890123456}", "1234567890123456"},
           {"a HUGEINT", "{\"a\":1e38}", "100000000000000000000000000000000000000"});
}

static void numbers_out_of_range_or_with_lost_digits_are_refused(void **state) {
    (void)state;
    ERRORS({"a TINYINT", "{\"a\":128}", PT_DECODE_RANGE, 5},
           {"a TINYINT", "{\"a\":-129}", PT_DECODE_RANGE, 5},
           {"a UTINYINT", "{\"a\":256}", PT_DECODE_RANGE, 5},
           {"a UTINYINT", "{\"a\":-1}", PT_DECODE_RANGE, 5},
           {"a INTEGER", "{\"a\":2147483648}", PT_DECODE_RANGE, 5},
           {"a BIGINT", "{\"a\":9223372036854775808}", PT_DECODE_RANGE, 5},
           {"a UBIGINT", "{\"a\":18446744073709551616}", PT_DECODE_RANGE, 5},
           {"a HUGEINT", "{\"a\":170141183460469231731687303715884105728}", PT_DECODE_RANGE, 5},
           {"a UHUGEINT", "{\"a\":340282366920938463463374607431768211456}", PT_DECODE_RANGE, 5},
           {"a INTEGER", "{\"a\":1e400}", PT_DECODE_RANGE, 5},
           {"a INTEGER", "{\"a\":1e99999999999999999999}", PT_DECODE_RANGE, 5},
           {"a INTEGER", "{\"a\": 1.5}", PT_DECODE_LOSSY, 6},
           {"a INTEGER", "{\"a\":15e-1}", PT_DECODE_LOSSY, 5},
           {"a INTEGER", "{\"a\":1e-400}", PT_DECODE_LOSSY, 5},
           {"a DECIMAL(4,2)", "{\"a\":1.234}", PT_DECODE_LOSSY, 5},
           {"a DECIMAL(4,2)", "{\"a\":100}", PT_DECODE_RANGE, 5},
           {"a DECIMAL(4,2)", "{\"a\":\"1.234\"}", PT_DECODE_LOSSY, 5},
           {"a DECIMAL(38,0)", "{\"a\":1e38}", PT_DECODE_RANGE, 5},
           {"a DOUBLE", "{\"a\":1e309}", PT_DECODE_RANGE, 5},
           {"a DOUBLE", "{\"a\":-1.7976931348623159e308}", PT_DECODE_RANGE, 5},
           {"a REAL", "{\"a\":3.4028236e38}", PT_DECODE_RANGE, 5},
           {"a REAL", "{\"a\":1e39}", PT_DECODE_RANGE, 5});
}

static void decimals_are_exact_as_number_or_string(void **state) {
    (void)state;
    VALUES({"a DECIMAL(4,2), b DECIMAL(9,3), c DECIMAL(18,6), d DECIMAL(38,10)",
            "{\"a\":-99.99,\"b\":123456.789,\"c\":-123456789012.345678,\"d\":"
            "1234567890123456789012345678.0123456789}",
            "-99.99 | 123456.789 | -123456789012.345678 | 1234567890123456789012345678.0123456789"},
           {"a DECIMAL(4,2), b DECIMAL(9,3), c DECIMAL(18,6), d DECIMAL(38,10)",
            "{\"a\":\"-99.99\",\"b\":\"123456.789\",\"c\":\"-123456789012.345678\",\"d\":\"1.5\"}",
            "-99.99 | 123456.789 | -123456789012.345678 | 1.5000000000"},
           {"a DECIMAL(10,2)", "{\"a\":0.10}", "0.10"},
           {"a DECIMAL(10,2)", "{\"a\":1e3}", "1000.00"},
           {"a DECIMAL(10,2)", "{\"a\":1.5000}", "1.50"}, {"a DECIMAL(10,2)", "{\"a\":-0}", "0.00"},
           {"a DECIMAL(38,38)", "{\"a\":0.12345678901234567890123456789012345678}",
            ".12345678901234567890123456789012345678"},
           {"a DECIMAL(38,0)", "{\"a\":99999999999999999999999999999999999999}",
            "99999999999999999999999999999999999999"},
           {"a DECIMAL(10,2)", "{\"a\":\"\\u0031.5\"}", "1.50"});
}

static void floating_point_is_rounded_correctly(void **state) {
    (void)state;
    VALUES({"a DOUBLE", "{\"a\":0.1}", "0.1"}, {"a DOUBLE", "{\"a\":1e22}", "1e+22"},
           {"a DOUBLE", "{\"a\":1.7976931348623157e308}", "1.7976931348623157e+308"},
           {"a DOUBLE", "{\"a\":5e-324}", "5e-324"}, {"a DOUBLE", "{\"a\":1e-400}", "0.0"},
           {"a DOUBLE", "{\"a\":-0.0}", "-0.0"},
           {"a DOUBLE", "{\"a\":2.2250738585072011e-308}", "2.225073858507201e-308"},
           {"a DOUBLE", "{\"a\":9007199254740993}", "9007199254740992.0"},
           {"a DOUBLE", "{\"a\":9007199254740993.00000000000000000000000000001}",
            "9007199254740994.0"},
           {"a DOUBLE", "{\"a\":123456789012345678901234567890}", "1.2345678901234568e+29"},
           {"a REAL", "{\"a\":16777217}", "16777216.0"},
           {"a REAL", "{\"a\":16777217.0000000001}", "16777218.0"},
           {"a REAL", "{\"a\":3.4028234e38}", "3.4028235e+38"}, {"a REAL", "{\"a\":0.1}", "0.1"},
           {"a REAL", "{\"a\":1e-45}", "1e-45"},
           /* rounded once, not through DOUBLE: a tie in between would go the other way */
           {"a REAL", "{\"a\":1.00000017881393432617187499}", "1.0000001"},
           {"a REAL", "{\"a\":1.00000017881393432617187501}", "1.0000002"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_whole_range_and_whole_valued_fractions),
        cmocka_unit_test(numbers_out_of_range_or_with_lost_digits_are_refused),
        cmocka_unit_test(decimals_are_exact_as_number_or_string),
        cmocka_unit_test(floating_point_is_rounded_correctly),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
