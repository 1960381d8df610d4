/* Rows that DuckLake keeps in the catalog ("inlined") instead of a file: an INSERT of few rows.
 *
 * A file for a handful of rows costs its readers more than the rows do. So a small slice is
 * inserted and stays in the catalog, in the flush's own transaction and with no file to lose. It
 * does not stay for ever: folding writes what the catalog holds of a table to Parquet files, by
 * DuckLake's own ducklake_flush_inlined_data, which keeps row ids and snapshots. Folding is one
 * transaction that changes no row, so the ledger has no row of it; two at once conflict, in the
 * catalog's own tables. DuckLake deletes the files of a COMMIT whose answer was lost, and with them
 * rows that are in no catalog any more: they are guarded (lake/guard.h). */
#pragma once

#include <stdint.h>

#include "lake/flush.h"

/* What ingest takes for the limit of a lake that has no data_inlining_row_limit: up to here a
 * commit of inlined rows costs no more than one of a staged file. */
#define PT_INLINE_ROWS 30
/* Decoded bytes of a slice that may be inlined: each commit carries them to the catalog, as text.
 */
#define PT_INLINE_BYTES ((size_t)64 << 10)

/* Whether the slice is to be inserted and kept in the catalog: it is small, and has no NUL in a
 * text, which DuckLake 1.0 fails to inline in nested values. Tables with nested columns are not
 * inlined but in a DuckDB catalog (inline_unfit of pt_table). */
bool pt_inlined_slice(const pt_slice *slice);

/* The lake's limit for that table becomes 0, for good and for everybody: of a table that cannot be
 * staged, when its rows must not be inlined. */
int pt_inlined_forbid(pt_session *session, const pt_table *table, pt_error *err) PT_CHECKED;
/* Whether the rows of the slice would be inlined by an INSERT for their number, and must not be:
 * they have a NUL in a text, or the flush has to go to files. */
bool pt_inlined_unfit(const pt_flush *flush, const pt_slice *slice);

/* Rows of the table that the catalog holds, deleted ones included. */
int pt_inlined_count(pt_session *session, const pt_table *table, int64_t *rows,
                     pt_error *err) PT_CHECKED;

/* In a transaction: writes what the catalog holds of the table to files, and guards them. *rows:
 * how many. */
int pt_inlined_fold(pt_session *session, const char *pipeline, const pt_table *table,
                    pt_guarded *guarded, int64_t *rows, pt_error *err) PT_CHECKED;
