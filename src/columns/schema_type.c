/* Types from their text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/schema.h"
#include "columns/schema_lex.h"

static int read_number(pt_lex *lex, unsigned max, unsigned *out, pt_error *err) {
    unsigned value = 0;
    for (size_t i = 0; lex->kind == PT_LEX_NUMBER && i < lex->len && value <= max; i++) {
        value = value * 10 + (unsigned)(lex->at[i] - '0');
    }
    if (lex->kind != PT_LEX_NUMBER || value > max) {
        char what[64];
        (void)snprintf(what, sizeof what, "expected a number up to %u", max);
        return pt_lex_fail(lex, err, what);
    }
    *out = value;
    pt_lex_step(lex);
    return PT_OK;
}

static int expect_mark(pt_lex *lex, char mark, pt_error *err) {
    if (!pt_lex_mark(lex, mark)) {
        char what[32];
        (void)snprintf(what, sizeof what, "expected '%c' in the type", mark);
        return pt_lex_fail(lex, err, what);
    }
    pt_lex_step(lex);
    return PT_OK;
}

static int read_decimal(pt_lex *lex, pt_type *out, pt_error *err) {
    out->width = 18;
    out->scale = 3;
    if (!pt_lex_mark(lex, '(')) {
        return PT_OK;
    }
    pt_lex_step(lex);
    unsigned width = 0, scale = 0;
    PT_TRY(read_number(lex, 38, &width, err));
    if (pt_lex_mark(lex, ',')) {
        pt_lex_step(lex);
        PT_TRY(read_number(lex, 38, &scale, err));
    }
    if (width < 1 || scale > width) {
        return pt_fail(
            err, PT_E_USAGE,
            "DECIMAL(%u,%u): the width must be 1 to 38 and the scale no larger than the width",
            width, scale);
    }
    out->width = (uint8_t)width;
    out->scale = (uint8_t)scale;
    return expect_mark(lex, ')', err);
}

static int add_field(pt_type *type, pt_field **out, pt_error *err) {
    pt_field *fields = realloc(type->fields, (type->n_fields + 1) * sizeof *fields);
    if (!fields) {
        return pt_fail_nomem(err, "a type");
    }
    type->fields = fields;
    *out = &fields[type->n_fields++];
    memset(*out, 0, sizeof **out);
    return PT_OK;
}

static int read_type(pt_lex *lex, pt_type *out, unsigned depth, pt_error *err);

static int read_struct(pt_lex *lex, pt_type *out, unsigned depth, pt_error *err) {
    out->id = PT_STRUCT;
    PT_TRY(expect_mark(lex, '(', err));
    for (;;) {
        if (lex->kind != PT_LEX_WORD && lex->kind != PT_LEX_QUOTED) {
            return pt_lex_fail(lex, err, "expected the name of a STRUCT field");
        }
        pt_field *field;
        PT_TRY(add_field(out, &field, err));
        field->name = pt_lex_name(lex, &field->name_len);
        if (!field->name) {
            return pt_fail_nomem(err, "a type");
        }
        for (size_t i = 0; i + 1 < out->n_fields; i++) {
            if (pt_name_same(out->fields[i].name, out->fields[i].name_len, field->name,
                             field->name_len)) {
                return pt_fail(err, PT_E_USAGE,
                               "the STRUCT has two fields named '%.60s' (upper and lower case are "
                               "the same to DuckDB)",
                               field->name);
            }
        }
        pt_lex_step(lex);
        PT_TRY(read_type(lex, &field->type, depth + 1, err));
        if (!pt_lex_mark(lex, ',')) {
            return expect_mark(lex, ')', err);
        }
        pt_lex_step(lex);
    }
}

static int read_map(pt_lex *lex, pt_type *out, unsigned depth, pt_error *err) {
    out->id = PT_MAP;
    PT_TRY(expect_mark(lex, '(', err));
    pt_field *field;
    PT_TRY(add_field(out, &field, err));
    PT_TRY(read_type(lex, &field->type, depth + 1, err));
    if (field->type.id >= PT_JSON) {
        return pt_fail(err, PT_E_USAGE,
                       "a MAP key must be VARCHAR or another simple type, as the keys of a JSON "
                       "object are text");
    }
    PT_TRY(expect_mark(lex, ',', err));
    PT_TRY(add_field(out, &field, err));
    PT_TRY(read_type(lex, &field->type, depth + 1, err));
    out->fields[0].name = strdup("key");
    out->fields[1].name = strdup("value");
    if (!out->fields[0].name || !out->fields[1].name) {
        return pt_fail_nomem(err, "a type");
    }
    out->fields[0].name_len = 3;
    out->fields[1].name_len = 5;
    return expect_mark(lex, ')', err);
}

static bool next_words(pt_lex *lex, const char *const *words, size_t n) {
    pt_lex look = *lex;
    for (size_t i = 0; i < n; i++) {
        if (!pt_lex_is(&look, words[i])) {
            return false;
        }
        pt_lex_step(&look);
    }
    *lex = look;
    return true;
}

static int refuse(const char *name, const char *instead, pt_error *err) {
    return pt_fail(err, PT_E_USAGE, "pintail has no columns of type %s; %s", name, instead);
}

/* TIMESTAMP(3): the lexer stands at the bracket. */
static int refuse_precision(pt_lex *lex, const pt_type *type, const char *name, int name_len,
                            pt_error *err) {
    static const char *const timestamps[] = {"use TIMESTAMP_S",  "use TIMESTAMP_MS",
                                             "use TIMESTAMP_MS", "use TIMESTAMP_MS",
                                             "use TIMESTAMP",    "use TIMESTAMP",
                                             "use TIMESTAMP"};
    char shown[64];
    unsigned precision = 0;
    pt_lex_step(lex);
    PT_TRY(read_number(lex, 9, &precision, err));
    (void)snprintf(shown, sizeof shown, "%.*s(%u)", name_len, name, precision);
    if (type->id == PT_TIMESTAMP) {
        return refuse(shown,
                      precision < sizeof timestamps / sizeof *timestamps ? timestamps[precision]
                                                                         : "use TIMESTAMP_NS",
                      err);
    }
    return refuse(shown, "leave the brackets out", err);
}

