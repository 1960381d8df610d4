#include "cli/result_box.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/display.h"

/* Bytes of cells held for their widths; beyond, rows are printed as they come. */
#define PT_BOX_HELD_MAX    ((size_t)64 << 20)
#define PT_BOX_CELL_MIN    8  /* a column is not cut below this width */
#define PT_BOX_FOOTER_ROWS 20 /* from so many rows on the footer tells how many */
#define PT_BOX_TYPE_MAX    40

struct pt_box {
    pt_writer_options options;
    size_t n_columns;
    char **names, **types;
    bool *number;
    size_t *width;
    char **rows; /* n_columns cells each; a ring behind the head when max_rows is set */
    size_t n_held, capacity, held_bytes;
    uint64_t n_rows;
    bool head_printed;             /* no longer held: widths are settled */
    size_t hidden_from, hidden_to; /* columns left out on a narrow terminal */
    pt_text line;
};

/* ---- lines ---- */

static void spaces(pt_text *line, size_t n) {
    while (n--) {
        pt_text_add(line, " ");
    }
}

static int put_line(pt_box *b, pt_error *err) {
    pt_text_add(&b->line, "\n");
    PT_TRY(pt_text_check(&b->line, err));
    int code = pt_writer_put(b->options.out, pt_text_get(&b->line), b->line.len, err);
    pt_text_clear(&b->line);
    return code;
}

typedef enum align { LEFT, CENTRE, RIGHT } align;

static void add_cell(pt_box *b, const char *text, size_t width, align where) {
    const char *bar = b->options.utf8 ? "│" : "|";
    size_t taken = pt_display_width(text);
    taken = taken > width ? width : taken;
    size_t room = width - taken;
    size_t before = where == LEFT ? 0 : where == RIGHT ? room : room / 2;
    pt_text_addf(&b->line, "%s ", bar);
    spaces(&b->line, before);
    size_t shown = pt_display_add_fitted(&b->line, text, width, b->options.utf8);
    spaces(&b->line, width - shown - before + 1);
}

static bool hidden(const pt_box *b, size_t c) {
    return c >= b->hidden_from && c < b->hidden_to;
}

/* cells NULL: the gap between the first and the last rows. */
static int put_cells(pt_box *b, char *const *cells, int how, pt_error *err) {
    for (size_t c = 0; c < b->n_columns; c++) {
        if (hidden(b, c)) {
            if (c == b->hidden_from) {
                add_cell(b, b->options.utf8 ? "…" : "~", 1, LEFT);
            }
            continue;
        }
        align where = how >= 0 ? (align)how : b->number[c] ? RIGHT : LEFT;
        add_cell(b,
                 cells             ? cells[c]
                 : b->options.utf8 ? "·"
                                   : ".",
                 b->width[c], cells ? where : CENTRE);
    }
    pt_text_add(&b->line, b->options.utf8 ? "│" : "|");
    return put_line(b, err);
}

static int put_border(pt_box *b, const char *left, const char *middle, const char *right,
                      pt_error *err) {
    for (size_t c = 0; c < b->n_columns; c++) {
        if (hidden(b, c) && c != b->hidden_from) {
            continue;
        }
        pt_text_add(&b->line, !b->options.utf8 ? "+" : c ? middle : left);
        for (size_t i = 0; i < (hidden(b, c) ? 1 : b->width[c]) + 2; i++) {
            pt_text_add(&b->line, b->options.utf8 ? "─" : "-");
        }
    }
    pt_text_add(&b->line, b->options.utf8 ? right : "+");
    return put_line(b, err);
}

static size_t total_width(const pt_box *b) {
    size_t total = 1;
    for (size_t c = 0; c < b->n_columns; c++) {
        if (!hidden(b, c)) {
            total += b->width[c] + 3;
        } else if (c == b->hidden_from) {
            total += 4;
        }
    }
    return total;
}

/* Cuts the widest columns until the box fits, then leaves out columns in the middle. */
static void fit(pt_box *b) {
    size_t limit = b->options.width;
    while (limit && total_width(b) > limit) {
        size_t widest = 0;
        for (size_t c = 1; c < b->n_columns; c++) {
            widest = b->width[c] > b->width[widest] ? c : widest;
        }
        if (b->width[widest] <= PT_BOX_CELL_MIN) {
            break;
        }
        b->width[widest]--;
    }
    while (limit && total_width(b) > limit && b->hidden_to - b->hidden_from + 2 < b->n_columns) {
        if (b->hidden_to == b->hidden_from) {
            b->hidden_from = b->n_columns / 2;
            b->hidden_to = b->hidden_from + 1;
        } else if (b->n_columns - b->hidden_to > b->hidden_from) {
            b->hidden_to++;
        } else {
            b->hidden_from--;
        }
    }
}

