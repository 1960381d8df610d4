/* Results as text: box tables (DuckDB's look), CSV, JSON, Markdown. */
#pragma once

#include "cli/result_out.h"

/* One result; csv, json and markdown are written as rows come, a box at the end (or once it holds
 * PT_BOX_HELD_MAX bytes, see result_box.c). */
typedef struct pt_writer pt_writer;

int pt_writer_open(const pt_writer_options *options, const pt_result_column *columns,
                   size_t n_columns, pt_writer **out, pt_error *err) PT_CHECKED;
int pt_writer_row(pt_writer *writer, const pt_cell *cells, pt_error *err) PT_CHECKED;
int pt_writer_end(pt_writer *writer, pt_error *err) PT_CHECKED;
void pt_writer_free(pt_writer **writer);