/* The words that may follow a simple type's name. */
static int read_suffix(pt_lex *lex, pt_type *out, bool is_double, pt_error *err) {
    static const char *const with_zone[] = {"WITH", "TIME", "ZONE"};
    static const char *const without_zone[] = {"WITHOUT", "TIME", "ZONE"};
    switch (out->id) {
    case PT_DECIMAL: return read_decimal(lex, out, err);
    case PT_DOUBLE:
        if (is_double && pt_lex_is(lex, "PRECISION")) {
            pt_lex_step(lex);
        }
        return PT_OK;
    case PT_TIMESTAMP:
        if (next_words(lex, with_zone, 3)) {
            out->id = PT_TIMESTAMPTZ;
        } else {
            (void)next_words(lex, without_zone, 3);
        }
        return PT_OK;
    case PT_TIME:
        if (next_words(lex, with_zone, 3)) {
            return refuse("TIME WITH TIME ZONE", "use TIME", err);
        }
        (void)next_words(lex, without_zone, 3);
        return PT_OK;
    case PT_VARCHAR:
        if (pt_lex_is(lex, "VARYING")) {
            pt_lex_step(lex);
        }
        if (pt_lex_mark(lex, '(')) { /* DuckDB takes a length and does not keep it */
            unsigned length;
            pt_lex_step(lex);
            PT_TRY(read_number(lex, 100000000, &length, err));
            return expect_mark(lex, ')', err);
        }
        return PT_OK;
    default: return PT_OK;
    }
}

