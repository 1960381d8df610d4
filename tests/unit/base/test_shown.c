#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/shown.h"

static const char *shown(const char *text, const char *kept) {
    static pt_text out;
    pt_text_clear(&out);
    pt_text_add_shown(&out, text, strlen(text), kept);
    return pt_text_get(&out);
}

static void what_would_steer_a_terminal_is_shown(void **state) {
    (void)state;
    assert_string_equal(shown("a\033[31mb\007\177", ""), "a\\x1b[31mb\\x07\\x7f");
    assert_string_equal(shown("\xc2\x9b"
                              "31m",
                              ""),
                        "\\x9b31m");
    assert_string_equal(shown("a\xe2\x80\xae"
                              "b\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8",
                              ""),
                        "a\\u202eb\\u2066\\u061c\\u2028");
    assert_string_equal(shown("\x9b\xff\xe2\x80\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xc2", ""),
                        "\\x9b\\xff\\xe2\\x80\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xc2");
    assert_string_equal(shown("a\nb\tc\r", "\n"), "a\nb\\tc\\r");
}

static void other_text_stays_as_it_is_also_the_second_time(void **state) {
    (void)state;
    static const char text[] = "línea два 三 🙂 \\x1b \xc2\xa0 e\xcc\x81";
    assert_string_equal(shown(text, ""), text);
    char once[64];
    (void)snprintf(once, sizeof once, "%s", shown("\033\xff", ""));
    assert_string_equal(shown(once, ""), "\\x1b\\xff");
}

static void in_json_it_is_escaped(void **state) {
    (void)state;
    pt_text out = {0};
    pt_text_add_json_shown(&out, "a\"\\\n\033\xe2\x80\xae\xff\xc2\x9b\xc3\xa9", 13);
    assert_string_equal(pt_text_get(&out), "\"a\\\"\\\\\\n\\u001b\\u202e\\ufffd\\u009b\xc3\xa9\"");
    pt_text_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_would_steer_a_terminal_is_shown),
        cmocka_unit_test(other_text_stays_as_it_is_also_the_second_time),
        cmocka_unit_test(in_json_it_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
