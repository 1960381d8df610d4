/* What a message of DuckDB, DuckLake or a catalog means for whoever got it: none of them gives a
 * code that says so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* PT_E_LAKE_BUSY, PT_E_LAKE_DOWN, or PT_E_LAKE (permanent, or unknown to us). Only the author's own
 * words count: names, paths and SQL that the message cites may hold any word. */
pt_code pt_lake_failure(const char *message);

/* Whether it says that something is not there or not allowed, or that the lake was migrated: no
 * record is to blame. */
bool pt_lake_hopeless(const char *message);

/* The SQL that a scanner's message cites, from its first character to its closing quote; false when
 * the message cites none. */
bool pt_cited_query(const char *message, const char **begin, const char **end);

/* The message without what it shows: what stands between quotes, and lines that cite. What is kept
 * of an encrypted lake's, whose values stand in clear nowhere. What names a table, a file or a
 * column (catalog, file and binder errors) stays as it is. */
void pt_message_without_values(const char *message, char *out, size_t size);

/* Where the picture "LINE 2: SELECT ... ^" begins that DuckDB draws below some of its messages,
 * with the line ends before it; NULL: there is none. */
const char *pt_message_picture(const char *message);