static int read_simple(pt_lex *lex, pt_type *out, pt_error *err) {
    if (pt_type_named(lex, &out->id)) {
        bool is_double = pt_lex_is(lex, "DOUBLE");
        const char *name = lex->at;
        int name_len = (int)lex->len;
        pt_lex_step(lex);
        if (out->id >= PT_TIME && out->id <= PT_TIMESTAMPTZ && pt_lex_mark(lex, '(')) {
            return refuse_precision(lex, out, name, name_len, err);
        }
        return read_suffix(lex, out, is_double, err);
    }
    if (pt_lex_is(lex, "CHARACTER")) {
        out->id = PT_VARCHAR;
        pt_lex_step(lex);
        return read_suffix(lex, out, false, err);
    }
    const char *instead;
    const char *refused = pt_type_refused(lex, &instead);
    if (refused) {
        return refuse(refused, instead, err);
    }
    return pt_lex_fail(lex, err,
                       "expected a type that pintail knows (BOOLEAN, INTEGER, DOUBLE, "
                       "DECIMAL(10,2), VARCHAR, UUID, TIMESTAMPTZ, JSON, ...)");
}

/* Nesting: a LIST, STRUCT or MAP of a simple type is 1. */
static unsigned type_depth(const pt_type *type) {
    unsigned deepest = 0;
    for (size_t i = 0; i < type->n_fields; i++) {
        unsigned d = type_depth(&type->fields[i].type);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + (type->n_fields > 0);
}

static int too_deep(pt_error *err) {
    return pt_fail(err, PT_E_USAGE,
                   "the type is nested deeper than %d levels; use JSON for the inner part",
                   PT_TYPE_DEPTH);
}

static int read_readings(pt_lex *lex, pt_type *out, pt_error *err) {
    while (pt_reading_next(lex)) {
        PT_TRY(pt_reading_take(lex, out, err));
    }
    return PT_OK;
}

static int read_type(pt_lex *lex, pt_type *out, unsigned depth, pt_error *err) {
    memset(out, 0, sizeof *out);
    if (depth > PT_TYPE_DEPTH) {
        return too_deep(err);
    }
    if (pt_lex_is(lex, "STRUCT") || pt_lex_is(lex, "ROW")) {
        pt_lex_step(lex);
        PT_TRY(read_struct(lex, out, depth, err));
    } else if (pt_lex_is(lex, "MAP")) {
        pt_lex_step(lex);
        PT_TRY(read_map(lex, out, depth, err));
    } else {
        PT_TRY(read_simple(lex, out, err));
    }
    PT_TRY(read_readings(lex, out, err));
    for (unsigned nested = type_depth(out); pt_lex_mark(lex, '[');) {
        pt_lex_step(lex);
        if (lex->kind == PT_LEX_NUMBER) {
            return pt_fail(
                err, PT_E_USAGE,
                "pintail has no columns that are fixed-size arrays; use a list, such as INTEGER[]");
        }
        PT_TRY(expect_mark(lex, ']', err));
        if (++nested + depth > PT_TYPE_DEPTH) {
            return too_deep(err);
        }
        pt_type list = {.id = PT_LIST};
        pt_field *field;
        PT_TRY(add_field(&list, &field, err));
        field->type = *out;
        *out = list;
        PT_TRY(read_readings(lex, out, err));
    }
    return PT_OK;
}

int pt_type_read(pt_lex *lex, pt_type *out, pt_error *err) {
    return read_type(lex, out, 0, err);
}

int pt_type_parse(const char *text, pt_type *out, pt_error *err) {
    pt_lex lex;
    pt_lex_start(&lex, text);
    int rc = pt_type_read(&lex, out, err);
    if (rc == PT_OK && lex.kind != PT_LEX_END) {
        rc = pt_lex_fail(&lex, err, "expected the end of the type");
    }
    if (rc != PT_OK) {
        pt_type_clear(out);
    }
    return rc;
}