static int put_head(pt_box *b, pt_error *err) {
    fit(b);
    b->head_printed = true;
    PT_TRY(put_border(b, "┌", "┬", "┐", err));
    PT_TRY(put_cells(b, b->names, CENTRE, err));
    if (b->types) {
        PT_TRY(put_cells(b, b->types, CENTRE, err));
    }
    return b->n_rows ? put_border(b, "├", "┼", "┤", err) : PT_OK;
}

static void drop_row(pt_box *b, size_t row) {
    for (size_t c = 0; c < b->n_columns; c++) {
        free(b->rows[row * b->n_columns + c]);
        b->rows[row * b->n_columns + c] = NULL;
    }
}

/* ---- rows ---- */

static size_t head_rows(const pt_box *b) {
    return (b->options.max_rows + 1) / 2;
}

/* Where the next row goes: behind the others, or over the oldest of the tail. */
static int slot(pt_box *b, size_t *out, pt_error *err) {
    size_t max = b->options.max_rows;
    if (max && b->n_held == max) {
        size_t tail = max - head_rows(b);
        *out = tail ? head_rows(b) + (size_t)((b->n_rows - max) % tail) : 0;
        if (tail) {
            drop_row(b, *out);
        }
        return PT_OK;
    }
    if (b->n_held == b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 64;
        char **rows = realloc(b->rows, capacity * b->n_columns * sizeof *rows);
        if (!rows) {
            return pt_fail_nomem(err, "a result");
        }
        memset(rows + b->capacity * b->n_columns, 0,
               (capacity - b->capacity) * b->n_columns * sizeof *rows);
        b->rows = rows;
        b->capacity = capacity;
    }
    *out = b->n_held++;
    return PT_OK;
}

static int fill(pt_box *b, char **row, const pt_cell *cells, pt_error *err) {
    for (size_t c = 0; c < b->n_columns; c++) {
        pt_text shown = {0};
        if (cells[c].data) {
            pt_display_add(&shown, cells[c].data, cells[c].len);
        } else {
            pt_text_add(&shown, "NULL");
        }
        if (shown.failed || !(row[c] = shown.data ? shown.data : strdup(""))) {
            pt_text_free(&shown);
            return pt_fail_nomem(err, "a result");
        }
        b->held_bytes += shown.capacity;
        size_t width = pt_display_width(row[c]);
        if (!b->head_printed && width > b->width[c]) {
            b->width[c] = width;
        }
    }
    return PT_OK;
}

static int print_held(pt_box *b, pt_error *err) {
    PT_TRY(put_head(b, err));
    for (size_t r = 0; r < b->n_held; r++) {
        PT_TRY(put_cells(b, b->rows + r * b->n_columns, -1, err));
        drop_row(b, r);
    }
    b->n_held = 0;
    return PT_OK;
}

/* The widths are settled: where nothing limits them, a wider cell pushes the border out rather than
 * being cut. */
static int print_passing(pt_box *b, char **row, pt_error *err) {
    if (b->options.width) {
        return put_cells(b, row, -1, err);
    }
    for (size_t c = 0; c < b->n_columns; c++) {
        size_t width = pt_display_width(row[c]);
        add_cell(b, row[c], width > b->width[c] ? width : b->width[c], b->number[c] ? RIGHT : LEFT);
    }
    pt_text_add(&b->line, b->options.utf8 ? "│" : "|");
    return put_line(b, err);
}

int pt_box_row(pt_box *b, const pt_cell *cells, pt_error *err) {
    size_t at = 0;
    if (b->options.max_rows == 1 && b->n_rows) {
        b->n_rows++;
        return PT_OK;
    }
    PT_TRY(slot(b, &at, err));
    b->n_rows++;
    PT_TRY(fill(b, b->rows + at * b->n_columns, cells, err));
    if (b->head_printed) {
        PT_TRY(print_passing(b, b->rows + at * b->n_columns, err));
        drop_row(b, at);
        b->n_held = 0;
    } else if (!b->options.max_rows && b->held_bytes > PT_BOX_HELD_MAX) {
        return print_held(b, err);
    }
    return PT_OK;
}

