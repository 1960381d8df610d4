/* What is said of a record that cannot be taken. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/json/core.h"

pt_json_quote pt_json_quoted(const char *p, size_t len) {
    pt_json_quote q;
    size_t n = 0;
    size_t max = sizeof q.text - 4;
    for (size_t i = 0; i < len; i++) {
        if (n == max) {
            memcpy(q.text + n, "...", 3);
            n += 3;
            break;
        }
        q.text[n++] = p[i] >= ' ' && p[i] <= '~' ? p[i] : '?';
    }
    q.text[n] = '\0';
    return q;
}

pt_json_type_text pt_json_type_of(const pt_json_node *node) {
    static const char *const names[] = {
        [PT_BOOLEAN] = "BOOLEAN",
        [PT_TINYINT] = "TINYINT",
        [PT_SMALLINT] = "SMALLINT",
        [PT_INTEGER] = "INTEGER",
        [PT_BIGINT] = "BIGINT",
        [PT_HUGEINT] = "HUGEINT",
        [PT_UTINYINT] = "UTINYINT",
        [PT_USMALLINT] = "USMALLINT",
        [PT_UINTEGER] = "UINTEGER",
        [PT_UBIGINT] = "UBIGINT",
        [PT_UHUGEINT] = "UHUGEINT",
        [PT_REAL] = "REAL",
        [PT_DOUBLE] = "DOUBLE",
        [PT_DECIMAL] = "DECIMAL",
        [PT_VARCHAR] = "VARCHAR",
        [PT_UUID] = "UUID",
        [PT_DATE] = "DATE",
        [PT_TIME] = "TIME",
        [PT_TIMESTAMP] = "TIMESTAMP",
        [PT_TIMESTAMP_S] = "TIMESTAMP_S",
        [PT_TIMESTAMP_MS] = "TIMESTAMP_MS",
        [PT_TIMESTAMP_NS] = "TIMESTAMP_NS",
        [PT_TIMESTAMPTZ] = "TIMESTAMPTZ",
        [PT_BLOB] = "BLOB",
        [PT_JSON] = "JSON",
        [PT_LIST] = "LIST",
        [PT_STRUCT] = "STRUCT",
        [PT_MAP] = "MAP",
    };
    pt_json_type_text t;
    if (node->id == PT_DECIMAL) {
        (void)snprintf(t.text, sizeof t.text, "DECIMAL(%u,%u)", node->width, node->scale);
    } else {
        (void)snprintf(t.text, sizeof t.text, "%s", names[node->id]);
    }
    return t;
}

/* "a.b[].c" of a node, cut to the buffer. */
static void node_path(const pt_json_node *node, char *out, size_t size) {
    const pt_json_node *way[2 * PT_TYPE_DEPTH + 4];
    size_t n = 0;
    for (; node && n < sizeof way / sizeof *way; node = node->parent) {
        way[n++] = node;
    }
    size_t len = 0;
    out[0] = '\0';
    while (n--) {
        pt_json_quote name = pt_json_quoted(way[n]->name ? way[n]->name : "", way[n]->name_len);
        const char *dot = len && way[n]->name ? "." : "";
        int wrote = snprintf(out + len, size - len, "%s%s", way[n]->name ? dot : "[]", name.text);
        if (wrote < 0 || (size_t)wrote >= size - len) {
            break;
        }
        len += (size_t)wrote;
    }
}

void pt_json_note_unknown(pt_json *js, const pt_json_node *node, const char *key, size_t len) {
    pt_json_path path = {{0}};
    if (node) {
        node_path(node, path.text, sizeof path.text);
    }
    size_t n = strlen(path.text);
    (void)snprintf(path.text + n, sizeof path.text - n, "%s%s", n ? "." : "",
                   pt_json_quoted(key, len).text);
    for (size_t i = 0; i < js->n_unknown_names; i++) {
        if (strcmp(js->unknown_names[i].text, path.text) == 0) {
            return;
        }
    }
    if (js->n_unknown_names < PT_JSON_UNKNOWN_NAMES) {
        js->unknown_names[js->n_unknown_names++] = path;
    }
}

const char *pt_json_fail(pt_json *js, const pt_json_node *node, pt_decode_code code, const char *at,
                         const char *format, ...) {
    pt_decode_error *e = js->error;
    e->code = code;
    e->position = at >= js->begin && at <= js->end ? at - js->begin : -1;
    int n = 0;
    if (node) {
        char path[100];
        node_path(node, path, sizeof path);
        n = snprintf(e->text, sizeof e->text, "column %s: ", path);
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(e->text + n, sizeof e->text - (size_t)n, format, args);
    va_end(args);
    return NULL;
}

const char *pt_json_expected(pt_json *js, const pt_json_node *node, const char *p,
                             const char *wanted) {
    if (p >= js->end) {
        return pt_json_fail(js, node, PT_DECODE_TRUNCATED, js->end,
                            "the record ends where %s should stand", wanted);
    }
    return pt_json_fail(
        js, node, PT_DECODE_SYNTAX, p, "expected %s, found '%s'", wanted,
        pt_json_quoted(p, (size_t)(js->end - p) < 16 ? (size_t)(js->end - p) : 16).text);
}

const char *pt_json_own(pt_json *js, int code) {
    js->own_code = code;
    return NULL;
}

const char *pt_json_nomem(pt_json *js, const char *what) {
    return pt_json_own(js, pt_fail_nomem(js->own, what));
}
