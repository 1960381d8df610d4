/* Text columns that repeat few values, as codes.
 *
 * DuckDB's Parquet writer finds the dictionary of a text column by hashing each value, once to
 * collect and once to write, which is the larger part of what encoding an order costs. Of an ENUM
 * it writes the codes as they are, into the same file: the same pages, UTF8 and statistics. So the
 * values are looked up here, more cheaply, and shown to DuckDB as an ENUM (duck/scan.h).
 *
 * One thread makes it. Then any number of threads may read it, until somebody makes it again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "columns/rows.h"

/* A column with more has none; DuckDB's limit in the files that we write, too. */
#define PT_DICTIONARY_VALUES 1000
/* Bytes of its values in all, each with a NUL behind it. */
#define PT_DICTIONARY_TEXT ((size_t)32 << 10)
#define PT_DICTIONARIES    32 /* columns of a table that have one, at most; 60 KB each */
/* Bytes of all codes at once, 2 a row and column; columns beyond that have none. */
#define PT_DICTIONARY_CODES ((size_t)16 << 20)

typedef struct pt_dictionaries pt_dictionaries;

pt_dictionaries *pt_dictionaries_new(void); /* NULL without memory */
void pt_dictionaries_free(pt_dictionaries **dictionaries);

/* Looks at the values of the VARCHAR columns; types[pt_rows_columns(rows)]. What a column gets none
 * for is shown as it is: too many or too long values, a NUL in one, no value at all, no memory. Of
 * rows that are still being written (pt_rows_share) what is there is looked at, and a value may
 * come later that has no code. */
void pt_dictionaries_make(pt_dictionaries *d, pt_rows *rows, const pt_type *types);

/* The distinct values of a column, by code; NULL: it has no dictionary. The texts live until the
 * next pt_dictionaries_make. */
const char *const *pt_dictionary_values(const pt_dictionaries *d, size_t column, size_t *n);
/* The codes of chunk i of the rows in a column that has a dictionary, as width bytes each (1 or 2);
 * of NULL: any. false: a value has none. */
bool pt_dictionary_codes(const pt_dictionaries *d, size_t column, size_t i, duckdb_data_chunk chunk,
                         size_t width, void *out) PT_CHECKED;
