/* Rows in DuckDB vectors: what a decoder writes and what DuckDB scans without a copy.
 *
 * A pt_rows is a list of data chunks of 2048 rows (duckdb_vector_size()) plus an arena for string
 * bytes; strings longer than 12 bytes are duckdb_string_t that point into the arena. One thread
 * writes; after that any number of threads may read the chunks until pt_rows_reset. Chunks and
 * arena blocks are kept over a reset and used again. Others may also follow the writer, full chunk
 * by full chunk: pt_rows_share.
 *
 * Writing a row: open it, write every column at index pt_rows_at(), commit it. A row that was
 * opened and not committed does not count; opening again takes back its strings and list elements.
 */
#pragma once

#include "base/error.h"
#include "columns/schema.h"

typedef struct pt_rows pt_rows;

/* types[n_columns]; the rows keep no reference to the array's nested memory after the call. */
int pt_rows_new(const pt_type *types, size_t n_columns, pt_rows **out, pt_error *err) PT_CHECKED;
void pt_rows_free(pt_rows **rows);

/* Forgets all rows, keeps the memory up to a bound (keep_bytes; 0 keeps all). */
void pt_rows_reset(pt_rows *rows, size_t keep_bytes);

/* Makes place for one more row (a new chunk when the last is full) and takes back an uncommitted
 * one. Every column starts as not NULL. */
int pt_rows_open(pt_rows *rows, pt_error *err) PT_CHECKED;
void pt_rows_commit(pt_rows *rows);

size_t pt_rows_count(const pt_rows *rows);
size_t pt_rows_bytes(const pt_rows *rows);  /* bytes in use by committed rows: vectors and strings;
                                               cheap enough for every record */
size_t pt_rows_memory(const pt_rows *rows); /* bytes held, in use or not */
size_t pt_rows_used_memory(
    const pt_rows *rows); /* bytes held by what is in use: whole chunks and arena blocks */
size_t pt_rows_chunk_memory(const pt_rows *rows); /* bytes of one chunk: the least that rows take */
size_t pt_rows_columns(const pt_rows *rows);

/* The open row: index inside the last chunk, and the column's data (an array of the type's C form).
 */
size_t pt_rows_at(const pt_rows *rows);
void *pt_rows_data(const pt_rows *rows, size_t column);
void pt_rows_null(pt_rows *rows, size_t column);
/* The open row's text or bytes of a VARCHAR, BLOB or JSON column; false: NULL. They stay until the
 * rows are reset, or the row is opened again. */
bool pt_rows_text(const pt_rows *rows, size_t column, const char **data, size_t *len);
/* Stores a string or blob in column (VARCHAR, BLOB, JSON) of the open row; the bytes are copied. */
int pt_rows_string(pt_rows *rows, size_t column, const char *data, size_t len,
                   pt_error *err) PT_CHECKED;

/* Text with a NUL in it, committed or not, since the last reset: whoever writes one says so. Not of
 * a BLOB. */
void pt_rows_note_nul(pt_rows *rows);
bool pt_rows_has_nul(const pt_rows *rows);
/* The same for a -0.0 in FLOAT or DOUBLE, however deep it stands. */
void pt_rows_note_minus_zero(pt_rows *rows);
bool pt_rows_has_minus_zero(const pt_rows *rows);

/* Reading: the chunks in order, each with its size set. Owned by the rows. */
size_t pt_rows_chunks(const pt_rows *rows);
duckdb_data_chunk pt_rows_chunk(const pt_rows *rows, size_t i);

/* Following the writer. Writer: from pt_rows_share to pt_rows_finish others may read, by
 * pt_rows_follow alone, what is written. complete: all rows are there; else they are thrown away,
 * and who follows comes to the end early. pt_rows_reset must wait until nobody follows. */
void pt_rows_share(pt_rows *rows);
void pt_rows_finish(pt_rows *rows, bool complete);
/* Any thread: chunk i when the writer is done with it, waiting for that; NULL behind the last. Of
 * rows that are not shared: pt_rows_chunk. */
duckdb_data_chunk pt_rows_follow(pt_rows *rows, size_t i);
/* Chunks that pt_rows_follow gives at once; *growing (may be NULL): more may come. */
size_t pt_rows_ready(pt_rows *rows, bool *growing);
bool pt_rows_complete(pt_rows *rows);
