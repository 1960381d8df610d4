/* Tables of cases for the JSON decoder: a schema, a record, and the row or the error that comes of
 * it. VALUES and ERRORS run them through both scanners. */
#pragma once

#include "decode/json/decode_testing.h"

typedef struct value_case {
    const char *schema, *json, *row;
} value_case;

typedef struct error_case {
    const char *schema, *json;
    pt_decode_code code;
    int64_t position;
} error_case;

static inline void check_value(const value_case *c, bool portable) {
    fixture f;
    fixture_open(&f, c->schema);
    if (portable) {
        pt_json_portable_only(f.decoder);
    }
    for (int i = 0; i < 3; i++) {
        pt_decode_error e = decode_text(&f, c->json);
        if (e.code != PT_DECODE_OK) {
            fail_msg("%s <- %s: %s at %lld: %s", c->schema, c->json, pt_decode_code_name(e.code),
                     (long long)e.position, e.text);
        }
        char *row = last_row(&f);
        if (strcmp(row, c->row) != 0) {
            fail_msg("%s <- %s: got %s, want %s", c->schema, c->json, row, c->row);
        }
        free(row);
    }
    assert_int_equal(pt_rows_count(f.rows), 3);
    fixture_close(&f);
}

static inline void check_values(const value_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        check_value(&cases[i], false);
        check_value(&cases[i], true);
    }
}

static inline void check_error_bytes(const error_case *c, size_t len, bool portable) {
    fixture f;
    fixture_open(&f, c->schema);
    if (portable) {
        pt_json_portable_only(f.decoder);
    }
    for (int i = 0; i < 2; i++) {
        pt_decode_error e = decode_bytes(&f, c->json, len);
        if (e.code != c->code || e.position != c->position) {
            fail_msg("%s <- %s: got %s at %lld (%s), want %s at %lld", c->schema, c->json,
                     pt_decode_code_name(e.code), (long long)e.position, e.text,
                     pt_decode_code_name(c->code), (long long)c->position);
        }
        assert_true(strlen(e.text) > 0);
        for (const char *p = e.text; *p; p++) {
            assert_true(*p >= ' ' && *p <= '~');
        }
    }
    assert_int_equal(pt_rows_count(f.rows), 0);
    fixture_close(&f);
}

static inline void check_errors(const error_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        check_error_bytes(&cases[i], strlen(cases[i].json), false);
        check_error_bytes(&cases[i], strlen(cases[i].json), true);
    }
}

#define VALUES(...)                                        \
    do {                                                   \
        static const value_case cases[] = {__VA_ARGS__};   \
        check_values(cases, sizeof cases / sizeof *cases); \
    } while (0)
#define ERRORS(...)                                        \
    do {                                                   \
        static const error_case cases[] = {__VA_ARGS__};   \
        check_errors(cases, sizeof cases / sizeof *cases); \
    } while (0)
