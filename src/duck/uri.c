#include "duck/uri.h"

#include <string.h>

#include "base/redact.h"

static const struct {
    const char *prefix;
    pt_catalog_kind catalog;
    bool is_file;
} kinds[] = {
    {"sqlite:", PT_CATALOG_SQLITE, true},        {"postgres:", PT_CATALOG_POSTGRES, false},
    {"postgresql:", PT_CATALOG_POSTGRES, false}, {"mysql:", PT_CATALOG_MYSQL, false},
    {"md:", PT_CATALOG_MOTHERDUCK, false},       {"quack:", PT_CATALOG_QUACK, false},
    {"duckdb:", PT_CATALOG_DUCKDB, true},
};

int pt_lake_uri_parse(const char *text, pt_lake_uri *out, pt_error *err) {
    if (strncmp(text, "ducklake:", 9) != 0) {
        return pt_fail(
            err, PT_E_USAGE,
            "--lake '%s' is no DuckLake: write what follows ATTACH, such as "
            "ducklake:sqlite:metadata/lake.sqlite, "
            "ducklake:metadata/lake.ducklake or 'ducklake:postgres:dbname=lake host=...'",
            pt_redacted(text).text);
    }
    const char *rest = text + 9;
    *out = (pt_lake_uri){.catalog = PT_CATALOG_DUCKDB, .rest = rest, .is_file = true};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].prefix);
        if (strncmp(rest, kinds[i].prefix, n) == 0) {
            *out = (pt_lake_uri){.catalog = kinds[i].catalog,
                                 .rest = rest + n,
                                 .is_file = kinds[i].is_file};
        }
    }
    if (*out->rest == '\0' && out->catalog != PT_CATALOG_MOTHERDUCK) {
        return pt_fail(err, PT_E_USAGE,
                       "--lake '%s' names no catalog: a file or a connection string has to follow",
                       pt_redacted(text).text);
    }
    return PT_OK;
}

bool pt_path_is_remote(const char *path) {
    return strstr(path, "://") != NULL;
}
