/* No password, key or token in anything that is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/redact.h"

typedef struct pt_case {
    const char *text, *shown;
} pt_case;

static void expect(void (*add)(pt_text *, const char *), const pt_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pt_text shown = {0};
        add(&shown, cases[i].text);
        assert_string_equal(pt_text_get(&shown), cases[i].shown);
        pt_text_free(&shown);
    }
}

static void secrets_are_replaced_and_the_rest_stays(void **state) {
    static const pt_case cases[] = {
        {"ducklake:postgres:dbname=x password=hunter2 host=h",
         "ducklake:postgres:dbname=x password=*** host=h"},
        {"postgres://me:hunter2@db/lake", "postgres://me:***@db/lake"},
        {"postgres://me@db/lake", "postgres://me@db/lake"},
        {"CREATE SECRET (TYPE s3, KEY_ID 'AK', SECRET 'hunter2', REGION 'x')",
         "CREATE SECRET (TYPE s3, KEY_ID ***, SECRET ***, REGION 'x')"},
        {"sasl.password=hunter2", "sasl.password=***"},
        {"PASSWORD = 'a b' next", "PASSWORD = *** next"},
        {"quack_serve('x', token := 'hush')", "quack_serve('x', token := ***)"},
        {"{\"password\": \"hush\", \"x\": 1}", "{\"password\": ***, \"x\": 1}"},
        {"cannot reach \"postgresql://me:hunt",
         "cannot reach \"postgresql://me:***"}, /* cut by a limit */
        {"cannot reach postgresql://db:54", "cannot reach postgresql://db:54"},
        {"cannot read s3://bucket/a:b", "cannot read s3://bucket/a:b"},
        {"s3://bucket: no such bucket", "s3://bucket: no such bucket"},
        {"no secret at all", "no secret at all"},
        {"the secret of success", "the secret of success"},
        {"password authentication failed for user \"me\"",
         "password authentication failed for user \"me\""},
        {"no broker answers at db:9092 within 10 s", "no broker answers at db:9092 within 10 s"},
        {"s3://bucket/a@b and https://host:443/x, mail me@x",
         "s3://bucket/a@b and https://host:443/x, mail me@x"},
        {"", ""},
    };
    (void)state;
    expect(pt_text_add_redacted, cases, sizeof cases / sizeof *cases);
}

static void a_value_ends_where_libpq_ends_it(void **state) {
    static const pt_case cases[] = {
        {"password=ab,cdTAIL host=h", "password=*** host=h"},
        {"password=ab;c&d)e'f\"g host=h", "password=*** host=h"},
        {"password=s3cr3t\\ pw host=h", "password=*** host=h"},
        {"password='s3c r3t' host=h", "password=*** host=h"},
        {"password = s3cr3t host=h", "password = *** host=h"},
        {"password='s3c\\'r3t pw' host=h", "password=***"},
        {"password='s3c\\\\' host=h", "password=***"},
        {"password='it's me' host=h", "password=***"},
        {"password='never closed host=h", "password=***"},
        {"cannot reach \"host=h password=ab,c\": refused",
         "cannot reach \"host=h password=***\": refused"},
        {"password=*** host=h", "password=*** host=h"},
        {"--lake 'password=***' is none", "--lake 'password=***' is none"},
    };
    (void)state;
    expect(pt_text_add_redacted, cases, sizeof cases / sizeof *cases);
}

static void a_password_in_an_address_may_hold_anything(void **state) {
    static const pt_case cases[] = {
        {"postgresql://me:s3cr@tpw@host/x", "postgresql://me:***@host/x"},
        {"ducklake:postgres:postgresql://u:p/s3cr3t@host",
         "ducklake:postgres:postgresql://u:***@host"},
        {"ducklake:postgres:user:pw@host", "ducklake:postgres:user:***@host"},
        {"user:p:w@host", "user:***@host"},
        {"postgres://me:pass word@host/x", "postgres://me:***@host/x"},
        {"postgres://me:it's@host/x", "postgres://me:***@host/x"},
        {"ATTACH 'ducklake:postgres:u:pw@host' AS l", "ATTACH 'ducklake:postgres:u:***@host' AS l"},
        {"user:***@host", "user:***@host"},
        {"could not translate host name \"tpw@host\" to address",
         "could not translate host name \"***@host\" to address"},
    };
    (void)state;
    expect(pt_text_add_redacted, cases, sizeof cases / sizeof *cases);
}

