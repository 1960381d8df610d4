/* ATTACH of a lake: its folders, the statement for each catalog, and what a refusal means. */
#pragma once

#include "lake/engine.h"
#include "lake/lake_uri.h"

/* uri is that of options->lake. Makes missing folders if options->create. PT_E_LAKE_BUSY: the catalog file is open elsewhere. */
int pt_attach(pt_session *session, const char *alias, const pt_lake_options *options, const pt_lake_uri *uri, pt_error *err) PT_CHECKED;
