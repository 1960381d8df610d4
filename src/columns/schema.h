/* The shape of a target table: columns and their types, as DuckDB writes them.
 *
 * A schema comes from a text (--schema, config) or from an existing table. It is immutable once
 * made, so any thread may read it. */
#pragma once

#include <duckdb.h>

#include "base/error.h"
#include "columns/types.h"

/* Parses 'name TYPE [NOT NULL] [DEFAULT expression] [EPOCH s|ms|us|ns] [BASE64|HEX], ...'.
 * EPOCH, BASE64 and HEX may also follow a type inside STRUCT, MAP and a list: STRUCT(at TIMESTAMP
 * EPOCH ms, ats TIMESTAMP EPOCH us[]). Behind a nested type they hold for whatever is in it and has
 * none of its own. Types are DuckDB's names and aliases (INT, TEXT, NUMERIC(10,2), TIMESTAMP WITH
 * TIME ZONE, INTEGER[], STRUCT(a INT, b TEXT), MAP(VARCHAR, INT), ...), case-insensitive; names may
 * be in double quotes ("" inside stands for one "). TIMETZ, INTERVAL, BIT, ENUM, UNION, fixed-size
 * arrays and unknown types are refused with a text that says what to use instead (TIMETZ: TIME).
 * Columns that differ only in case are refused. On success *out is the caller's, to pt_schema_free.
 */
int pt_schema_parse(const char *text, pt_schema **out, pt_error *err) PT_CHECKED;

/* One type alone, such as duckdb_columns().data_type shows it. The caller clears *out with
 * pt_type_clear. */
int pt_type_parse(const char *text, pt_type *out, pt_error *err) PT_CHECKED;

/* DuckDB's name of the type, for CREATE TABLE and messages; malloc'd, NULL without memory. */
char *pt_type_sql(const pt_type *type);

/* The type for duckdb_create_data_chunk; the caller destroys it. JSON is a plain VARCHAR here. */
duckdb_logical_type pt_type_logical(const pt_type *type);

void pt_type_clear(pt_type *type);
void pt_schema_free(pt_schema **schema);
