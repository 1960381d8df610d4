/* Statements out of SQL text: what hides a semicolon, and on which line each begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/sql/split.h"

/* All statements as "line:text|", the text added in pieces of step bytes. */
static void split(const char *sql, size_t step, pt_text *out) {
    pt_sql_splitter splitter;
    pt_error err;
    pt_sql_splitter_init(&splitter);
    pt_text_clear(out);
    size_t len = strlen(sql);
    for (size_t at = 0;; at += step) {
        bool end = at >= len;
        bool found = true;
        if (!end) {
            assert_int_equal(pt_sql_splitter_add(&splitter, sql + at,
                                                 len - at < step ? len - at : step, &err),
                             PT_OK);
        }
        while (found) {
            pt_sql_statement statement;
            assert_int_equal(pt_sql_splitter_next(&splitter, end, &found, &statement, &err), PT_OK);
            if (found) {
                pt_text_addf(out, "%zu:%s|", statement.line, statement.text);
            }
        }
        if (end) {
            break;
        }
    }
    pt_sql_splitter_clear(&splitter);
}

/* The same whatever the pieces in which the text arrives. */
static void expect(const char *sql, const char *statements) {
    pt_text got = {0};
    for (size_t step = 1; step < 12; step++) {
        split(sql, step, &got);
        assert_string_equal(pt_text_get(&got), statements);
    }
    split(sql, 1 << 20, &got);
    assert_string_equal(pt_text_get(&got), statements);
    pt_text_free(&got);
}

static void semicolons_part_statements(void **state) {
    (void)state;
    expect("", "");
    expect(";;; \n;", "");
    expect("select 1", "1:select 1|");
    expect("select 1;", "1:select 1|");
    expect("a; b;\nc", "1:a|1:b|2:c|");
    expect("  a  ;", "1:a|");
    expect("a;\r\nb;\r\n", "1:a|2:b|");
    expect("\xef\xbb\xbfselect 1;", "1:select 1|");
}

static void a_statement_begins_at_its_first_word(void **state) {
    (void)state;
    expect("-- about a\n\n/* more\n */ a\n+ 1;\n\n\nb", "4:a\n+ 1|8:b|");
    expect("a -- why;\n;b", "1:a -- why;|2:b|");
    expect("a;\n-- the end", "1:a|");
    expect("a;\n/* the end */", "1:a|");
}

static void quotes_hide_semicolons(void **state) {
    (void)state;
    expect("select ';' ; b", "1:select ';'|1:b|");
    expect("select 'it''s;' ; b", "1:select 'it''s;'|1:b|");
    expect("select 'a\\' ; b", "1:select 'a\\'|1:b|");
    expect("select \"a;\"\"b;\" ; b", "1:select \"a;\"\"b;\"|1:b|");
    expect("select '-- /*' ; b", "1:select '-- /*'|1:b|");
    expect("select 'x\n\n;' ;\nb", "1:select 'x\n\n;'|4:b|");
}

static void escape_strings_take_backslashes(void **state) {
    (void)state;
    expect("select E'a\\';' ; b", "1:select E'a\\';'|1:b|");
    expect("select e'it''s \\';' ; b", "1:select e'it''s \\';'|1:b|");
    expect("E'\\';' ; b", "1:E'\\';'|1:b|");
    expect("select date'\\' ; b", "1:select date'\\'|1:b|"); /* the e belongs to a word */
}

static void dollar_quotes_end_at_their_own_tag(void **state) {
    (void)state;
    expect("select $$;'$$ ; b", "1:select $$;'$$|1:b|");
    expect("select $x$;$y$;$x$ ; b", "1:select $x$;$y$;$x$|1:b|");
    expect("select $x$\n;$$\n$x$ ;\nb", "1:select $x$\n;$$\n$x$|4:b|");
    expect("select $1 ; select $2 ; b", "1:select $1|1:select $2|1:b|");
    expect("select a$b$ ; c$b$ ; d", "1:select a$b$|1:c$b$|1:d|"); /* $ inside a name */
    expect("select $ ; b", "1:select $|1:b|");
}

static void block_comments_nest(void **state) {
    (void)state;
    expect("a /* ; /* ; */ ; */ ; b", "1:a /* ; /* ; */ ; */|1:b|");
    expect("a /* ' */ ; b", "1:a /* ' */|1:b|");
    expect("1 / 2 - 3; - -1; b", "1:1 / 2 - 3|1:- -1|1:b|");
}

static void what_is_left_open_comes_as_it_is(void **state) {
    (void)state;
    expect("a; select 'b;", "1:a|1:select 'b;|");
    expect("a; /* b;", "1:a|1:/* b;|");
    expect("a; $$ b;", "1:a|1:$$ b;|");
}

static void an_open_statement_is_seen(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        bool open;
    } cases[] = {{"", false},        {"\n", false},   {"a", true},       {"a;", false},
                 {"a;\n", false},    {"a; b", true},  {"a 'b;", true},   {"/* a", true},
                 {"/* a */", false}, {"-- a", false}, {"-- a;\n", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pt_sql_splitter splitter;
        pt_sql_statement statement;
        bool found = true;
        pt_sql_splitter_init(&splitter);
        assert_int_equal(pt_sql_splitter_add(&splitter, cases[i].sql, strlen(cases[i].sql), NULL),
                         PT_OK);
        while (found) {
            assert_int_equal(pt_sql_splitter_next(&splitter, false, &found, &statement, NULL),
                             PT_OK);
        }
        assert_int_equal(pt_sql_splitter_open(&splitter), cases[i].open);
        pt_sql_splitter_reset(&splitter);
        assert_false(pt_sql_splitter_open(&splitter));
        pt_sql_splitter_clear(&splitter);
    }
}

static void a_zero_byte_is_refused(void **state) {
    (void)state;
    pt_sql_splitter splitter;
    pt_error err;
    pt_sql_splitter_init(&splitter);
    assert_int_equal(pt_sql_splitter_add(&splitter, "a\0b", 3, &err), PT_E_DATA);
    assert_non_null(strstr(err.text, "zero byte"));
    pt_sql_splitter_clear(&splitter);
}

static void a_statement_without_end_is_refused(void **state) {
    (void)state;
    pt_sql_splitter splitter;
    pt_error err;
    static char block[1 << 20];
    int code = PT_OK;
    memset(block, 'x', sizeof block);
    pt_sql_splitter_init(&splitter);
    for (size_t i = 0; code == PT_OK && i < 100; i++) {
        pt_sql_statement statement;
        bool found;
        code = pt_sql_splitter_add(&splitter, block, sizeof block, &err);
        if (code == PT_OK) {
            assert_int_equal(pt_sql_splitter_next(&splitter, false, &found, &statement, &err),
                             PT_OK);
        }
    }
    assert_int_equal(code, PT_E_DATA);
    pt_sql_splitter_clear(&splitter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semicolons_part_statements),
        cmocka_unit_test(a_statement_begins_at_its_first_word),
        cmocka_unit_test(quotes_hide_semicolons),
        cmocka_unit_test(escape_strings_take_backslashes),
        cmocka_unit_test(dollar_quotes_end_at_their_own_tag),
        cmocka_unit_test(block_comments_nest),
        cmocka_unit_test(what_is_left_open_comes_as_it_is),
        cmocka_unit_test(an_open_statement_is_seen),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(a_statement_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
