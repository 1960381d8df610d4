/* The interface of formats, with a second one behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/fixed_format.h"
#include "decode/formats.h"
#include "decode/json/format.h"

typedef struct world {
    pt_schema *schema;
    pt_rows *rows;
    pt_decoder *decoder;
    pt_error err;
} world;

static void set_up(world *w) {
    pt_type types[] = {{.id = PT_INTEGER}, {.id = PT_BIGINT}};
    *w = (world){0};
    registry_is_away = false;
    assert_int_equal(pt_schema_parse("a INTEGER, b BIGINT", &w->schema, &w->err), PT_OK);
    assert_int_equal(pt_rows_new(types, 2, &w->rows, &w->err), PT_OK);
    const pt_decoder_options options = {.schema = w->schema};
    assert_int_equal(pt_decoder_open(&fixed_format, &options, &w->decoder, &w->err), PT_OK);
}

static void tear_down(world *w) {
    pt_decoder_close(&w->decoder);
    assert_null(w->decoder);
    pt_rows_free(&w->rows);
    pt_schema_free(&w->schema);
}

static int decode(world *w, int32_t a, int64_t b, uint32_t len, pt_decode_error *why) {
    char bytes[FIXED_BYTES + 1] = {0};
    memcpy(bytes, &a, sizeof a);
    memcpy(bytes + sizeof a, &b, sizeof b);
    assert_int_equal(pt_rows_open(w->rows, &w->err), PT_OK);
    int code = pt_decode(w->decoder, &(pt_record){.value = bytes, .value_len = len}, w->rows, why,
                         &w->err);
    if (code == PT_OK && why->code == PT_DECODE_OK) {
        pt_rows_commit(w->rows);
    }
    return code;
}

static void a_format_of_a_fixed_struct_fills_two_columns_through_the_interface(void **state) {
    world w;
    pt_decode_error why;
    (void)state;
    set_up(&w);
    assert_int_equal(decode(&w, 7, 1LL << 40, FIXED_BYTES, &why), PT_OK);
    assert_int_equal(why.code, PT_DECODE_OK);
    assert_int_equal(decode(&w, 0, 0, 5, &why), PT_OK);
    assert_int_equal(why.code, PT_DECODE_TRUNCATED);
    assert_int_equal(decode(&w, 0, 0, FIXED_BYTES + 1, &why), PT_OK);
    assert_int_equal(why.code, PT_DECODE_TRAILING);
    assert_int_equal(decode(&w, -8, -1, FIXED_BYTES, &why), PT_OK);
    assert_int_equal(pt_rows_count(w.rows), 2);
    assert_int_equal(((int32_t *)pt_rows_data(w.rows, 0))[0], 7);
    assert_int_equal(((int32_t *)pt_rows_data(w.rows, 0))[1], -8);
    assert_true(((int64_t *)pt_rows_data(w.rows, 1))[0] == 1LL << 40);
    /* what a format leaves out is empty */
    assert_int_equal(pt_decoder_unknown_fields(w.decoder), 0);
    assert_null(pt_decoder_unknown_name(w.decoder, 0));
    tear_down(&w);
}

static void a_record_that_cannot_be_read_now_is_read_by_the_same_call_later(void **state) {
    world w;
    pt_decode_error why;
    (void)state;
    set_up(&w);
    registry_is_away = true;
    assert_int_equal(decode(&w, 1, 1, FIXED_BYTES, &why), PT_OK);
    assert_int_equal(decode(&w, -2, 2, FIXED_BYTES, &why), PT_E_NOT_NOW);
    assert_non_null(strstr(w.err.text, "registry"));
    assert_int_equal(pt_rows_count(w.rows), 1);
    registry_is_away = false;
    assert_int_equal(decode(&w, -2, 2, FIXED_BYTES, &why), PT_OK);
    assert_int_equal(why.code, PT_DECODE_OK);
    assert_int_equal(pt_rows_count(w.rows), 2);
    assert_int_equal(((int32_t *)pt_rows_data(w.rows, 0))[1], -2);
    tear_down(&w);
}

static void a_format_refuses_a_schema_that_it_cannot_fill(void **state) {
    pt_schema *schema;
    pt_decoder *decoder = (pt_decoder *)&schema;
    pt_error err;
    (void)state;
    assert_int_equal(pt_schema_parse("a VARCHAR", &schema, &err), PT_OK);
    const pt_decoder_options options = {.schema = schema};
    assert_int_equal(pt_decoder_open(&fixed_format, &options, &decoder, &err), PT_E_USAGE);
    assert_null(decoder);
    pt_schema_free(&schema);
}

static void the_formats_have_names_of_their_own_and_json_is_the_default(void **state) {
    (void)state;
    assert_ptr_equal(pt_formats[0], &pt_json_format);
    for (size_t i = 0; pt_formats[i]; i++) {
        assert_non_null(pt_formats[i]->open);
        assert_non_null(pt_formats[i]->decode);
        assert_non_null(pt_formats[i]->close);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(pt_formats[i]->name, pt_formats[k]->name);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_format_of_a_fixed_struct_fills_two_columns_through_the_interface),
        cmocka_unit_test(a_record_that_cannot_be_read_now_is_read_by_the_same_call_later),
        cmocka_unit_test(a_format_refuses_a_schema_that_it_cannot_fill),
        cmocka_unit_test(the_formats_have_names_of_their_own_and_json_is_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
