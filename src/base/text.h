/* Growing text, always NUL-terminated. Owned by one thread. After a failed allocation the buffer
 * stays valid, is marked failed and ignores what follows, so that a long build-up is checked once
 * at its end. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct pt_text {
    char *data; /* never NULL after the first append; "" view through pt_text_get */
    size_t len;
    size_t capacity;
    bool failed;
} pt_text;

void pt_text_free(pt_text *text);
void pt_text_clear(pt_text *text); /* keeps the memory */
const char *pt_text_get(const pt_text *text);

void pt_text_add(pt_text *text, const char *string);
void pt_text_add_n(pt_text *text, const char *data, size_t len);
void pt_text_addf(pt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pt_text_addv(pt_text *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* 'string' and "name" as SQL writes them, quotes doubled. */
void pt_text_add_sql_string(pt_text *text, const char *string);
void pt_text_add_sql_name(pt_text *text, const char *name);
/* "string" as JSON writes it (RFC 8259), controls escaped. */
void pt_text_add_json(pt_text *text, const char *data, size_t len);

/* PT_OK or PT_E_NOMEM. */
int pt_text_check(const pt_text *text, pt_error *err) PT_CHECKED;
