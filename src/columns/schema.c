/* A schema from its text: names, types and what follows them. */
#include "columns/schema.h"

#include <stdlib.h>
#include <string.h>

#include "columns/schema_lex.h"

static bool ends_default(const pt_lex *lex, const pt_lex *before, size_t open) {
    if (lex->kind == PT_LEX_END) {
        return true;
    }
    if (open) {
        return false;
    }
    if (pt_lex_is(lex, "NOT")) {
        pt_lex after = *lex;
        pt_lex_step(&after);
        return pt_lex_is(&after, "NULL") && !pt_lex_is(before, "IS");
    }
    return pt_lex_mark(lex, ',') || pt_lex_is(lex, "DEFAULT") || pt_reading_next(lex);
}

/* The expression is not understood, only its end is found: the next comma or option outside of
 * quotes and brackets. */
static int read_default(pt_lex *lex, pt_column *column, pt_error *err) {
    pt_lex before = *lex;
    pt_lex_step(lex);
    const char *start = lex->kind == PT_LEX_QUOTED ? lex->at - 1 : lex->at;
    const char *end = start;
    for (size_t open = 0; !ends_default(lex, &before, open);) {
        if (lex->kind == PT_LEX_BAD && *lex->at == '\'') {
            lex->next = strchr(lex->at + 1, '\'');
            if (!lex->next) {
                return pt_fail(err, PT_E_USAGE, "a quote (') is not closed after DEFAULT");
            }
            lex->next++; /* '' inside is two strings here, which comes to the same */
        } else if (pt_lex_mark(lex, '(') || pt_lex_mark(lex, '[') ||
                   (lex->kind == PT_LEX_BAD && *lex->at == '{')) {
            open++;
        } else if (pt_lex_mark(lex, ')') || pt_lex_mark(lex, ']') ||
                   (lex->kind == PT_LEX_BAD && *lex->at == '}')) {
            if (open-- == 0) {
                return pt_lex_fail(lex, err, "unexpected closing bracket after DEFAULT");
            }
        }
        end = lex->next;
        before = *lex;
        pt_lex_step(lex);
        if (lex->kind == PT_LEX_END && open) {
            return pt_lex_fail(lex, err, "a bracket is not closed after DEFAULT");
        }
    }
    if (end == start) {
        return pt_lex_fail(lex, err, "expected an expression after DEFAULT");
    }
    column->default_sql = strndup(start, (size_t)(end - start));
    return column->default_sql ? PT_OK : pt_fail_nomem(err, "a schema");
}

static int read_options(pt_lex *lex, pt_column *column, pt_error *err) {
    while (lex->kind != PT_LEX_END && !pt_lex_mark(lex, ',')) {
        if (pt_lex_is(lex, "NOT") || pt_lex_is(lex, "NULL")) {
            column->not_null = pt_lex_is(lex, "NOT");
            if (column->not_null) {
                pt_lex_step(lex);
            }
            if (!pt_lex_is(lex, "NULL")) {
                return pt_lex_fail(lex, err, "expected NULL after NOT");
            }
            pt_lex_step(lex);
        } else if (pt_lex_is(lex, "DEFAULT")) {
            if (column->default_sql) {
                return pt_fail(err, PT_E_USAGE, "DEFAULT is there twice");
            }
            PT_TRY(read_default(lex, column, err));
        } else if (pt_reading_next(lex)) {
            PT_TRY(pt_reading_take(lex, &column->type, err));
        } else {
            return pt_lex_fail(
                lex, err,
                "expected NOT NULL, DEFAULT, EPOCH, BASE64, HEX or a comma after the type");
        }
    }
    return PT_OK;
}

static int read_column(pt_lex *lex, pt_schema *schema, pt_error *err) {
    if ((lex->kind != PT_LEX_WORD && lex->kind != PT_LEX_QUOTED) || lex->len == 0) {
        return pt_lex_fail(lex, err, "expected the name of a column");
    }
    pt_column *columns = realloc(schema->columns, (schema->n_columns + 1) * sizeof *columns);
    if (!columns) {
        return pt_fail_nomem(err, "a schema");
    }
    schema->columns = columns;
    pt_column *column = &columns[schema->n_columns++];
    memset(column, 0, sizeof *column);
    column->name = pt_lex_name(lex, &column->name_len);
    if (!column->name) {
        return pt_fail_nomem(err, "a schema");
    }
    for (size_t i = 0; i + 1 < schema->n_columns; i++) {
        if (pt_name_same(columns[i].name, columns[i].name_len, column->name, column->name_len)) {
            return pt_fail(
                err, PT_E_USAGE,
                "two columns are named '%.60s' (upper and lower case are the same to DuckDB)",
                column->name);
        }
    }
    pt_lex_step(lex);
    int rc = pt_type_read(lex, &column->type, err);
    if (rc == PT_OK) {
        rc = read_options(lex, column, err);
    }
    return rc == PT_OK || !err ? rc : pt_fail_in(err, "column %.60s", column->name);
}

int pt_schema_parse(const char *text, pt_schema **out, pt_error *err) {
    *out = NULL;
    pt_schema *schema = calloc(1, sizeof *schema);
    if (!schema) {
        return pt_fail_nomem(err, "a schema");
    }
    pt_lex lex;
    pt_lex_start(&lex, text);
    int rc;
    for (;;) {
        rc = read_column(&lex, schema, err);
        if (rc != PT_OK || lex.kind == PT_LEX_END) {
            break;
        }
        pt_lex_step(&lex); /* the comma */
    }
    if (rc != PT_OK) {
        pt_schema_free(&schema);
        return rc;
    }
    *out = schema;
    return PT_OK;
}

void pt_schema_free(pt_schema **schema) {
    if (!*schema) {
        return;
    }
    for (size_t i = 0; i < (*schema)->n_columns; i++) {
        pt_column *column = &(*schema)->columns[i];
        free(column->name);
        free(column->default_sql);
        free(column->default_json);
        pt_type_clear(&column->type);
    }
    free((*schema)->columns);
    free(*schema);
    *schema = NULL;
}
