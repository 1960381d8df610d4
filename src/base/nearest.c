#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void pt_nearest_begin(pt_nearest *n, const char *word) {
    *n = (pt_nearest){.word = word, .distance = PT_NEAREST_NONE};
}

/* A short word has too many neighbours. */
static size_t most_steps(size_t len) {
    return len < 3 ? 0 : len < 5 ? 1 : len < 9 ? 2 : 3;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool same(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edit distance with transpositions of neighbours, by three rows of the matrix. */
static size_t distance(const char *a, size_t n, const char *b, size_t m) {
    size_t rows[3][PT_NEAREST_WORD];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) {
        above[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(above[j] + 1, row[j - 1] + 1),
                           above[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        size_t *next = before;
        before = above;
        above = row;
        row = next;
    }
    return above[m];
}

void pt_nearest_offer(pt_nearest *n, const char *name) {
    size_t len = strlen(n->word), other = strlen(name);
    if (len >= PT_NEAREST_WORD || other >= PT_NEAREST_WORD) {
        return;
    }
    size_t steps = distance(n->word, len, name, other);
    if (steps <= most_steps(len) && steps < n->distance) {
        n->distance = steps;
        (void)snprintf(n->best, sizeof n->best, "%s", name);
    }
}

pt_hint pt_nearest_hint(const pt_nearest *n, const char *before) {
    pt_hint hint = {""};
    if (n->distance != PT_NEAREST_NONE) {
        (void)snprintf(hint.text, sizeof hint.text, "; did you mean %s%s?", before, n->best);
    }
    return hint;
}
