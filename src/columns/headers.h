/* A record's headers, as a column STRUCT(key VARCHAR, value BLOB)[]. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/record.h"
#include "columns/rows.h"

/* Sets column of the open row to the headers in their order, with names that repeat; without
 * headers the list is empty. A name that is no UTF-8 becomes empty. Copies everything. */
int pt_headers_set(pt_rows *rows, size_t column, const pt_header *headers, size_t n,
                   pt_error *err) PT_CHECKED;
