/* Opening a table of the lake: what was asked for is matched with what the lake has, and a missing
 * table is made. */
#pragma once

#include "base/text.h"
#include "duck/engine.h"
#include "lake/seen.h"
#include "lake/table.h"

typedef struct pt_table_options {
    const char *table; /* name or schema.name; a part with dots of its own is written "in quotes" */
    const char *schema_text; /* columns; NULL: the table has to be there */
    const pt_result
        *notes; /* without schema_text: of the schema that was given last for the topic and the
                   table (pt_identities_read), what no catalog keeps still holds; or NULL */
    const char *topic;   /* that is to feed it: when the ledger knows rows of another one in it, it
                            gets and needs _kafka_topic; NULL: not looked for */
    const pt_seen *seen; /* of all tables of the start; NULL: the lake is asked for this one */
    pt_metas extra; /* the table gets and needs these beside PT_METAS_ALWAYS; it may have others,
                       which are filled, too */
} pt_table_options;

/* What can be said of the options without looking at a lake: the schema text and its columns. */
int pt_table_check(const pt_table_options *options, pt_error *err) PT_CHECKED;

/* What pt_table_open would do. */
typedef struct pt_table_planned {
    char *missing;  /* the label of a table that is to be made, malloc'd; NULL: it is there */
    pt_metas metas; /* that it gets then */
} pt_table_planned;

/* When the table is missing, adds the statements that make it to sql, and makes nothing.
 * PT_E_USAGE: it cannot be made, with a name that the catalog cannot take among the reasons. */
int pt_table_plan(pt_session *session, const pt_table_options *options, pt_table_planned *out,
                  pt_text *sql, pt_error *err) PT_CHECKED;

/* Opens the table, makes it when it is missing. PT_E_USAGE when the table does not fit what was
 * asked for. */
int pt_table_open(pt_session *session, const pt_table_options *options, pt_table **out,
                  pt_error *err) PT_CHECKED;

/* Fills has_rows: reads the table, so its files must be there (lake/guard.h:
 * pt_guards_restore_table). */
int pt_table_look_for_rows(pt_session *session, pt_table *target, pt_error *err) PT_CHECKED;

/* A table of pintail's own (schema pintail), with exactly the columns of schema_text and no
 * metadata columns. */
int pt_table_open_own(pt_session *session, const char *name, const char *schema_text,
                      pt_table **out, pt_error *err) PT_CHECKED;

/* A table that nothing is written into: where it lies and by what it is known, without columns. */
int pt_table_open_place(pt_session *session, const char *schema, const char *name, pt_table **out,
                        pt_error *err) PT_CHECKED;
