/* Random schemas, and random records that fit them; `seed` draws them. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/schema.h"

static uint64_t seed;

static uint64_t rnd(uint64_t n) {
    return random_below(&seed, n);
}

/* ---- random types ---- */

static const char *const simple_types[] = {
    "BOOLEAN",       "TINYINT",     "SMALLINT",     "INTEGER",      "BIGINT",
    "HUGEINT",       "UTINYINT",    "USMALLINT",    "UINTEGER",     "UBIGINT",
    "REAL",          "DOUBLE",      "DECIMAL(4,1)", "DECIMAL(9,4)", "DECIMAL(15,2)",
    "DECIMAL(38,9)", "VARCHAR",     "UUID",         "DATE",         "TIME",
    "TIMESTAMP",     "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ",
    "BLOB",          "JSON",
};
#define NESTABLE 25

static void random_type(FILE *f, int depth, bool nested) {
    uint64_t kind = rnd(depth > 0 ? 8 : 5);
    if (kind < 5) {
        fputs(simple_types[rnd(nested ? NESTABLE : sizeof simple_types / sizeof *simple_types)], f);
    } else if (kind == 5) {
        random_type(f, depth - 1, true);
        fputs("[]", f);
    } else if (kind == 6) {
        fputs("STRUCT(", f);
        for (uint64_t i = 0, n = rnd(4) + 1; i < n; i++) {
            fprintf(f, "%sf%llu ", i ? ", " : "", (unsigned long long)i);
            random_type(f, depth - 1, true);
        }
        fputs(")", f);
    } else {
        fputs("MAP(VARCHAR, ", f);
        random_type(f, depth - 1, true);
        fputs(")", f);
    }
}

/* ---- random values ---- */

static void space(FILE *f) {
    static const char *const spaces[] = {"", "", "", " ", " ", "\n", "\t ", "  \r\n   "};
    fputs(spaces[rnd(8)], f);
}

static void digits(FILE *f, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        fputc((int)('0' + (i == 0 && n > 1 ? 1 + rnd(9) : rnd(10))), f);
    }
}

static void string(FILE *f, uint64_t max) {
    static const char *const slices[] = {"a",
                                         "B",
                                         "7",
                                         " ",
                                         "/",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\n",
                                         "\\t",
                                         "\\u0041",
                                         "\\u00e9",
                                         "\\u20AC",
                                         "\\ud83d\\ude00",
                                         "\xC3\xA9",
                                         "\xE6\x97\xA5",
                                         "\xF0\x9F\x98\x80",
                                         "the quick brown fox"};
    fputc('"', f);
    bool plain = rnd(2);
    for (uint64_t i = 0, n = rnd(max); i < n; i++) {
        fputs(slices[plain ? rnd(4) : rnd(sizeof slices / sizeof *slices)], f);
    }
    fputc('"', f);
}

static void integer(FILE *f, int bits, bool is_signed) {
    bool negative = is_signed && rnd(2);
    uint64_t value = random_next(&seed) >> (64 - (uint64_t)bits + (uint64_t)is_signed);
    value >>= rnd(2) ? 0 : rnd((uint64_t)bits);
    fprintf(f, "%s%llu", negative ? "-" : "", (unsigned long long)value);
    if (rnd(10) == 0 && value < 1000000000) {
        fputs(rnd(2) ? ".0" : "e0", f);
    }
}

static void floating(FILE *f, int max_exponent) {
    fputs(rnd(2) ? "-" : "", f);
    digits(f, rnd(6) + 1);
    if (rnd(2)) {
        fputc('.', f);
        digits(f, rnd(17) + 1);
    }
    if (rnd(3) == 0) {
        fprintf(f, "%c%s%llu", rnd(2) ? 'e' : 'E',
                rnd(2)   ? "-"
                : rnd(2) ? "+"
                         : "",
                (unsigned long long)rnd((uint64_t)max_exponent));
    }
}

static void decimal(FILE *f, const pt_type *t) {
    bool text = rnd(4) == 0;
    uint64_t most = t->width - t->scale,
             exact = text ? 38 : 15 - t->scale; /* DuckDB takes a JSON number through DOUBLE */
    uint64_t whole = rnd(most < exact ? most : exact) + 1, fraction = rnd(t->scale + 1ULL);
    fputs(text ? "\"" : "", f);
    fputs(rnd(2) ? "-" : "", f);
    digits(f, whole);
    if (fraction) {
        fputc('.', f);
        digits(f, fraction);
    }
    fputs(text ? "\"" : "", f);
}

static void date(FILE *f) {
    fprintf(f, "%04llu-%02llu-%02llu", (unsigned long long)(1700 + rnd(500)),
            (unsigned long long)(rnd(12) + 1), (unsigned long long)(rnd(28) + 1));
}

static void clock_time(FILE *f, uint64_t decimals) {
    fprintf(f, "%02llu:%02llu:%02llu", (unsigned long long)rnd(24), (unsigned long long)rnd(60),
            (unsigned long long)rnd(60));
    if (decimals && rnd(2)) {
        fputc('.', f);
        digits(f, rnd(decimals) + 1);
    }
}

