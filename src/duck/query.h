/* A statement that is put together from parts, with its values beside it: a value is never a part
 * of the text. For statements whose text depends on what is there; else pt_session_exec. */
#pragma once

#include "base/text.h"
#include "duck/result.h"
#include "duck/session.h"

#define PT_QUERY_VALUES 32

typedef struct pt_query {
    pt_text sql;
    pt_value values[PT_QUERY_VALUES]; /* they point to the caller's bytes until the query has run */
    size_t n_values;
    bool full; /* more values than there is room for: the query fails */
} pt_query;

/* Text of SQL: with @lake and @meta as pt_session_exec knows them, without ?. */
void pt_query_add(pt_query *query, const char *sql);
void pt_query_addf(pt_query *query, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A ? and its value. */
void pt_query_value(pt_query *query, pt_value value);

/* Run it once and empty it, whatever comes of it. out as in pt_session_exec. */
int pt_query_run(pt_session *session, pt_query *query, pt_result *out, pt_error *err) PT_CHECKED;
int pt_query_int(pt_session *session, pt_query *query, int64_t *out, pt_error *err) PT_CHECKED;
