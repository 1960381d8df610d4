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

extern const pt_meta_column pt_meta_columns[PT_META_COUNT];

/* The types of metadata columns; out: [PT_META_COUNT]. Returns how many. */
size_t pt_table_meta_types(pt_metas metas, pt_type *out);

/* Without a look at the lake. PT_E_USAGE: a type that Parquet would not keep exactly, a column with
 * the name of a metadata column. */
int pt_table_check_asked(const pt_schema *asked, const char *label, bool own,
                         pt_error *err) PT_CHECKED;

/* Makes t->schema of the table's columns (rows of name, type, nullable, default) and of what was
 * asked for (NULL: nothing), and t->metas of those that pintail fills: wanted must be among them (0
 * for pintail's own tables); other_topic: whose rows are in it, too (NULL: none). PT_E_USAGE when
 * they do not fit. */
int pt_table_take_columns(pt_table *t, const pt_result *columns, const pt_schema *asked, bool own,
                          pt_metas wanted, const char *other_topic, pt_error *err) PT_CHECKED;

/* Takes over from a schema that the table once was asked with how values are read (EPOCH, HEX),
 * which stands in no catalog, for each column and part that still has its type. */
void pt_table_take_noted(pt_table *t, const pt_schema *noted);
