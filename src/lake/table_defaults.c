#include "lake/table_defaults.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "duck/session.h"

static bool is_bare_in_json(const pt_type *type) {
    return type->id <= PT_DOUBLE;
}

/* The default is an expression, so it stands in the text: its value as the decoder would find it in
 * a record. */
static int evaluate(pt_session *session, const char *label, const pt_column *c, char **json,
                    pt_error *err) {
    char *type = pt_type_sql(&c->type);
    pt_text sql = {0};
    const char *open = "to_json((";
    const char *close = ")::VARCHAR)::VARCHAR";
    if (is_bare_in_json(&c->type)) {
        open = "((";
        close = ")::VARCHAR)";
    } else if (c->type.n_fields || c->type.id == PT_JSON) {
        open = "to_json((";
        close = "))::VARCHAR";
    } else if (c->type.id == PT_BLOB) {
        open = c->type.blob == PT_BLOB_HEX ? "to_json(hex((" : "to_json(base64((";
        close = ")))::VARCHAR";
    }
    pt_text_addf(&sql, "SELECT %s(%s)::%s%s", open, c->default_sql, type ? type : "?", close);
    int code = type ? pt_text_check(&sql, err) : pt_fail_nomem(err, "a default");
    if (code == PT_OK) {
        code = pt_session_text(session, pt_text_get(&sql), json, err);
    }
    if (code != PT_OK && code != PT_E_NOMEM) {
        err->code = PT_E_USAGE;
        code = pt_fail_in(err, "table %s, column %s: DEFAULT %s cannot be evaluated", label,
                          c->name, c->default_sql);
    }
    free(type);
    pt_text_free(&sql);
    return code;
}

/* Words in a default without which it is the same at any time; what follows needs a look at
 * DuckDB's functions. */
static bool may_vary(const char *expression) {
    return strchr(expression, '(') || strcasestr(expression, "current_") ||
           strcasestr(expression, "local");
}

/* *out: a function in the expression whose value is not the same at any time (malloc'd); NULL:
 * none. What a process keeps while it runs counts as the same. */
static int find_varying(pt_session *session, const char *expression, char **out, pt_error *err) {
    *out = NULL;
    return may_vary(expression)
               ? pt_session_exec_text(
                     session, out, err,
                     "SELECT min(w) FROM (SELECT lower(json_extract_string(t.value, '$')) AS w, "
                     "t.key AS k, t.path AS p FROM json_tree(json_serialize_sql('SELECT (' || "
                     "?::VARCHAR || ')')) t) WHERE (k = 'function_name' AND w IN (SELECT "
                     "function_name FROM "
                     "duckdb_functions() WHERE stability IN ('VOLATILE', "
                     "'CONSISTENT_WITHIN_QUERY') "
                     "AND NOT starts_with(function_name, 'current_schema') AND function_name NOT "
                     "IN "
                     "('current_database', 'in_search_path'))) "
                     "OR (p LIKE '%.column_names' AND w IN ('current_date', 'current_time', "
                     "'current_timestamp', 'localtime', 'localtimestamp'))",
                     PT_VALUES(pt_str(expression)))
               : PT_OK;
}

static int refuse(const char *label, const pt_column *c, const char *function, pt_error *err) {
    bool chance = strstr(function, "uuid") || strcmp(function, "random") == 0 ||
                  strcmp(function, "nextval") == 0;
    return pt_fail(
        err, PT_E_USAGE,
        "table %s, column %s: DEFAULT %s (%s) is not the same for every record, and pintail would "
        "evaluate it once; %s; leave it out of the schema, or "
        "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT",
        label, c->name, c->default_sql, function,
        chance ? "let the producer set it; _kafka_partition and _kafka_offset number the rows"
               : "for the time there are ingest_time and _kafka_timestamp",
        label, c->name);
}

static int evaluate_default(pt_session *session, const char *label, pt_column *c, pt_error *err) {
    char *function = NULL;
    char *again = NULL;
    PT_TRY(evaluate(session, label, c, &c->default_json, err));
    int code = find_varying(session, c->default_sql, &function, err);
    if (code == PT_OK && function) {
        code = refuse(label, c, function, err);
    } else if (code == PT_OK &&
               may_vary(c->default_sql)) { /* a macro, or a function whose stability is not told */
        code = evaluate(session, label, c, &again, err);
        bool same = code != PT_OK || (again && c->default_json ? strcmp(again, c->default_json) == 0
                                                               : again == c->default_json);
        code = same ? code : refuse(label, c, "another value each time", err);
    }
    free(function);
    free(again);
    return code;
}

int pt_table_evaluate_defaults(pt_session *session, const char *label, pt_schema *schema,
                               pt_error *err) {
    for (size_t i = 0; i < schema->n_columns; i++) {
        if (schema->columns[i].default_sql) {
            PT_TRY(evaluate_default(session, label, &schema->columns[i], err));
        }
    }
    return PT_OK;
}
