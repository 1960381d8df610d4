/* The mark in the names of pintail's own files, which tells whose they are. */
#pragma once

#include "lake/table.h"

/* Files of pintail's own are <uuid>-<mark>.pq, guards guard-<uuid>-<mark>-<tag>.pq (lake/guard.h):
 * the mark tells the table, out of the random part of its table_uuid. Two lakes may have one data
 * path, and a table of the same name each: neither takes the other's files for its own orphans.
 */
#define PT_MARK_DIGITS 8
/* out: [PT_MARK_DIGITS + 1] */
void pt_file_mark(const pt_table *table, char *out);
