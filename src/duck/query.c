#include "duck/query.h"

#include <stdarg.h>

void pt_query_add(pt_query *query, const char *sql) {
    pt_text_add(&query->sql, sql);
}

void pt_query_addf(pt_query *query, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pt_text_addv(&query->sql, format, args);
    va_end(args);
}

void pt_query_value(pt_query *query, pt_value value) {
    pt_text_add(&query->sql, "?");
    if (query->n_values == PT_QUERY_VALUES) {
        query->full = true;
        return;
    }
    query->values[query->n_values++] = value;
}

static int check(pt_query *query, pt_error *err) {
    return query->full
               ? pt_fail(err, PT_E_INTERNAL, "a statement of more than %d values", PT_QUERY_VALUES)
               : pt_text_check(&query->sql, err);
}

static void clear(pt_query *query) {
    pt_text_free(&query->sql);
    *query = (pt_query){0};
}

int pt_query_run(pt_session *session, pt_query *query, pt_result *out, pt_error *err) {
    int code = check(query, err);
    if (code == PT_OK) {
        code = pt_session_exec(session, out, err, pt_text_get(&query->sql),
                               (pt_params){query->values, query->n_values});
    }
    clear(query);
    return code;
}

int pt_query_int(pt_session *session, pt_query *query, int64_t *out, pt_error *err) {
    int code = check(query, err);
    if (code == PT_OK) {
        code = pt_session_exec_int(session, out, err, pt_text_get(&query->sql),
                                   (pt_params){query->values, query->n_values});
    }
    clear(query);
    return code;
}
