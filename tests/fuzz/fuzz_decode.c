/* The first byte chooses a schema, the rest is a record. Checked for every input:
 * - the scanner of this CPU and the portable one agree on code, position and text, or on every byte
 * of the row;
 * - so do a decoder that is new and one that has learned the form of earlier records;
 * - nothing outside of the record is read (it ends at the end of an allocation);
 * - what is accepted has balanced brackets and quotes (a second, naive look at it). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/rows.h"
#include "columns/same_rows.h"
#include "columns/schema.h"
#include "decode/json/json_value.h"

static const char *const schemas[] = {
    "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity "
    "INTEGER, unit_price DECIMAL(10,2), region VARCHAR",
    "a TINYINT, b SMALLINT, c INTEGER, d BIGINT, e HUGEINT, f UTINYINT, g USMALLINT, h UINTEGER, i "
    "UBIGINT, j UHUGEINT",
    "a REAL, b DOUBLE, c DECIMAL(4,2), d DECIMAL(9,9), e DECIMAL(18,0), f DECIMAL(38,10)",
    "a VARCHAR, b JSON, c BLOB, d BLOB HEX, e UUID, f BOOLEAN",
    "a DATE, b TIME, c TIMESTAMP, d TIMESTAMP_S, e TIMESTAMP_MS EPOCH ms, f TIMESTAMP_NS EPOCH ns, "
    "g TIMESTAMPTZ EPOCH us",
    "a INTEGER[], b STRUCT(c VARCHAR, d STRUCT(e DOUBLE)[]), m MAP(VARCHAR, INTEGER), n "
    "MAP(DOUBLE, VARCHAR[]), o VARCHAR[][]",
    "a INTEGER NOT NULL, b VARCHAR NOT NULL DEFAULT 'x'",
};
#define SCHEMAS (sizeof schemas / sizeof *schemas)

typedef struct side {
    pt_decoder *learned;
    pt_rows *rows;
} side;

static struct setup {
    pt_schema *schema;
    pt_type *types;
    side best, portable;
} setups[SCHEMAS];

static void must(int rc, const pt_error *err) {
    if (rc != PT_OK) {
        (void)fprintf(stderr, "%s\n", err->text);
        abort();
    }
}

/* Every other schema refuses records without a column. */
static void open_decoder(const struct setup *s, pt_decoder **out) {
    pt_error err;
    must(open_json(s->schema, (s - setups) % 2 == 0, out, &err), &err);
}

static void open_side(struct setup *s, side *side, int portable) {
    pt_error err;
    open_decoder(s, &side->learned);
    must(pt_rows_new(s->types, s->schema->n_columns, &side->rows, &err), &err);
    if (portable) {
        pt_json_portable_only(side->learned);
    }
}

static struct setup *setup_of(size_t i) {
    struct setup *s = &setups[i];
    if (!s->schema) {
        pt_error err;
        must(pt_schema_parse(schemas[i], &s->schema, &err), &err);
        for (size_t c = 0; c < s->schema->n_columns; c++) {
            if (s->schema->columns[c].default_sql) {
                s->schema->columns[c].default_json = strdup("\"a default of many bytes\"");
            }
        }
        s->types = calloc(s->schema->n_columns, sizeof *s->types);
        if (!s->types) {
            abort();
        }
        for (size_t c = 0; c < s->schema->n_columns; c++) {
            s->types[c] = s->schema->columns[c].type;
        }
        open_side(s, &s->best, 0);
        open_side(s, &s->portable, 1);
    }
    return s;
}

static pt_decode_error decode(pt_decoder *decoder, pt_rows *rows, const char *data, size_t len) {
    pt_error err;
    pt_decode_error e;
    memset(&e, 0, sizeof e);
    must(pt_rows_open(rows, &err), &err);
    must(decode_value(decoder, data, len, rows, &e, &err), &err);
    return e;
}

static void same(const pt_decode_error *ea, const pt_rows *a, const pt_decode_error *eb,
                 const pt_rows *b, size_t columns) {
    if (ea->code != eb->code || (ea->code != PT_DECODE_OK && (ea->position != eb->position ||
                                                              strcmp(ea->text, eb->text) != 0))) {
        (void)fprintf(stderr, "%d at %lld: %s\n%d at %lld: %s\n", (int)ea->code,
                      (long long)ea->position, ea->text, (int)eb->code, (long long)eb->position,
                      eb->text);
        abort();
    }
    if (ea->code == PT_DECODE_OK && !same_open_row(a, b, columns)) {
        abort();
    }
}

/* A naive look: quotes and brackets pair up, nothing but white space around. */
static void balanced(const char *p, size_t len) {
    char open[PT_DECODE_DEPTH_MAX];
    size_t depth = 0, objects = 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"') {
            for (i++; i < len && p[i] != '"'; i++) {
                i += p[i] == '\\';
            }
            if (i >= len) {
                abort();
            }
        } else if (p[i] == '{' || p[i] == '[') {
            objects += depth == 0;
            if (depth == sizeof open) {
                abort();
            }
            open[depth++] = p[i];
        } else if (p[i] == '}' || p[i] == ']') {
            if (depth == 0 || open[--depth] != (p[i] == '}' ? '{' : '[')) {
                abort();
            }
        } else if (depth == 0 && !strchr(" \t\r\n", p[i])) {
            abort();
        }
    }
    if (depth || objects != 1) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) {
        return 0;
    }
    struct setup *s = setup_of(data[0] % SCHEMAS);
    size_t len = size - 1, columns = s->schema->n_columns;
    char *record = malloc(
        len ? len : 1); /* its own allocation, so that the sanitizer sees a read behind it */
    if (!record) {
        abort();
    }
    memcpy(record, data + 1, len);
    pt_decode_error best = decode(s->best.learned, s->best.rows, record, len);
    pt_decode_error portable = decode(s->portable.learned, s->portable.rows, record, len);
    same(&best, s->best.rows, &portable, s->portable.rows, columns);
    pt_decoder *fresh;
    open_decoder(s, &fresh);
    for (int i = 0; i < 3; i++) { /* new, and when it knows the record's form */
        pt_decode_error again = decode(fresh, s->best.rows, record, len);
        same(&again, s->best.rows, &portable, s->portable.rows, columns);
    }
    pt_decoder_close(&fresh);
    if (best.code == PT_DECODE_OK) {
        balanced(record, len);
        pt_rows_commit(s->best.rows);
        pt_rows_commit(s->portable.rows);
    } else if (best.position < -1 || best.position > (int64_t)len || best.text[0] == '\0') {
        abort();
    }
    if (pt_rows_count(s->best.rows) > 5000) {
        pt_rows_reset(s->best.rows, (size_t)1 << 20);
        pt_rows_reset(s->portable.rows, (size_t)1 << 20);
    }
    free(record);
    return 0;
}
