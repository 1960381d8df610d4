/* Which implementation writes into which kind of catalog. Another one is a line of this table. */
#include "duck/uri.h"
#include "lake/catalog_ops.h"

/* DuckDB itself says so where it has no extension for a kind. */
static const pt_catalog_ops *const implementations[] = {
    [PT_CATALOG_DUCKDB] = &pt_catalog_ducklake,     [PT_CATALOG_SQLITE] = &pt_catalog_ducklake,
    [PT_CATALOG_POSTGRES] = &pt_catalog_ducklake,   [PT_CATALOG_MYSQL] = NULL,
    [PT_CATALOG_MOTHERDUCK] = &pt_catalog_ducklake, [PT_CATALOG_QUACK] = &pt_catalog_ducklake,
};

static int choose(const pt_lake_options *options, const pt_catalog_ops **out, pt_error *err) {
    pt_lake_uri uri;
    PT_TRY(pt_lake_uri_parse(options->lake, &uri, err));
    *out = implementations[uri.catalog];
    if (!*out) {
        return pt_fail(err, PT_E_USAGE,
                       "--lake: nothing can be written into a lake on MySQL or MariaDB yet, since "
                       "DuckLake cannot change rows of such a catalog; use a "
                       "PostgreSQL, SQLite or DuckDB-file catalog (check and sql read this one)");
    }
    return PT_OK;
}

int pt_catalog_check(const pt_lake_options *options, pt_error *err) {
    const pt_catalog_ops *ops;
    return choose(options, &ops, err);
}

int pt_catalog_look(const pt_lake_options *options, bool *there, pt_error *err) {
    const pt_catalog_ops *ops;
    *there = false;
    PT_TRY(choose(options, &ops, err));
    return ops->look(options, there, err);
}

int pt_catalog_open(const pt_lake_options *options, const char *pipeline, const char *owner,
                    pt_catalog **out, pt_error *err) {
    const pt_catalog_ops *ops;
    *out = NULL;
    PT_TRY(choose(options, &ops, err));
    return ops->open(options, pipeline, owner, out, err);
}
