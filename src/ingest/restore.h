/* Data files that a commit of unknown outcome lost. */
#pragma once

#include "base/error.h"
#include "lake/catalog.h"

/* Brings back those of the table (lake/guard.h), and logs how many. */
int pt_restore_files(pt_catalog *catalog, const pt_table *table, pt_error *err) PT_CHECKED;
