/* Files in DuckDB's statements. It takes stars in a name for a pattern, and folders named key=value
 * for columns: a name that is written here stands for that file alone. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "duck/lake_options.h"

/* PT_E_USAGE: DuckDB cannot name files in that folder, or it means another one. */
int pt_file_names_check(const char *folder, pt_error *err) PT_CHECKED;

/* The path as a part of a pattern, in which each of its characters stands for itself. */
void pt_file_names_add_pattern(pt_text *pattern, const char *path);
/* 'path' for a function that expands patterns. */
void pt_file_names_add_sql(pt_text *sql, const char *path);
/* FROM read_blob(...) of the files of a pattern (none: no row), with its columns filename, size,
 * content whatever their folders are called. */
void pt_file_names_add_read_blob(pt_text *sql, const char *pattern);

/* Bytes of a file or object; -1: it is not there. Not in a transaction: what is not there fails the
 * statement. */
int pt_file_size(pt_session *session, const char *path, int64_t *size, pt_error *err) PT_CHECKED;
/* Byte for byte; a local one is on the disk then, an object where its upload has succeeded. */
int pt_file_copy(pt_session *session, const char *from, const char *to, pt_error *err) PT_CHECKED;
