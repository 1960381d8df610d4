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

void pt_table_free(pt_table **target);

/* Its files may lie in folders below its own, as those of a partitioned table do. */
bool pt_table_has_subfolders(const pt_table *table);
/* DuckLake would keep few rows of it in the catalog, where they do not stay as they are: the lake
 * has to forbid that for the table (pt_inlined_forbid). */
bool pt_table_spoils_inlined(const pt_table *table);

/* "lake"."main"."orders" */
void pt_table_add_sql_name(const pt_table *table, const pt_session *session, pt_text *sql);
