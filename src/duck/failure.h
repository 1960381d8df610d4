/* What a message of DuckDB, DuckLake or a catalog means for whoever got it: none of them gives a
 * code that says so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* PT_E_LAKE_BUSY, PT_E_LAKE_DOWN, or PT_E_LAKE (permanent, or unknown to us). Only the author's own
 * words count: names, paths and SQL that the message cites may hold any word. */
pt_code pt_lake_failure(const char *message);

/* The pt_reasons that it gives, as they steer (base/error.h). This is the one place that knows
 * DuckDB's words. */
unsigned pt_failure_reasons(const char *message);

/* What pintail_rows says of PT_WHY_NEW_VALUE: DuckDB hands it through as text. */
#define PT_FAILURE_NEW_VALUE "pintail_rows: a value that the rows before did not have"

/* The author's own words in the text of an error that was made of his message: what he cites before
 * them, his advice, and pintail's words about the COMMIT are left out. */
const char *pt_failure_words(const char *text);

/* How much of a text stands before DuckDB's own advice, which begins "Possible solutions". */
size_t pt_failure_without_advice(const char *text);

/* The rest of the first name in a text that begins with prefix: a text is all that DuckDB gives of
 * the file that failed. NULL: there is none. */
const char *pt_failure_names_file(const char *text, const char *prefix);

/* The SQL that a scanner's message cites, from its first character to its closing quote; false when
 * the message cites none. */
bool pt_cited_query(const char *message, const char **begin, const char **end);

/* Whether it names a table, a file or a column and shows no row: catalog, file and binder errors.
 */
bool pt_message_names(const char *message);

/* The message without what it shows: what stands between quotes, and lines that cite. What is kept
 * of an encrypted lake's, whose values stand in clear nowhere. One that names stays as it is. */
void pt_message_without_values(const char *message, char *out, size_t size);

/* Where the picture "LINE 2: SELECT ... ^" begins that DuckDB draws below some of its messages,
 * with the line ends before it; NULL: there is none. */
const char *pt_message_picture(const char *message);
