/* What the writers of results share: columns, cells, and where the text goes. The cells come as
 * text; nothing here knows DuckDB. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

typedef enum pt_format {
    PT_FORMAT_BOX,
    PT_FORMAT_CSV,
    PT_FORMAT_JSON,
    PT_FORMAT_MARKDOWN
} pt_format; /* order of PT_FORMAT_CHOICES */
#define PT_FORMAT_CHOICES "box|csv|json|markdown"

typedef struct pt_result_column {
    const char *name; /* UTF-8 */
    const char *type; /* shown in a box; may be NULL */
    bool number;      /* to the right in box and markdown */
    bool raw; /* JSON: the cell is a JSON value already (number, boolean, nested), not a text */
} pt_result_column;

typedef struct pt_cell {
    const char *data; /* NULL: SQL NULL */
    size_t len;
} pt_cell;

typedef struct pt_writer_options {
    pt_format format;
    FILE *out;
    size_t max_rows; /* of a box: so many rows are shown, the first and the last half; 0: all */
    size_t width;    /* of a box, in terminal columns: wider cells are cut; 0: unlimited */
    bool utf8;       /* the terminal or file takes box characters */
} pt_writer_options;

/* PT_E_IO when it cannot be written. */
int pt_writer_put(FILE *out, const char *data, size_t len, pt_error *err) PT_CHECKED;
int pt_writer_flush(FILE *out, pt_error *err) PT_CHECKED;
