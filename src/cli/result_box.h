/* Box tables; a part of result_format. */
#pragma once

#include "base/text.h"
#include "cli/result_format.h"

typedef struct pt_box pt_box;

int pt_box_open(const pt_writer_options *options, const pt_column *columns, size_t n_columns,
                pt_box **out, pt_error *err) PT_CHECKED;
int pt_box_row(pt_box *box, const pt_cell *cells, pt_error *err) PT_CHECKED;
int pt_box_end(pt_box *box, pt_error *err) PT_CHECKED;
void pt_box_free(pt_box **box);

/* What a cell looks like on one line of a terminal: control characters as \n, \t, \x1b. */
void pt_display_add(pt_text *text, const char *data, size_t len);
/* Terminal columns that UTF-8 text takes, wide and combining characters counted right (LC_CTYPE
 * must be a UTF-8 one). */
size_t pt_display_width(const char *text);
