/* A table of the lake that rows go to: its columns, and where its staged files lie.
 *
 * Immutable once open; any thread may read it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "columns/schema.h"
#include "duck/engine.h"
#include "duck/result.h"
#include "lake/settings.h"

/* Metadata columns, in this order behind the schema's columns in every pt_rows of a target. */
typedef enum pt_meta {
    PT_META_PARTITION,   /* _kafka_partition INTEGER */
    PT_META_OFFSET,      /* _kafka_offset BIGINT */
    PT_META_TIMESTAMP,   /* _kafka_timestamp TIMESTAMPTZ, NULL when the record has none */
    PT_META_INGEST_TIME, /* ingest_time TIMESTAMPTZ */
    PT_META_TOPIC,       /* _kafka_topic VARCHAR; this and what follows when asked for, or there */
    PT_META_KEY,         /* _kafka_key BLOB, NULL when the record has none */
    PT_META_HEADERS, /* _kafka_headers STRUCT(key VARCHAR, value BLOB)[], empty when it has none */
    PT_META_COUNT
} pt_meta;

/* A set of metadata columns: bit 1 << pt_meta. */
typedef unsigned pt_metas;
#define PT_METAS_ALWAYS                                                               \
    ((1U << PT_META_PARTITION) | (1U << PT_META_OFFSET) | (1U << PT_META_TIMESTAMP) | \
     (1U << PT_META_INGEST_TIME))

typedef struct pt_table_options {
    const char *table; /* name or schema.name; a part with dots of its own is written "in quotes" */
    const char *schema_text; /* columns; NULL: the table has to be there */
    const pt_result
        *notes; /* without schema_text: of the schema that was given last for the topic and the
                   table (pt_identities_read), what no catalog keeps still holds; or NULL */
    const char *topic; /* that is to feed it: when the ledger knows rows of another one in it, it
                          gets and needs _kafka_topic; NULL: not looked for */
    const struct pt_seen
        *seen;      /* of all tables of the start; NULL: the lake is asked for this one */
    pt_metas extra; /* the table gets and needs these beside PT_METAS_ALWAYS; it may have others,
                       which are filled, too */
} pt_table_options;

/* A column by whose values themselves a table is partitioned (lake/partition.h). */
typedef struct pt_partition_key {
    size_t column;
    size_t room; /* bytes that a value may take in its folder's name; SIZE_MAX: no folders */
    bool no_nul; /* the catalog keeps no NUL */
} pt_partition_key;

/* How rows go into a table. */
typedef enum pt_way {
    PT_WAY_INSERT, /* by INSERT: DuckLake writes the files (partitioned and sorted tables, encrypted
                      lakes) */
    PT_WAY_REGISTER /* staged files are registered; few rows are inserted and stay in the catalog
                       (lake/inlined.h) */
} pt_way;

typedef struct pt_table {
    char *schema_name, *name;
    char *label;        /* schema.name for messages and the ledger ("name" alone in schema main) */
    pt_schema *schema;  /* what the decoder fills */
    pt_type *types;     /* [n_columns] the layout of the rows: schema, then metadata; nested parts
                           belong to schema, or are static */
    const char **names; /* [n_columns] */
    size_t n_columns;
    pt_metas metas;                /* its metadata columns */
    size_t meta_at[PT_META_COUNT]; /* index of each; SIZE_MAX: not there */
    char *folder; /* data_path + schema path + table path, as the catalog spells them; ends with '/'
                   */
    pt_way way;
    bool encrypted;            /* the lake is: nothing that quotes a record is logged */
    bool shows_files;          /* the lake tells which files an INSERT wrote, so they are guarded
                                  (lake/guard.h); a column named filename or snapshot_id hides it */
    bool dead_letters;         /* it is pintail.dead_letters */
    bool inline_unfit;         /* DuckLake does not keep an inlined row of it as it is */
    size_t inline_rows;        /* DuckLake keeps an INSERT of at most so many rows in the catalog
                                  (lake/inlined.h); 0: none */
    pt_lake_settings settings; /* the lake's settings for it, as they were when it was opened */
    bool has_rows;             /* when looked for */
    pt_partition_key *keys;    /* [n_keys] */
    size_t n_keys;
    int64_t table_id, shape; /* by which the table is known again (lake/shape.h) */
    char uuid[40]; /* its table_uuid, which is its own in whatever lake (lake/identity.h) */
} pt_table;

/* What can be said of the options without looking at a lake: the schema text and its columns. */
int pt_table_check(const pt_table_options *options, pt_error *err) PT_CHECKED;

/* Whether the table could be made in a new lake with such a catalog, in which few rows stay in the
 * catalog (inlining) or do not; looks at no lake. PT_E_USAGE. */
int pt_table_check_names(const pt_table_options *options, pt_catalog_kind catalog, bool inlining,
                         pt_error *err) PT_CHECKED;

/* What pt_table_open would do. */
typedef struct pt_table_planned {
    char *missing;  /* the label of a table that is to be made, malloc'd; NULL: it is there */
    pt_metas metas; /* that it gets then */
} pt_table_planned;

/* When the table is missing, adds the statements that make it to sql, and makes nothing.
 * PT_E_USAGE: it cannot be made, with a name that the catalog cannot take among the reasons. */
int pt_table_plan(pt_engine *engine, pt_session *session, const pt_table_options *options,
                  pt_table_planned *out, pt_text *sql, pt_error *err) PT_CHECKED;

/* Makes all the tables of sql in one transaction; sql may be empty. what: their names, for
 * messages. */
int pt_tables_make(pt_engine *engine, pt_session *session, const char *what, pt_text *sql,
                   pt_error *err) PT_CHECKED;

/* The types of metadata columns; out: [PT_META_COUNT]. Returns how many. */
size_t pt_table_meta_types(pt_metas metas, pt_type *out);

/* Opens the table, makes it when it is missing. PT_E_USAGE when the table does not fit what was
 * asked for. */
int pt_table_open(pt_engine *engine, pt_session *session, const pt_table_options *options,
                  pt_table **out, pt_error *err) PT_CHECKED;

/* Fills has_rows: reads the table, so its files must be there (lake/guard.h:
 * pt_guards_restore_table). */
int pt_table_look_for_rows(pt_engine *engine, pt_session *session, pt_table *target,
                           pt_error *err) PT_CHECKED;

/* A table of pintail's own (schema pintail), with exactly the columns of schema_text and no
 * metadata columns. */
int pt_table_open_own(pt_engine *engine, pt_session *session, const char *name,
                      const char *schema_text, pt_table **out, pt_error *err) PT_CHECKED;

/* A table that nothing is written into: where it lies and by what it is known, without columns. */
int pt_table_open_place(pt_engine *engine, pt_session *session, const char *schema,
                        const char *name, pt_table **out, pt_error *err) PT_CHECKED;

void pt_table_free(pt_table **target);

/* Its files may lie in folders below its own, as those of a partitioned table do. */
bool pt_table_has_subfolders(const pt_table *table);
/* DuckLake would keep few rows of it in the catalog, where they do not stay as they are: the lake
 * has to forbid that for the table (pt_inlined_forbid). */
bool pt_table_spoils_inlined(const pt_table *table);

/* "lake"."main"."orders" */
void pt_table_add_sql_name(const pt_table *target, const pt_engine *engine, pt_text *sql);
