/* The codes of dead letters: each has a name of its own, and docs/GUIDE.md lists them as the table
 * has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/codes.h"

static void every_code_has_a_name_of_its_own_and_a_help(void **state) {
    (void)state;
    for (int i = 0; i < PT_DECODE_CODES; i++) {
        assert_true(pt_decode_code_name(i) && *pt_decode_code_name(i));
        assert_true(pt_decode_code_help(i) && *pt_decode_code_help(i));
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(pt_decode_code_name(i), pt_decode_code_name(k));
        }
    }
    assert_string_equal(pt_decode_code_name(PT_DECODE_CODES), "unknown");
}

/* One bullet for each, one behind the other. */
static char *wanted_list(void) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    fputs("The codes:\n\n", out);
    for (int i = PT_DECODE_OK + 1; i < PT_DECODE_CODES; i++) {
        fprintf(out, "- `%s`: %s.\n", pt_decode_code_name(i), pt_decode_code_help(i));
    }
    fputs("\n", out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *read_guide(void) {
    static char guide[256 * 1024];
    FILE *in = fopen(PT_SOURCE_DIR "/docs/GUIDE.md", "r");
    assert_non_null(in);
    size_t n = fread(guide, 1, sizeof guide - 1, in);
    assert_true(n < sizeof guide - 1);
    guide[n] = '\0';
    fclose(in);
    return guide;
}

static void the_guide_lists_the_codes_as_the_table_has_them(void **state) {
    (void)state;
    char *list = wanted_list();
    if (!strstr(read_guide(), list)) {
        fail_msg("docs/GUIDE.md has not this list:\n%s", list);
    }
    free(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_of_its_own_and_a_help),
        cmocka_unit_test(the_guide_lists_the_codes_as_the_table_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
