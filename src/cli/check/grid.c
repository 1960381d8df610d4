#include "cli/check/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/common.h"
#include "cli/display.h"

#define SHRUNK 12 /* a column of text is not made narrower */

void pt_add_grouped(pt_text *out, long long value) {
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", value);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-') {
            pt_text_add(out, ",");
        }
        pt_text_add_n(out, &digits[i], 1);
    }
}

void pt_grid_add(pt_grid *grid, const char *text) {
    pt_text shown = {0};
    char **grown = realloc(grid->cells, (grid->n_cells + 1) * sizeof *grown);
    text = text ? text : "-";
    pt_display_add(&shown, text, strlen(text));
    if (grown) {
        grid->cells = grown;
    }
    if (!grown || shown.failed) {
        grid->failed = true;
        pt_text_free(&shown);
        return;
    }
    grid->cells[grid->n_cells++] = shown.data ? shown.data : strdup("");
}

bool pt_grid_column(pt_grid *grid, const char *name, bool right) {
    if (grid->n_columns == sizeof grid->right / sizeof *grid->right) {
        return false;
    }
    grid->right[grid->n_columns++] = right;
    pt_grid_add(grid, name);
    return true;
}

void pt_grid_number(pt_grid *grid, long long value) {
    pt_text number = {0};
    pt_add_grouped(&number, value);
    pt_grid_add(grid, value < 0 ? NULL : pt_text_get(&number));
    pt_text_free(&number);
}

static void add_spaces(pt_text *out, size_t n) {
    pt_text_addf(out, "%*s", (int)n, "");
}

/* Cuts text (UTF-8) to `most` terminal columns, with "..." at its end. */
static void cut(char *text, size_t most) {
    if (pt_display_width(text) <= most) {
        return;
    }
    size_t end = strlen(text);
    while (end > 0) {
        end--;
        while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) {
            end--;
        }
        text[end] = '\0';
        if (pt_display_width(text) + 3 <= most) {
            break;
        }
    }
    memcpy(text + end, "...", 4); /* the text that was cut off was longer */
}

static void measure(pt_grid *g, size_t *widths) {
    for (size_t i = 0; i < g->n_cells; i++) {
        cut(g->cells[i], PT_GRID_CELL);
        size_t w = pt_display_width(g->cells[i]);
        size_t *widest = &widths[i % g->n_columns];
        *widest = w > *widest ? w : *widest;
    }
}

/* Where every column has to be seen, the widest of text give way. */
static void shrink(pt_grid *g, size_t *widths, size_t room) {
    for (;;) {
        size_t used = 2 * (g->n_columns - 1), widest = SIZE_MAX;
        for (size_t c = 0; c < g->n_columns; c++) {
            used += widths[c];
            if (!g->right[c] && widths[c] > SHRUNK &&
                (widest == SIZE_MAX || widths[c] > widths[widest])) {
                widest = c;
            }
        }
        if (used <= room || widest == SIZE_MAX) {
            break;
        }
        widths[widest]--;
    }
    for (size_t i = 0; i < g->n_cells; i++) {
        cut(g->cells[i], widths[i % g->n_columns]);
    }
}

static size_t columns_that_fit(const pt_grid *g, const size_t *widths, size_t room) {
    size_t n = 0, used = 0;
    while (n < g->n_columns && (room == 0 || n == 0 || used + widths[n] <= room)) {
        used += widths[n++] + 2;
    }
    return n;
}

static void print_row(const pt_grid *g, size_t row, const size_t *widths, size_t shown,
                      pt_text *out) {
    for (size_t c = 0; c < shown; c++) {
        const char *cell = g->cells[row * g->n_columns + c];
        size_t pad = widths[c] - pt_display_width(cell);
        if (g->right[c]) {
            add_spaces(out, pad);
        }
        pt_text_add(out, cell);
        if (c + 1 < shown) {
            add_spaces(out, 2 + (g->right[c] ? 0 : pad));
        }
    }
}

size_t pt_grid_print(pt_grid *grid, const char *indent, size_t width, bool colour, pt_text *out) {
    size_t widths[sizeof grid->right / sizeof *grid->right] = {0};
    size_t left_out = 0;
    if (!grid->failed && grid->n_columns) {
        measure(grid, widths);
        if (grid->all_columns && width > strlen(indent)) {
            shrink(grid, widths, width - strlen(indent));
        }
        size_t shown = columns_that_fit(grid, widths,
                                        !grid->all_columns && width > strlen(indent)
                                            ? width - strlen(indent)
                                            : 0);
        left_out = grid->n_columns - shown;
        for (size_t row = 0; row < grid->n_cells / grid->n_columns; row++) {
            pt_text_add(out, indent);
            pt_text_add(out, colour && row == 0 ? PT_MARK_DIM : "");
            print_row(grid, row, widths, shown, out);
            pt_text_add(out, colour && row == 0 ? PT_MARK_END "\n" : "\n");
        }
    }
    for (size_t i = 0; i < grid->n_cells; i++) {
        free(grid->cells[i]);
    }
    free(grid->cells);
    *grid = (pt_grid){0};
    return left_out;
}
