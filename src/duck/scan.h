/* Rows as a table of DuckDB: `FROM pintail_rows(slot)` reads a pt_rows without a copy, several
 * threads wide.
 *
 * A pt_scan belongs to one engine and is used by one thread at a time. The rows that it shows must
 * not change while a statement reads them, or must be shared (pt_rows_share): then the statement
 * follows their writer and ends when he is done. */
#pragma once

#include "base/error.h"
#include "columns/rows.h"
#include "duck/dictionary.h"
#include "duck/engine.h"

#define PT_SCAN_SLOTS 64

typedef struct pt_scan pt_scan;

/* Registers pintail_rows with the engine of this session. *out lives until pt_scan_free, which
 * comes after the engine is closed. */
int pt_scan_new(pt_session *session, pt_scan **out, pt_error *err) PT_CHECKED;
void pt_scan_free(pt_scan **scan);

/* What pintail_rows(slot) shows from now on; types and names [pt_rows_columns(rows)] are not
 * copied. */
void pt_scan_show(pt_scan *scan, size_t slot, pt_rows *rows, const pt_type *types,
                  const char *const *names);
/* The same, and the columns that have a dictionary as an ENUM of its values: for a statement that
 * writes them to Parquet. The dictionaries are of these rows and live as long as the statement
 * runs, which fails with PT_WHY_NEW_VALUE when a value comes that has no code. */
void pt_scan_show_coded(pt_scan *scan, size_t slot, pt_rows *rows, const pt_type *types,
                        const char *const *names, const pt_dictionaries *dictionaries);
