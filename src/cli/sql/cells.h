/* The chunks of a result as text, every type as DuckDB itself casts it.
 *
 * The C API has no cast for a chunk's vectors, and a statement cannot always be wrapped in a
 * SELECT. So a second connection of the same database has a table function that hands out the
 * chunk's own vectors (by reference), and SELECT c0::VARCHAR, ... over it does the casting. */
#pragma once

#include <duckdb.h>

#include "base/error.h"
#include "cli/result_format.h"
#include "duck/engine.h"

typedef struct pt_cells pt_cells;

int pt_cells_open(pt_engine *engine, pt_cells **out, pt_error *err) PT_CHECKED;
void pt_cells_close(pt_cells **cells);

/* Where the columns are told: by a result, or by a statement before it runs. */
typedef struct pt_cells_source {
    duckdb_connection connection;
    duckdb_result *result; /* or NULL */
    duckdb_prepared_statement statement;
} pt_cells_source;

/* The columns of the rows that follow. For json nested values are JSON, for a box the types are
 * named. Times are shown in the time zone that the source's connection is set to. The columns are
 * valid until the next begin. */
int pt_cells_begin(pt_cells *cells, const pt_cells_source *source, pt_format format,
                   const pt_result_column **columns, size_t *n_columns, pt_error *err) PT_CHECKED;

/* Calls row for each row of the chunk, until it fails. The cells are valid during the call. */
typedef int (*pt_cells_row)(void *context, const pt_cell *cells, pt_error *err);
int pt_cells_each(pt_cells *cells, duckdb_data_chunk chunk, pt_cells_row row, void *context,
                  pt_error *err) PT_CHECKED;
