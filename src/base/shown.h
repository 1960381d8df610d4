/* Text from elsewhere (records, names, errors) on its way to where a terminal may read: what would
 * steer the terminal is shown instead of done.
 *
 * Hidden are C0 and C1 controls and DEL, the overrides and marks of bidirectional text, line and
 * paragraph separators, and bytes that are not UTF-8. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* ESC as \x1b, U+202E as \u202e, a stray byte as \xff; what stands in kept (such as "\n\t") stays.
 * A second pass changes nothing. */
void pt_text_add_shown(pt_text *text, const char *data, size_t len, const char *kept);
/* "..." as JSON writes it, with \u001b, \u202e, \ufffd. */
void pt_text_add_json_shown(pt_text *text, const char *data, size_t len);

#define PT_NOT_UTF8 UINT32_MAX

/* The code point at the beginning of text (len > 0), PT_NOT_UTF8 for a byte that belongs to none;
 * *n: its bytes. Overlong forms and surrogates are not UTF-8. */
uint32_t pt_code_point(const char *text, size_t len, size_t *n);
