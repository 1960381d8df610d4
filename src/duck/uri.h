/* The text after ATTACH, taken apart as far as pintail must know it. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "duck/lake_options.h"

typedef struct pt_lake_uri {
    pt_catalog_kind catalog;
    const char *
        rest; /* behind the catalog's prefix: a path or a connection string; points into the text */
    bool is_file; /* rest is the path of a local file */
} pt_lake_uri;

int pt_lake_uri_parse(const char *text, pt_lake_uri *out, pt_error *err) PT_CHECKED;

/* s3://, gs://, https://, ...: not a folder on this machine. */
bool pt_path_is_remote(const char *path);
