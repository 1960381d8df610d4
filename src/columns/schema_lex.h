/* Reading SQL words: what schema.c and schema_type.c share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "columns/types.h"

typedef enum pt_lex_kind {
    PT_LEX_END,
    PT_LEX_WORD,   /* a bare word: letters, digits, _, bytes >= 0x80; not starting with a digit */
    PT_LEX_QUOTED, /* "a name", without its quotes but with "" still doubled */
    PT_LEX_NUMBER, /* decimal digits only */
    PT_LEX_MARK,   /* one character of ( ) [ ] , */
    PT_LEX_BAD     /* anything else, one byte; or an open quote */
} pt_lex_kind;

/* The current token; text is never changed and must outlive the lexer. */
typedef struct pt_lex {
    const char *text; /* the whole text, for messages */
    const char *next; /* after the current token */
    pt_lex_kind kind;
    const char *at; /* the current token */
    size_t len;
} pt_lex;

void pt_lex_start(pt_lex *lex, const char *text);
void pt_lex_step(pt_lex *lex);
bool pt_lex_is(const pt_lex *lex, const char *upper); /* a bare word, any case */
bool pt_lex_mark(const pt_lex *lex, char mark);
/* A copy of a WORD or QUOTED token as a name ("" becomes "), malloc'd; NULL without memory. */
char *pt_lex_name(const pt_lex *lex, size_t *len);
/* PT_E_USAGE: "<what>, found '<token>' at character <n>" */
int pt_lex_fail(const pt_lex *lex, pt_error *err, const char *what) PT_CHECKED;

/* Reads one type from the current token on; *out is zeroed first and may be cleared after a failure
 * too. */
int pt_type_read(pt_lex *lex, pt_type *out, pt_error *err) PT_CHECKED;

/* Whether the current token names a simple type. */
bool pt_type_named(const pt_lex *lex, pt_type_id *out);
/* The name of a type that columns cannot have, when the current token is one, and what to use
 * instead; else NULL. */
const char *pt_type_refused(const pt_lex *lex, const char **instead);
/* The first of a simple type's names: what DuckDB calls it. */
const char *pt_type_name(pt_type_id id);

/* EPOCH s|ms|us|ns, BASE64 or HEX: how a type's values are read (schema_reading.c). next: whether
 * the current token begins one. */
bool pt_reading_next(const pt_lex *lex);
int pt_reading_take(pt_lex *lex, pt_type *type, pt_error *err) PT_CHECKED;

/* Names as DuckDB compares them: equal but for the case of ASCII letters. */
bool pt_name_same(const char *a, size_t a_len, const char *b, size_t b_len);
