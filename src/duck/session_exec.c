/* Statements with values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "duck/session_internal.h"

/* ---- values ---- */

pt_value pt_null(void) {
    return (pt_value){.kind = PT_VALUE_NULL};
}

pt_value pt_bool(bool value) {
    return (pt_value){.kind = PT_VALUE_BOOL, .truth = value};
}

pt_value pt_int(int64_t value) {
    return (pt_value){.kind = PT_VALUE_INT, .integer = value};
}

pt_value pt_real(double value) {
    return (pt_value){.kind = PT_VALUE_REAL, .real = value};
}

pt_value pt_str(const char *text) {
    return pt_str_n(text, text ? strlen(text) : 0);
}

pt_value pt_str_n(const char *text, size_t n) {
    return text ? (pt_value){.kind = PT_VALUE_TEXT, .bytes = {text, n}} : pt_null();
}

pt_value pt_blob(const void *bytes, size_t n) {
    return bytes ? (pt_value){.kind = PT_VALUE_BLOB, .bytes = {bytes, n}} : pt_null();
}

static bool is_utf8(const pt_value *v) {
    duckdb_error_data bad = duckdb_valid_utf8_check(v->bytes.at, v->bytes.n);
    bool good = bad == NULL;
    duckdb_destroy_error_data(&bad);
    return good;
}

static int bind_one(duckdb_prepared_statement statement, size_t number, const pt_value *v,
                    pt_error *err) {
    duckdb_state state = DuckDBError;
    switch (v->kind) {
    case PT_VALUE_NULL: state = duckdb_bind_null(statement, number); break;
    case PT_VALUE_BOOL: state = duckdb_bind_boolean(statement, number, v->truth); break;
    case PT_VALUE_INT: state = duckdb_bind_int64(statement, number, v->integer); break;
    case PT_VALUE_REAL: state = duckdb_bind_double(statement, number, v->real); break;
    case PT_VALUE_TEXT:
        if (!is_utf8(v)) {
            return pt_fail(err, PT_E_DATA, "value %zu of a statement is not UTF-8", number);
        }
        state = duckdb_bind_varchar_length(statement, number, v->bytes.at, v->bytes.n);
        break;
    case PT_VALUE_BLOB: state = duckdb_bind_blob(statement, number, v->bytes.at, v->bytes.n); break;
    }
    return state == DuckDBError
               ? pt_fail(err, PT_E_INTERNAL, "DuckDB refused value %zu of a statement", number)
               : PT_OK;
}

static int bind_all(duckdb_prepared_statement statement, pt_params values, pt_error *err) {
    size_t wanted = duckdb_nparams(statement);
    if (wanted != values.n) {
        return pt_fail(err, PT_E_INTERNAL,
                       "a statement has %zu parameters and was given %zu values", wanted, values.n);
    }
    for (size_t i = 0; i < values.n; i++) {
        PT_TRY(bind_one(statement, i + 1, &values.at[i], err));
    }
    return PT_OK;
}

/* ---- the text ---- */

static bool takes(const char **p, const char *word) {
    size_t n = strlen(word);
    bool found = strncmp(*p, word, n) == 0;
    *p += found ? n : 0;
    return found;
}

/* @lake and @meta, outside of quotes. */
static void add_names(const pt_session *session, const char *sql, pt_text *out) {
    char quote = '\0';
    for (const char *p = sql; *p;) {
        if (!quote && takes(&p, "@lake")) {
            pt_text_add_sql_name(out, pt_session_alias(session));
        } else if (!quote && takes(&p, "@meta")) {
            pt_text_addf(out, "\"__ducklake_metadata_%s\"", pt_session_alias(session));
        } else {
            quote = *p == quote ? '\0' : !quote && strchr("'\"", *p) ? *p : quote;
            pt_text_add_n(out, p++, 1);
        }
    }
}

/* ---- one statement ---- */

static int prepare(pt_session *session, const char *sql, pt_params values,
                   duckdb_prepared_statement *out, pt_error *err) {
    if (duckdb_prepare(session->connection, sql, out) != DuckDBError) {
        return PT_OK;
    }
    int code = pt_session_failed(session, duckdb_prepare_error(*out), values, err);
    duckdb_destroy_prepare(out);
    return code;
}

static int execute(pt_session *session, duckdb_prepared_statement statement, pt_params values,
                   pt_result *out, pt_error *err) {
    duckdb_result result;
    int code = PT_OK;
    if (duckdb_execute_prepared(statement, &result) == DuckDBError) {
        code = pt_session_failed(session, duckdb_result_error(&result), values, err);
    } else if (out) {
        code = pt_result_take(&result, out, err);
    }
    duckdb_destroy_result(&result);
    return code;
}

static int exec(pt_session *session, pt_result *out, pt_error *err, const char *sql,
                pt_params values) {
    duckdb_prepared_statement statement = NULL;
    PT_TRY(prepare(session, sql, values, &statement, err));
    int code = bind_all(statement, values, err);
    if (code == PT_OK) {
        code = execute(session, statement, values, out, err);
    }
    duckdb_destroy_prepare(&statement);
    return code;
}

/* Nothing is kept prepared. DuckDB binds a statement on a lake again each time that it runs, so
 * that nothing is saved; and what it does not bind again is wrong: ducklake_current_snapshot
 * answers what it answered when it was prepared. For the same reason a SELECT on a lake's table
 * with values is bound twice, at prepare and at execute. */
int pt_session_exec(pt_session *session, pt_result *out, pt_error *err, const char *sql,
                    pt_params values) {
    pt_text named = {0};
    if (out) { /* DuckDB casts every column to text, so that each type has its usual one */
        *out = (pt_result){0};
        pt_text_add(&named, "SELECT COLUMNS(*)::VARCHAR FROM (");
    }
    add_names(session, sql, &named);
    pt_text_add(&named, out ? ")" : "");
    int code = pt_text_check(&named, err);
    if (code == PT_OK) {
        pt_session_beat(session, true);
        code = exec(session, out, err, pt_text_get(&named), values);
        pt_session_beat(session, false);
    }
    pt_text_free(&named);
    return code;
}

int pt_session_exec_text(pt_session *session, char **out, pt_error *err, const char *sql,
                         pt_params values) {
    pt_result rows;
    *out = NULL;
    PT_TRY(pt_session_exec(session, &rows, err, sql, values));
    if (rows.n_rows && rows.n_columns) {
        *out = rows.cells[0];
        rows.cells[0] = NULL;
    }
    pt_result_clear(&rows);
    return PT_OK;
}

int pt_session_exec_int(pt_session *session, int64_t *out, pt_error *err, const char *sql,
                        pt_params values) {
    char *text;
    PT_TRY(pt_session_exec_text(session, &text, err, sql, values));
    *out = text ? strtoll(text, NULL, 10) : 0;
    free(text);
    return PT_OK;
}
