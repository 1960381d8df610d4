/* What an implementation of a catalog gives, and what all of them share. Not for ingest. */
#pragma once

#include "lake/catalog.h"

typedef struct pt_catalog_ops {
    const char *name;
    bool erases; /* commit heeds flush->erasing; else the shared part refuses such a flush */
    /* pt_catalog_look and pt_catalog_open, of a lake of its kind. open leaves *out NULL when it
     * fails. */
    int (*look)(const pt_lake_options *options, bool *there, pt_error *err);
    int (*open)(const pt_lake_options *options, const char *pipeline, const char *owner,
                pt_catalog **out, pt_error *err);
    /* What lake/catalog.h says of the functions of these names, without the checks that need no
     * catalog: claims and their positions are the shared part's. */
    int (*claim)(pt_catalog *catalog, const pt_claiming *what, pt_error *err);
    int (*look_back)(pt_catalog *catalog, pt_error *err);
    pt_outcome (*commit)(pt_catalog *catalog, pt_flush *flush, pt_error *err);
    /* Where the ledger is read after the fence, catalog->claims get their new positions. */
    pt_outcome (*settle)(pt_catalog *catalog, pt_flush *flush, pt_error *err);
    int (*inspect)(pt_catalog *catalog, const pt_flush *flush, pt_error *err); /* NULL: nothing */
    pt_outcome (*upkeep)(pt_catalog *catalog, pt_upkeep *what, pt_error *err);
    int64_t (*tend_at)(const pt_catalog *catalog);                           /* NULL: never */
    pt_session *(*session)(pt_catalog *catalog);                             /* NULL: it has none */
    int (*limit_memory)(pt_catalog *catalog, uint64_t bytes, pt_error *err); /* NULL: no session */
    int (*plan_table)(pt_catalog *catalog, const pt_table_options *options, pt_table_planned *out,
                      pt_text *to_make, pt_error *err);
    int (*make_tables)(pt_catalog *catalog, const char *what, pt_text *to_make, pt_error *err);
    int (*open_table)(pt_catalog *catalog, const pt_table_options *options, pt_table **out,
                      pt_error *err);
    int (*open_own)(pt_catalog *catalog, const char *name, const char *schema_text, pt_table **out,
                    pt_error *err);
    int (*open_place)(pt_catalog *catalog, const char *schema, const char *name, pt_table **out,
                      pt_error *err); /* NULL where it does not erase */
    int (*look_for_rows)(pt_catalog *catalog, pt_table *table, pt_error *err);
    void (*close)(pt_catalog *catalog); /* frees the catalog itself */
} pt_catalog_ops;

/* The first member of an implementation's own struct. */
struct pt_catalog {
    const pt_catalog_ops *ops;
    char *pipeline, *owner; /* owned; pipeline NULL: not named yet */
    pt_table *ledger;       /* owned; NULL: its rows are never folded */
    uint64_t conflicts;
    pt_claim *claims; /* [n_claims] what this process owns, topic names owned too; next_offset: what
                         is committed */
    size_t n_claims;
};

/* The implementations; lake/catalogs.c says which lake gets which. */
extern const pt_catalog_ops pt_catalog_ducklake;

/* The shared part. On failure, too, pt_catalog_end is due. */
int pt_catalog_begin(pt_catalog *catalog, const pt_catalog_ops *ops, const char *pipeline,
                     const char *owner, pt_error *err) PT_CHECKED;
void pt_catalog_end(pt_catalog *catalog);

/* NULL: not ours. Valid until the next claim or release. */
pt_claim *pt_catalog_find_claim(const pt_catalog *catalog, const char *topic, int32_t partition);
