/* "Did you mean": of the names that are known, the one that a misspelt word is nearest to. Owned by
 * one thread. */
#pragma once

#include <stddef.h>

#include "base/text.h"

#define PT_NEAREST_WORD 256 /* longer words and names have no neighbours */

typedef struct pt_nearest {
    const char *word; /* the caller's, as long as this is used */
    char best[PT_NEAREST_WORD];
    size_t distance; /* of best; PT_NEAREST_NONE: there is none */
} pt_nearest;

#define PT_NEAREST_NONE ((size_t)-1)

void pt_nearest_begin(pt_nearest *nearest, const char *word);
/* A known name. Upper and lower case count as the same; a letter too many, missing, another one, or
 * two in the wrong order is a step. */
void pt_nearest_offer(pt_nearest *nearest, const char *name);
/* "; did you mean NAME?" with what stands before and behind the name, or "". */
typedef struct pt_hint {
    char text[PT_NEAREST_WORD + 40];
} pt_hint;
pt_hint pt_nearest_hint(const pt_nearest *nearest, const char *before);
