/* Whether the tables that a member opens are those of the ledger's rows (lake/identity.h). */
#pragma once

#include "ingest/member_internal.h"

/* When the tables are open, and has_rows is known. PT_E_LAKE: the ledger counts rows of a table,
 * and now another table has its name: somebody renamed that one, or made a new one. The next claim
 * notes which table it is where the lake has no note yet, or where a reset has decided it. */
int pt_same_tables_check(pt_member *member, pt_error *err) PT_CHECKED;
