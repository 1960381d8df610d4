/* Which table the rows of a topic went to. A name is not enough: while no ingest runs, somebody can
 * rename another table to it, or drop the table and fill another one. So pintail.meta keeps, for
 * each pipeline, topic and table of the ledger, the table_uuid, which DuckLake gives to a table for
 * life: a rename and an ALTER leave it. A lake of an earlier version has no such note. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "duck/engine.h"
#include "duck/result.h"

/* key: this, and a JSON array of pipeline, topic and the table's label; value: the table_uuid. */
#define PT_IDENTITY_PREFIX "table "
/* key: this, and a JSON array of topic and the table's label; value: the text of the schema that
 * was given last. EPOCH and HEX stand in no catalog, and a schema may be left out where the table
 * exists. */
#define PT_SCHEMA_PREFIX "schema "

typedef struct pt_identity {
    const char *topic, *label, *uuid; /* not owned */
    const char *schema;               /* NULL: the one that is noted stays */
} pt_identity;

typedef struct pt_identities {
    pt_identity *list;
    size_t n;
} pt_identities;

/* All notes of the lake, one statement (or two); the caller clears *out. */
int pt_identities_read(pt_session *session, pt_result *out, pt_error *err) PT_CHECKED;
/* The table_uuid; NULL: there is no note. */
const char *pt_identities_find(const pt_result *notes, const char *pipeline, const char *topic,
                               const char *label);
/* The schema's text; NULL: there is no note. */
const char *pt_identities_find_schema(const pt_result *notes, const char *topic, const char *label);

/* The table_uuid of a table that is there, malloc'd; NULL: none is. */
int pt_identity_of(pt_session *session, const char *schema, const char *table, char **out,
                   pt_error *err) PT_CHECKED;

/* Inside a transaction: writes the notes, in place of those that there are. */
int pt_identities_write(pt_session *session, const char *pipeline, const pt_identities *tables,
                        pt_error *err) PT_CHECKED;

/* What has become of a noted table, and which one has its name now; for an error. */
typedef struct pt_replaced {
    char *was_named; /* the label of now of the noted table; NULL: it was dropped. malloc'd */
    char *first;     /* the label that the other one was made by; malloc'd */
    long long since; /* the snapshot that it was made in */
} pt_replaced;

/* Of the notes' table was, and of the table now (table_uuid). */
int pt_replaced_find(pt_session *session, const char *was, const char *now, pt_replaced *out,
                     pt_error *err) PT_CHECKED;
/* What is to be told of both; malloc'd, NULL without memory. label: the name that both have had. */
char *pt_replaced_text(const pt_replaced *replaced, const char *label);
void pt_replaced_clear(pt_replaced *replaced);
