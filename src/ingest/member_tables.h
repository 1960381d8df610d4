/* The tables of a member, before it opens them. */
#pragma once

#include "ingest/member_internal.h"
#include "lake/table_open.h"

/* What the table of a route is to be. */
pt_table_options pt_member_tables_options(const pt_ingest_options *options, size_t route);

/* Before anything is made in the lake: schemas, and whether --memory has room for the smallest
 * batch of their tables. */
int pt_member_tables_check(const pt_ingest_options *options, pt_error *err) PT_CHECKED;

/* Before it makes a lake: whether the lake could have these tables. When there is a lake,
 * pt_member_tables_make finds out. */
int pt_member_tables_check_new(const pt_member *member, pt_error *err) PT_CHECKED;

/* Fills member->seen. */
int pt_member_tables_see(pt_member *member, pt_error *err) PT_CHECKED;

/* Makes the tables that are missing, all in one transaction. PT_E_LAKE: one is new, and the ledger
 * has rows of its topic that were read already. */
int pt_member_tables_make(pt_member *member, pt_error *err) PT_CHECKED;
