/* The JSON format. How it works: decode/json/core.h. */
#include <stdlib.h>
#include <string.h>

#include "decode/json/core.h"
#include "decode/json/format.h"

#define BUFFER_MIN  ((size_t)16 << 10)
#define BUFFER_KEEP ((size_t)4 << 20)

typedef struct json_decoder {
    pt_decoder base; /* first */
    pt_json json;
} json_decoder;

static pt_json *json_of(pt_decoder *decoder) {
    return &((json_decoder *)decoder)->json;
}

static const pt_json *json_in(const pt_decoder *decoder) {
    return &((const json_decoder *)decoder)->json;
}

static int schema_default(pt_json *js, size_t column, pt_rows *rows, pt_error *err) {
    const pt_json_node *node = &js->top->nodes[column];
    pt_decode_error error = {0};
    PT_TRY(pt_rows_open(rows, err));
    js->rows = rows;
    js->error = &error;
    js->own = err;
    js->depth = 1;
    js->begin = node->missing;
    js->end = node->missing + node->missing_len;
    const char *end = node->read(js, node, node->missing, pt_rows_at(rows));
    if (js->own_code != PT_OK) {
        return js->own_code;
    }
    if (end && end != js->end) {
        return pt_fail(err, PT_E_USAGE, "column %s: the default is not one JSON value", node->name);
    }
    return end ? PT_OK : pt_fail(err, PT_E_USAGE, "the default cannot be used: %s", error.text);
}

/* A default of null is none; every other must be a value of its column. */
static int check_defaults(pt_json *js, pt_error *err) {
    size_t n = js->top->n, defaults = 0;
    for (size_t i = 0; i < n; i++) {
        pt_json_node *node = &js->top->nodes[i];
        if (node->missing && strcmp(node->missing, "null") == 0) {
            free((char *)(uintptr_t)node->missing);
            node->missing = NULL;
        }
        defaults += node->missing != NULL;
    }
    if (defaults == 0) {
        return PT_OK;
    }
    pt_type *types = calloc(n, sizeof *types);
    if (!types) {
        return pt_fail_nomem(err, "a decoder");
    }
    for (size_t i = 0; i < n; i++) {
        types[i] = js->schema->columns[i].type;
    }
    pt_rows *rows;
    int rc = pt_rows_new(types, n, &rows, err);
    free(types);
    for (size_t i = 0; i < n && rc == PT_OK; i++) {
        if (js->top->nodes[i].missing) {
            rc = schema_default(js, i, rows, err);
            pt_json_keys_start(&js->keys);
            pt_json_scratch_reset(js);
        }
    }
    pt_rows_free(&rows);
    js->rows = NULL;
    js->unknown_keys = js->n_unknown_names = 0;
    return rc;
}

static void json_close(pt_decoder **decoder) {
    pt_json *js = json_of(*decoder);
    pt_json_plan_free(&js->top);
    pt_json_keys_free(&js->keys);
    pt_json_scratch_reset(js);
    free(js->scratch);
    free(js->buffer);
    free(*decoder);
    *decoder = NULL;
}

static int json_open(const pt_decoder_options *options, pt_decoder **out, pt_error *err) {
    json_decoder *made = calloc(1, sizeof *made);
    if (!made) {
        return pt_fail_nomem(err, "a decoder");
    }
    pt_decoder *decoder = &made->base;
    decoder->ops = &pt_json_format;
    pt_json *js = &made->json;
    js->schema = options->schema;
    js->wants_column = options->want_column;
    js->scanner = &pt_json_portable;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2")) {
        js->scanner = &pt_json_avx2;
    }
#endif
    int rc = pt_json_float_start() == PT_OK ? PT_OK : pt_fail_nomem(err, "a decoder");
    if (rc == PT_OK) {
        rc = pt_json_plan_new(options->schema, &js->top, err);
    }
    if (rc == PT_OK) {
        pt_json_plan_bind(js->top, js->scanner);
        pt_json_keys_start(&js->keys);
        rc = check_defaults(js, err);
    }
    if (rc != PT_OK) {
        json_close(&decoder);
        return rc;
    }
    *out = decoder;
    return PT_OK;
}

void pt_json_portable_only(pt_decoder *decoder) {
    json_of(decoder)->scanner = &pt_json_portable;
    pt_json_plan_bind(json_of(decoder)->top, &pt_json_portable);
}

