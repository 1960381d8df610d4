/* A record's headers, as a column STRUCT(key VARCHAR, value BLOB)[]. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "columns/rows.h"

typedef struct pt_header {
    const char *key;
    const void *value; /* NULL: a header without value */
    size_t value_len;
} pt_header;

/* Sets column of the open row: in their order, names that repeat and all; none: an empty list. A
 * name that is no UTF-8 becomes empty. Everything is copied. */
int pt_headers_set(pt_rows *rows, size_t column, const pt_header *headers, size_t n,
                   pt_error *err) PT_CHECKED;
