/* Text on a terminal: how wide it is, and what must not steer it. LC_CTYPE must be a UTF-8 one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* What a cell looks like on one line of a terminal: control characters as \n, \t, \x1b. */
void pt_display_add(pt_text *text, const char *data, size_t len);
/* Terminal columns that UTF-8 text takes; wide and combining characters count as they show. */
size_t pt_display_width(const char *text);
/* Adds the part of text that fits into width, with an ellipsis when it is cut. Returns the width
 * that it takes. */
size_t pt_display_add_fitted(pt_text *line, const char *text, size_t width, bool utf8);