static uint64_t unknown_fields(const pt_decoder *decoder) {
    return json_in(decoder)->unknown_keys;
}

static const char *unknown_name(const pt_decoder *decoder, size_t i) {
    const pt_json *js = json_in(decoder);
    return i < js->n_unknown_names ? js->unknown_names[i].text : NULL;
}

/* The decoder writes by vector number, so the rows' first columns must have the schema's types. */
static int check_rows(pt_json *js, const pt_rows *rows) {
    size_t n = js->top->n;
    bool same = rows->n_columns >= n;
    for (size_t i = 0; same && i < n; i++) {
        const pt_json_node *node = &js->top->nodes[i];
        same = rows->column_vec[i] == node->vec && rows->shapes[node->vec].id == node->id;
    }
    if (!same) {
        return pt_fail(js->own, PT_E_INTERNAL,
                       "the rows do not have the columns of the decoder's schema");
    }
    js->rows_serial = rows->serial;
    return PT_OK;
}

static int grow_buffer(pt_json *js, size_t len) {
    size_t size = BUFFER_MIN;
    while (size < len + PT_JSON_PAD) {
        size *= 2;
    }
    free(js->buffer);
    js->buffer = malloc(size);
    js->buffer_size = js->buffer ? size : 0;
    return js->buffer ? PT_OK : pt_fail_nomem(js->own, "a record");
}

static const char *decode_object(pt_json *js) {
    const char *p = js->begin;
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
        p++;
    }
    if (p == js->end) {
        return pt_json_fail(js, NULL, PT_DECODE_EMPTY, js->begin, "the record is empty");
    }
    if (*p != '{') {
        return pt_json_not_object(js, p);
    }
    const char *object = p;
    p = js->scanner->record(js, p);
    if (!p) {
        return NULL;
    }
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
        p++;
    }
    if (p != js->end) {
        return pt_json_fail(js, NULL, PT_DECODE_TRAILING, p, "bytes after the object: '%s'",
                            pt_json_quoted(p, (size_t)(js->end - p)).text);
    }
    return PT_UNLIKELY(js->no_column) ? pt_json_no_column(js, object) : p;
}

/* memcpy, without the call for the short records that most are. */
static inline void copy_record(char *to, const char *from, size_t len) {
    if (len < 32 || len > 512) {
        if (len) {
            memcpy(to, from, len);
        }
        return;
    }
    for (size_t i = 0; i + 32 < len; i += 32) {
        memcpy(to + i, from + i, 32);
    }
    memcpy(to + len - 32, from + len - 32, 32);
}

static int json_decode(pt_decoder *decoder, const pt_record *record, pt_rows *rows,
                       pt_decode_error *error, pt_error *err) {
    pt_json *js = json_of(decoder);
    const char *data = record->value;
    size_t len = record->value_len;
    js->own = err;
    js->error = error;
    error->code = PT_DECODE_OK;
    if (len > PT_DECODE_BYTES_MAX) {
        js->begin = js->end = NULL;
        pt_json_fail(js, NULL, PT_DECODE_TOO_LARGE, (const char *)js,
                     "%zu bytes are more than the %zu that a record may have", len,
                     PT_DECODE_BYTES_MAX);
        return PT_OK;
    }
    if (js->rows_serial != rows->serial) {
        PT_TRY(check_rows(js, rows));
    }
    if (len + PT_JSON_PAD > js->buffer_size ||
        (js->buffer_size > BUFFER_KEEP && len < BUFFER_KEEP / 2)) {
        PT_TRY(grow_buffer(js, len));
    }
    copy_record(js->buffer, data, len);
    memset(js->buffer + len, 0, PT_JSON_PAD);
    js->begin = js->buffer;
    js->end = js->buffer + len;
    js->rows = rows;
    js->own_code = PT_OK;
    js->depth = 0;
    js->no_column = false;
    if (js->keys.scopes) {
        pt_json_keys_start(&js->keys);
    }
    if (js->scratch) {
        pt_json_scratch_reset(js);
    }
    return decode_object(js) ? PT_OK : js->own_code;
}

const pt_decoder_ops pt_json_format = {
    .name = "json",
    .open = json_open,
    .decode = json_decode,
    .unknown_fields = unknown_fields,
    .unknown_name = unknown_name,
    .close = json_close,
};
