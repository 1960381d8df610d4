/* Aligned columns without lines: a head, rows, numbers to the right. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define PT_GRID_CELL 38 /* terminal columns of a cell, at most; the rest is cut */

typedef struct pt_grid {
    char **cells; /* row-major, the head first; owned */
    size_t n_cells, n_columns;
    bool right[64];
    bool all_columns; /* cells are cut so that all columns fit, rather than columns left out */
    bool failed;      /* without memory: prints nothing */
} pt_grid;

/* A column; all of them before the first cell. Up to 64, more are dropped and false is returned. */
bool pt_grid_column(pt_grid *grid, const char *name, bool right);
/* The next cell, row by row; NULL is shown as "-". */
void pt_grid_add(pt_grid *grid, const char *text);
/* 1,234,567; -1 is shown as "-". */
void pt_grid_number(pt_grid *grid, long long value);
/* As many columns as fit into width; returns how many were left out. Empties the grid. */
size_t pt_grid_print(pt_grid *grid, const char *indent, size_t width, bool colour, pt_text *out);

/* 1,234,567 */
void pt_add_grouped(pt_text *out, long long value);
