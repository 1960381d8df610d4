/* Making tables: whether a table can be made, and the statements that make it. */
#pragma once

#include "duck/engine.h"
#include "lake/table.h"

#define PT_TABLE_MISSING                                                                       \
    "table %s does not exist%s; give --schema 'name TYPE, ...' (or schema: in the config) to " \
    "have it made"

/* Whether the table (as --table names it) could be made in a new lake with such a catalog, in which
 * few rows stay in the catalog (inlining) or do not. Looks at no lake. PT_E_USAGE: it could not, or
 * schema_text is NULL. */
int pt_table_check_names(const char *table, const char *schema_text, pt_catalog_kind catalog,
                         bool inlining, pt_error *err) PT_CHECKED;

/* Whether a table of these columns can be made under t's names. PT_E_USAGE: a default, or a name
 * that DuckLake or the catalog keeps for itself. */
int pt_table_check_new(pt_session *session, const pt_table *t, pt_schema *asked,
                       pt_error *err) PT_CHECKED;
/* The statements that make it. */
void pt_table_add_create(const pt_session *session, const pt_table *t, const pt_schema *schema,
                         pt_metas metas, pt_text *sql);

/* Makes all the tables of sql in one transaction; sql may be empty. what: their names, for
 * messages. */
int pt_tables_make(pt_session *session, const char *what, pt_text *sql, pt_error *err) PT_CHECKED;
