/* The columns of a table: those that pintail adds, those that the schema asks for, those that the
 * lake has. own: of pintail's tables, without metadata columns. */
#pragma once

#include "duck/result.h"
#include "lake/table.h"

typedef struct pt_meta_column {
    const char *name;
    const char *sql; /* its type */
    pt_type type;
} pt_meta_column;

#define PT_TARGET_NO_TABLE                                                                     \
    "table %s does not exist%s; give --schema 'name TYPE, ...' (or schema: in the config) to " \
    "have it made"

extern const pt_meta_column pt_meta_columns[PT_META_COUNT];

/* Without a look at the lake. PT_E_USAGE: a type that Parquet would not keep exactly, a column with
 * the name of a metadata column. */
int pt_table_check_asked(const pt_schema *asked, const char *label, bool own,
                         pt_error *err) PT_CHECKED;

/* Whether a table of these columns can be made under t's names. PT_E_USAGE: a default, or a name
 * that DuckLake or the catalog keeps for itself. */
int pt_table_check_new(pt_engine *engine, pt_session *session, const pt_table *t, pt_schema *asked,
                       pt_error *err) PT_CHECKED;
/* The statements that make it. */
void pt_table_add_create(const pt_engine *engine, const pt_table *t, const pt_schema *schema,
                         pt_metas metas, pt_text *sql);

/* Makes t->schema of the table's columns (rows of name, type, nullable, default) and of what was
 * asked for (NULL: nothing), and t->metas of those that pintail fills: wanted must be among them (0
 * for pintail's own tables); other_topic: whose rows are in it, too (NULL: none). PT_E_USAGE when
 * they do not fit. */
int pt_table_take_columns(pt_table *t, const pt_result *columns, const pt_schema *asked, bool own,
                          pt_metas wanted, const char *other_topic, pt_error *err) PT_CHECKED;

/* Takes over from a schema that the table once was asked with how values are read (EPOCH, HEX),
 * which stands in no catalog, for each column and part that still has its type. */
void pt_table_take_noted(pt_table *t, const pt_schema *noted);

/* Fills default_json of each column that has a default. PT_E_USAGE, naming the column: it cannot be
 * evaluated, or is not the same for every record (now(), uuid()). */
int pt_table_evaluate_defaults(pt_session *session, const char *label, pt_schema *schema,
                               pt_error *err) PT_CHECKED;
