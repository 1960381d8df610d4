/* What a refused ATTACH means: the innermost reason of DuckDB's stack of texts, and what to do about it. */
#pragma once

#include "lake/engine.h"
#include "lake/lake_uri.h"

/* Rewrites err, whose text is DuckDB's, to one line; gives back its code. The code stays, but for what is wrong in the options: PT_E_USAGE. */
int pt_attach_failed(const pt_lake_options *options, const pt_lake_uri *uri, pt_error *err) PT_CHECKED;
