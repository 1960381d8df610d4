/* Whether the tables of a start are those that the ledger speaks of (lake/identity.h). */
#pragma once

#include "ingest/member_internal.h"

/* Tables are open, and has_rows is known. PT_E_LAKE: the ledger has rows for a table in whose place
 * another one is: renamed to it, or made anew, empty or filled by somebody. What the lake has no
 * note of, or what a reset has decided, the next claim notes. */
int pt_same_tables_check(pt_member *member, pt_error *err) PT_CHECKED;
