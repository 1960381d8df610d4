/* What a refused ATTACH means: the innermost reason of DuckDB's stack of texts, and what to do
 * about it. */
#pragma once

#include "duck/engine.h"
#include "duck/uri.h"

/* Ends the text of a failure that may only mean that another process was making the catalog, or had
 * a lock on it, at that moment: worth another try. */
#define PT_ATTACH_RACED "; another process may be at it"

/* Begins the text when the catalog has no DuckLake. */
#define PT_ATTACH_NONE "there is no DuckLake at "
/* Of a new lake without --data-path. */
#define PT_ATTACH_NO_DATA_PATH \
    "lake %s is new, and its catalog does not say where its Parquet files go: give --data-path"

/* Is in the text when it has not even a file. */
#define PT_ATTACH_NO_FILE " does not exist; check --lake and the working directory"

/* Rewrites err, whose text is DuckDB's, to one line; gives back its code. The code stays, but for
 * what is wrong in the options: PT_E_USAGE. */
int pt_attach_failed(const pt_lake_options *options, const pt_lake_uri *uri,
                     pt_error *err) PT_CHECKED;
