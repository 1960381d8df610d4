/* What a refused ATTACH means: the innermost reason of DuckDB's stack of texts, and what to do
 * about it. */
#pragma once

#include "base/error.h"
#include "duck/lake_options.h"
#include "duck/uri.h"

/* A new lake without --data-path: PT_E_USAGE, PT_WHY_NO_DATA_PATH. */
int pt_attach_no_data_path(const pt_lake_options *options, pt_error *err) PT_CHECKED;

/* Rewrites err, whose text and reasons are those of DuckDB's message, to one line; returns its
 * code. The code stays, but for what is wrong in the options: PT_E_USAGE. Reasons: PT_WHY_NO_LAKE,
 * _RACED, _HELD, _OTHER_VERSION, _NO_DATA_PATH, _OTHER_DATA_PATH. */
int pt_attach_failed(const pt_lake_options *options, const pt_lake_uri *uri,
                     pt_error *err) PT_CHECKED;
