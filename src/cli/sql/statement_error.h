/* What pintail sql says of a statement that failed. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* DuckDB's message (NULL: it gave none) as an error of one line; its picture of the statement
 * becomes a line number. secret: the statement may hold a password. */
int pt_sql_failed(const char *message, bool secret, pt_error *err);

/* A statement as an error shows it: redacted, indented, at most a dozen lines; ends with a newline.
 */
void pt_sql_show_statement(FILE *out, const char *sql);