static void a_statement_that_names_a_secret_shows_no_literal(void **state) {
    static const pt_case cases[] = {
        {"SELECT 'a''b', \"it's\" FROM t WHERE x = 'y'",
         "SELECT 'a''b', \"it's\" FROM t WHERE x = 'y'"},
        {"ALTER USER x PASSWORD e's3cr3t\\'pw', 'b'", "ALTER USER x PASSWORD '***', '***'"},
        {"ALTER USER x SECRET $$s3cr3tpw$$", "ALTER USER x SECRET '***'"},
        {"x TOKEN $a$s3 $b$ cr$a$ y", "x TOKEN '***' y"},
        {"SET s3_secret_access_key TO 's3c''r3t'", "SET s3_secret_access_key TO '***'"},
        {"SET s3_secret_access_key = 's3cr3t\\', x = 'y'",
         "SET s3_secret_access_key = '***', x = '***'"},
        {"SELECT 'x' || /* ' */ 'y' AS password -- it's\n, 'z'",
         "SELECT '***' || /* ' */ '***' AS password -- it's\n, '***'"},
        {"SET password = 12345", "SET password = ***"},
        {"create or replace secret s (type s3, secret hunter2)",
         "create or replace secret s (***)"},
        {"ATTACH 'ducklake:postgres:host=h password=ab,c' AS l (DATA_PATH 'd')",
         "ATTACH 'ducklake:postgres:host=h password=***' AS l (DATA_PATH 'd')"},
        {"ATTACH 'ducklake:postgres:password=''a b'' host=h' AS l", "ATTACH '***' AS l"},
        {"ATTACH $$postgres:host=h password=ab$$ AS l",
         "ATTACH $$postgres:host=h password=*** AS l"},
    };
    (void)state;
    expect(pt_text_add_redacted_sql, cases, sizeof cases / sizeof *cases);
}

static void an_empty_password_leaves_the_message_behind_it(void **state) {
    (void)state;
    pt_text shown = {0};
    pt_text message = {0};
    pt_text_addf(&message, "lake %s cannot be attached",
                 pt_redacted("ducklake:postgres:host=h password=").text);
    pt_text_add_redacted(&shown, pt_text_get(&message));
    assert_string_equal(pt_text_get(&shown),
                        "lake ducklake:postgres:host=h password=*** cannot be attached");
    pt_text_free(&shown);
    pt_text_free(&message);
}

static void a_statement_with_a_secret_is_known_as_such(void **state) {
    (void)state;
    assert_true(pt_sql_is_secret("SET s3_secret_access_key TO $$x$$"));
    assert_true(pt_sql_is_secret("ATTACH 'postgres:u:pw@host' AS x"));
    assert_true(pt_sql_is_secret("FROM postgres_query('password=x', 'select')"));
    assert_false(pt_sql_is_secret("SELECT 'a', $$b$$, e'c\\'' FROM t"));
}

static void what_a_syntax_error_cites_is_hidden(void **state) {
    char text[] = "Parser Error: syntax error at or near \"'hu\"sh'\" (in line 2)";
    char other[] = "no \"such\" thing";
    (void)state;
    pt_redact_cited(text);
    assert_string_equal(text, "Parser Error: syntax error at or near \"***\" (in line 2)");
    char cut[] = "syntax error: unterminated quoted string at or near \"'IQoJb3JpZ2lu";
    pt_redact_cited(cut);
    assert_string_equal(cut, "syntax error: unterminated quoted string at or near \"***");
    pt_redact_cited(other);
    assert_string_equal(other, "no \"such\" thing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_replaced_and_the_rest_stays),
        cmocka_unit_test(a_value_ends_where_libpq_ends_it),
        cmocka_unit_test(a_password_in_an_address_may_hold_anything),
        cmocka_unit_test(a_statement_that_names_a_secret_shows_no_literal),
        cmocka_unit_test(an_empty_password_leaves_the_message_behind_it),
        cmocka_unit_test(a_statement_with_a_secret_is_known_as_such),
        cmocka_unit_test(what_a_syntax_error_cites_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