static void timestamp(FILE *f, uint64_t decimals) {
    fputc('"', f);
    date(f);
    fputc(rnd(2) ? 'T' : ' ', f);
    clock_time(f, decimals);
    fputc('"', f);
}

static void base64(FILE *f) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fputc('"', f);
    for (uint64_t i = 0, n = rnd(12) * 4; i < n; i++) {
        fputc(alphabet[rnd(64)], f);
    }
    static const char *const ends[] = {"", "YQ==", "YWI="};
    fprintf(f, "%s\"", ends[rnd(3)]);
}

static void value(FILE *f, const pt_type *t);

static void container(FILE *f, const pt_type *t) {
    uint64_t n = t->id == PT_STRUCT ? t->n_fields : rnd(10) == 0 ? 40 : rnd(5);
    fputc(t->id == PT_LIST ? '[' : '{', f);
    space(f);
    for (uint64_t i = 0; i < n; i++) { /* every STRUCT member, as CAST insists on them */
        if (i) {
            fputc(',', f);
            space(f);
        }
        if (t->id == PT_STRUCT) {
            fprintf(f, "\"%s\"", t->fields[i].name);
        } else if (t->id == PT_MAP) {
            fprintf(f, "\"%s%llu\"", rnd(2) ? "k" : "a long key \\u00e9 ", (unsigned long long)i);
        }
        if (t->id != PT_LIST) {
            space(f);
            fputc(':', f);
            space(f);
        }
        value(f, t->id == PT_STRUCT ? &t->fields[i].type : &t->fields[t->id == PT_MAP].type);
        space(f);
    }
    fputc(t->id == PT_LIST ? ']' : '}', f);
}

static void value(FILE *f, const pt_type *t) {
    if (rnd(12) == 0) {
        fputs("null", f);
        return;
    }
    switch (t->id) {
    case PT_BOOLEAN: fputs(rnd(2) ? "true" : "false", f); break;
    case PT_TINYINT:
    case PT_UTINYINT: integer(f, 8, t->id == PT_TINYINT); break;
    case PT_SMALLINT:
    case PT_USMALLINT: integer(f, 16, t->id == PT_SMALLINT); break;
    case PT_INTEGER:
    case PT_UINTEGER: integer(f, 32, t->id == PT_INTEGER); break;
    case PT_HUGEINT:
    case PT_BIGINT:
    case PT_UBIGINT: integer(f, 64, t->id != PT_UBIGINT); break;
    case PT_REAL: floating(f, 20); break;
    case PT_DOUBLE: floating(f, 250); break;
    case PT_DECIMAL: decimal(f, t); break;
    case PT_VARCHAR: string(f, rnd(20) == 0 ? 500 : 12); break;
    case PT_UUID:
        fprintf(f,
                rnd(2) ? "\"%08llx-%04llx-%04llx-%04llx-%012llx\""
                       : "\"%08llX-%04llX-%04llX-%04llX-%012llX\"",
                (unsigned long long)rnd(1ULL << 32), (unsigned long long)rnd(65536),
                (unsigned long long)rnd(65536), (unsigned long long)rnd(65536),
                (unsigned long long)rnd(1ULL << 48));
        break;
    case PT_DATE:
        fputc('"', f);
        date(f);
        fputc('"', f);
        break;
    case PT_TIME:
        fputc('"', f);
        clock_time(f, 6);
        fputc('"', f);
        break;
    case PT_TIMESTAMP_S: timestamp(f, 0); break;
    case PT_TIMESTAMP_MS: timestamp(f, 3); break;
    case PT_TIMESTAMP:
    case PT_TIMESTAMP_NS:
    case PT_TIMESTAMPTZ: timestamp(f, 6); break;
    case PT_BLOB: base64(f); break;
    case PT_JSON:
        fprintf(f, "{\"x\":[%llu,true,null,{}],\"y\":", (unsigned long long)rnd(1000));
        string(f, 6);
        fputc('}', f);
        break;
    default: container(f, t);
    }
}

static char *random_record(const pt_schema *s) {
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    size_t n = s->n_columns,
           start = rnd(4) == 0 ? rnd(n) : 0; /* mostly in order, now and then not */
    bool first = true;
    space(f);
    fputc('{', f);
    for (size_t k = 0; k < n; k++) {
        const pt_column *c = &s->columns[(start + k) % n];
        if (rnd(15) == 0) {
            continue;
        }
        if (!first) {
            fputc(',', f);
        }
        first = false;
        space(f);
        if (rnd(20) == 0) {
            fprintf(f, "\"unknown%zu\": {\"a\":[1,2,{\"%s\":null}]},", k, c->name);
        }
        fprintf(f, "\"%s\"", c->name);
        space(f);
        fputc(':', f);
        space(f);
        value(f, &c->type);
        space(f);
    }
    fputc('}', f);
    space(f);
    fclose(f);
    return text;
}
