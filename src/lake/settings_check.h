/* A commit's look at the settings of the tables that it writes to. */
#pragma once

#include "duck/engine.h"
#include "lake/table.h"

/* In a transaction, one statement: what the lake says of the tables is what they were opened with.
 * PT_E_LAKE_CHANGED: it is not. PT_E_LAKE: the lake was migrated to another version. */
int pt_settings_check(pt_session *session, const pt_table *const *tables, size_t n,
                      pt_error *err) PT_CHECKED;