static int put_footer(pt_box *b, pt_error *err) {
    bool cut = b->options.max_rows && b->n_rows > b->options.max_rows;
    if (b->n_rows && b->n_rows < PT_BOX_FOOTER_ROWS && !cut && b->hidden_from == b->hidden_to) {
        return PT_OK;
    }
    pt_text_addf(&b->line, "  %llu row%s", (unsigned long long)b->n_rows,
                 b->n_rows == 1 ? "" : "s");
    if (cut) {
        pt_text_addf(&b->line, " (%zu shown)", b->options.max_rows);
    }
    if (b->n_rows) {
        pt_text_addf(&b->line, "  %zu column%s", b->n_columns, b->n_columns == 1 ? "" : "s");
    }
    if (b->hidden_to > b->hidden_from) {
        pt_text_addf(&b->line, " (%zu shown)", b->n_columns - (b->hidden_to - b->hidden_from));
    }
    return put_line(b, err);
}

int pt_box_end(pt_box *b, pt_error *err) {
    if (!b->head_printed) {
        PT_TRY(put_head(b, err));
    }
    bool cut = b->options.max_rows && b->n_rows > b->options.max_rows;
    size_t head = cut ? head_rows(b) : b->n_held;
    size_t tail = b->n_held - head;
    for (size_t r = 0; r < head; r++) {
        PT_TRY(put_cells(b, b->rows + r * b->n_columns, -1, err));
    }
    for (size_t i = 0; cut && i < 3; i++) {
        PT_TRY(put_cells(b, NULL, -1, err));
    }
    size_t oldest = tail ? (size_t)((b->n_rows - b->options.max_rows) % tail) : 0;
    for (size_t i = 0; i < tail; i++) {
        PT_TRY(put_cells(b, b->rows + (head + (oldest + i) % tail) * b->n_columns, -1, err));
    }
    PT_TRY(put_border(b, "└", "┴", "┘", err));
    return put_footer(b, err);
}

/* ---- the box ---- */

static char *display_copy(const char *text, size_t max) {
    pt_text shown = {0};
    pt_text cut = {0};
    pt_display_add(&shown, text, strlen(text));
    (void)pt_display_add_fitted(&cut, pt_text_get(&shown), max, true);
    bool failed = shown.failed || cut.failed;
    pt_text_free(&shown);
    if (failed) {
        pt_text_free(&cut);
        return NULL;
    }
    return cut.data ? cut.data : strdup("");
}

static int set_column(pt_box *b, size_t c, const pt_result_column *column, pt_error *err) {
    b->number[c] = column->number;
    b->names[c] = display_copy(column->name, (size_t)-1);
    if (b->types) {
        b->types[c] = display_copy(column->type ? column->type : "", PT_BOX_TYPE_MAX);
    }
    if (!b->names[c] || (b->types && !b->types[c])) {
        return pt_fail_nomem(err, "a result");
    }
    b->width[c] = pt_display_width(b->names[c]);
    size_t type = b->types ? pt_display_width(b->types[c]) : 0;
    b->width[c] = type > b->width[c] ? type : b->width[c];
    return PT_OK;
}

int pt_box_open(const pt_writer_options *options, const pt_result_column *columns, size_t n_columns,
                pt_box **out, pt_error *err) {
    pt_box *b = calloc(1, sizeof *b);
    *out = b;
    if (!b) {
        return pt_fail_nomem(err, "a result");
    }
    b->options = *options;
    b->n_columns = n_columns;
    b->names = calloc(n_columns + 1, sizeof *b->names);
    b->number = calloc(n_columns + 1, sizeof *b->number);
    b->width = calloc(n_columns + 1, sizeof *b->width);
    if (n_columns && columns[0].type) {
        b->types = calloc(n_columns + 1, sizeof *b->types);
    }
    int code = b->names && b->number && b->width && (b->types || !n_columns || !columns[0].type)
                   ? PT_OK
                   : pt_fail_nomem(err, "a result");
    for (size_t c = 0; code == PT_OK && c < n_columns; c++) {
        code = set_column(b, c, &columns[c], err);
    }
    if (code != PT_OK) {
        pt_box_free(out);
    }
    return code;
}

void pt_box_free(pt_box **box) {
    pt_box *b = *box;
    if (!b) {
        return;
    }
    for (size_t i = 0; b->rows && i < b->capacity * b->n_columns; i++) {
        free(b->rows[i]);
    }
    for (size_t c = 0; c < b->n_columns; c++) {
        if (b->names) {
            free(b->names[c]);
        }
        if (b->types) {
            free(b->types[c]);
        }
    }
    pt_text_free(&b->line);
    free(b->rows);
    free(b->names);
    free(b->types);
    free(b->number);
    free(b->width);
    free(b);
    *box = NULL;
}
