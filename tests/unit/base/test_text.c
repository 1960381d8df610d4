#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

static void sql_quotes_are_doubled(void **state) {
    pt_text sql = {0};
    (void)state;
    pt_text_add_sql_string(&sql, "it's");
    pt_text_add_sql_name(&sql, "a\"b");
    assert_string_equal(pt_text_get(&sql), "'it''s'\"a\"\"b\"");
    pt_text_free(&sql);
}

static void json_text_escapes_quotes_and_controls(void **state) {
    pt_text json = {0};
    (void)state;
    pt_text_add_json(&json, "a\"\\\n\x01z", 6);
    assert_string_equal(pt_text_get(&json), "\"a\\\"\\\\\\n\\u0001z\"");
    pt_text_free(&json);
}

static void long_formatted_text_is_whole(void **state) {
    pt_text text = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        pt_text_addf(&text, "%04d,", i);
    }
    assert_int_equal(text.len, 5000);
    assert_memory_equal(pt_text_get(&text) + 4995, "0999,", 6);
    assert_int_equal(pt_text_check(&text, NULL), PT_OK);
    pt_text_free(&text);
}

static void an_error_stays_one_line_and_takes_a_context_in_front(void **state) {
    pt_error err;
    char long_text[3000];
    (void)state;
    assert_int_equal(pt_fail(&err, PT_E_IO, "two\nlines"), PT_E_IO);
    assert_string_equal(err.text, "two lines");
    assert_int_equal(pt_fail_in(&err, "file %s", "x"), PT_E_IO);
    assert_string_equal(err.text, "file x: two lines");
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_int_equal(pt_fail(&err, PT_E_IO, "%s", long_text), PT_E_IO);
    assert_int_equal(pt_fail_in(&err, "front"), PT_E_IO);
    assert_int_equal(strlen(err.text), PT_ERROR_TEXT - 1);
    assert_int_equal(pt_exit_code(PT_E_USAGE), 2);
    assert_int_equal(pt_exit_code(PT_E_LAKE), 1);
    assert_int_equal(pt_exit_code(PT_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sql_quotes_are_doubled),
        cmocka_unit_test(json_text_escapes_quotes_and_controls),
        cmocka_unit_test(long_formatted_text_is_whole),
        cmocka_unit_test(an_error_stays_one_line_and_takes_a_context_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
