/* The name of a table as a user writes it: name or schema.name; a part that has dots or quotes of
 * its own "in quotes", with "" for a quote. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/nearest.h"
#include "duck/query.h"

/* a.b -> a, b; "a.b" -> main, a.b; a."b.c" -> a, b.c. Both are the caller's to free, also after an
 * error. PT_E_USAGE: not such a name, or in schema pintail. */
int pt_table_name_split(const char *table, char **schema, char **name, pt_error *err) PT_CHECKED;

/* Whether two names are of one table: t, main.t, "t", T. */
bool pt_table_name_same(const char *a, const char *b);

/* The condition that expr, an expression of SQL, is the name as DuckDB compares names: in any case
 * of ASCII letters; Ä and ä are two. */
void pt_table_name_add_is(pt_query *query, const char *expr, const char *name);

/* What messages and the ledger call a table: schema.name, "name" alone in schema main; the caller's
 * to free. NULL: no memory. */
char *pt_table_name_label(const char *schema, const char *name);

/* The group of a pipeline that has been given none, the caller's to free: pintail-t for t, main.t
 * and "t"; pintail-s.t in another schema. Of the table, not of how it was written: a second start
 * that writes it otherwise must not read everything again. */
int pt_table_name_group(const char *table, char **out, pt_error *err) PT_CHECKED;

/* "; did you mean t?" by the lake's list, or "". */
pt_hint pt_table_name_hint(pt_session *session, const char *table);

/* PT_E_USAGE for lake.t, which would make a schema "lake" in the lake. */
int pt_table_name_refuse_alias(const char *table, const char *alias, pt_error *err) PT_CHECKED;
