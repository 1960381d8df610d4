/* ATTACH of a lake: its folders, the statement for each catalog, and what a refusal means. */
#pragma once

#include "base/error.h"
#include "duck/lake_options.h"
#include "duck/uri.h"

/* What can be said of alias and data path without opening anything. PT_E_USAGE. */
int pt_attach_check(const pt_lake_options *options, pt_error *err) PT_CHECKED;

/* uri is that of options->lake. Makes missing folders if options->create. PT_E_USAGE: alias, data
 * path or kind of catalog are wrong. PT_E_LAKE_BUSY: the catalog file is open elsewhere. */
int pt_attach(pt_session *session, const char *alias, const pt_lake_options *options,
              const pt_lake_uri *uri, pt_error *err) PT_CHECKED;
