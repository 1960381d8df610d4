/* Box tables; a part of result_format. */
#pragma once

#include "cli/result_out.h"

typedef struct pt_box pt_box;

int pt_box_open(const pt_writer_options *options, const pt_result_column *columns, size_t n_columns,
                pt_box **out, pt_error *err) PT_CHECKED;
int pt_box_row(pt_box *box, const pt_cell *cells, pt_error *err) PT_CHECKED;
int pt_box_end(pt_box *box, pt_error *err) PT_CHECKED;
void pt_box_free(pt_box **box);
