#include "duck/session.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "duck/engine_internal.h"
#include "duck/failure.h"
#include "duck/session_internal.h"

#define CITED_QUERY_MAX 200 /* of a failed statement to the catalog, in an error */

int pt_session_open(pt_engine *engine, pt_session **out, pt_error *err) {
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return pt_fail_nomem(err, "a session");
    }
    if (duckdb_connect(engine->database, &(*out)->connection) == DuckDBError) {
        free(*out);
        *out = NULL;
        return pt_fail(err, PT_E_LAKE, "DuckDB refused a connection");
    }
    (*out)->engine = engine;
    return PT_OK;
}

/* Asks, since a statement may have failed without passing through here. */
static bool is_invalid(pt_session *session) {
    if (!pt_engine_invalid(session->engine)) {
        int ignored = pt_session_run(session, "SELECT 1", NULL);
        (void)ignored; /* pt_session_failed has noted what matters */
    }
    return pt_engine_invalid(session->engine);
}

void pt_session_close(pt_session **session) {
    if (*session) {
        if (!is_invalid(*session)) {
            duckdb_disconnect(&(*session)->connection);
        }
        free(*session);
        *session = NULL;
    }
}

duckdb_connection pt_session_connection(pt_session *session) {
    return session->connection;
}

pt_engine *pt_session_engine(const pt_session *session) {
    return session->engine;
}

const char *pt_session_alias(const pt_session *session) {
    return session->engine->alias;
}

void pt_session_interrupt(pt_session *session) {
    duckdb_interrupt(session->connection);
}

/* ---- failures ---- */

/* Stars over what was given as a value and stands in a text without quotes. */
static void hide(char *text, pt_params values) {
    for (size_t i = 0; i < values.n; i++) {
        const pt_value *v = &values.at[i];
        bool has_bytes = (v->kind == PT_VALUE_TEXT || v->kind == PT_VALUE_BLOB) && v->bytes.n;
        for (char *p = text;
             has_bytes && (p = memmem(p, strlen(p), v->bytes.at, v->bytes.n)) != NULL;
             p += v->bytes.n) {
            memset(p, '*', v->bytes.n);
        }
    }
}

/* Rows may stand in what the message cites, but not in the first word of the cited statement. */
static void without_values(const char *message, pt_params values, pt_code code, pt_error *err) {
    const char *begin;
    const char *end;
    bool cites = pt_cited_query(message, &begin, &end);
    const char *word = cites ? begin : message;
    while (cites && word < end && isalpha((unsigned char)*word)) {
        word++;
    }
    char words[PT_ERROR_TEXT];
    pt_message_without_values(cites ? end + 1 : message, words, sizeof words);
    if (!pt_message_names(message)) {
        hide(words, values);
    }
    (void)pt_fail(err, code, "%.*s%s%s%s", (int)(word - message), message,
                  cites && word < end ? " ..." : "", cites ? "\"" : "", words);
}

/* The reason comes last: a long statement before it must not push it out of the error. */
static void with_part_of_query(const char *message, const char *begin, const char *end,
                               pt_code code, pt_error *err) {
    int kept = (int)(begin - message) + CITED_QUERY_MAX;
    while (((unsigned char)message[kept] & 0xc0) == 0x80) { /* not inside of a character */
        kept--;
    }
    (void)pt_fail(err, code, "%.*s ...%s", kept, message, end);
}

int pt_session_failed(pt_session *session, const char *message, pt_params values, pt_error *err) {
    message = message ? message : "DuckDB gave no reason";
    const char *begin;
    const char *end;
    pt_code code = pt_lake_failure(message);
    unsigned reasons = pt_failure_reasons(message);
    if (reasons & PT_WHY_ENGINE_INVALID) {
        atomic_store(&session->engine->invalid, true);
    }
    if (session->engine->encrypted) {
        without_values(message, values, code, err);
    } else if (pt_cited_query(message, &begin, &end) && end - begin > CITED_QUERY_MAX) {
        with_part_of_query(message, begin, end, code, err);
    } else {
        const char *picture = pt_message_picture(message);
        (void)pt_fail(err, code, "%.*s",
                      (int)(picture ? (size_t)(picture - message) : strlen(message)), message);
    }
    pt_error_because(err, reasons);
    return (int)code;
}

/* ---- statements whose text is all there is ---- */

void pt_session_beat(pt_session *session, bool begins) {
    if (session->engine->pulse) {
        atomic_store_explicit(session->engine->pulse, begins ? pt_monotonic_us() : 0,
                              memory_order_relaxed);
    }
}

int pt_session_query(pt_session *session, const char *sql, duckdb_result *out, pt_error *err) {
    pt_session_beat(session, true);
    duckdb_state state = duckdb_query(session->connection, sql, out);
    pt_session_beat(session, false);
    if (state != DuckDBError) {
        return PT_OK;
    }
    int code = pt_session_failed(session, duckdb_result_error(out), PT_NO_VALUES, err);
    duckdb_destroy_result(out);
    return code;
}

int pt_session_run(pt_session *session, const char *sql, pt_error *err) {
    duckdb_result result;
    PT_TRY(pt_session_query(session, sql, &result, err));
    duckdb_destroy_result(&result);
    return PT_OK;
}

int pt_session_runf(pt_session *session, pt_error *err, const char *format, ...) {
    char *sql = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&sql, format, args);
    va_end(args);
    if (n < 0) {
        return pt_fail_nomem(err, "a statement");
    }
    int code = pt_session_run(session, sql, err);
    free(sql);
    return code;
}
