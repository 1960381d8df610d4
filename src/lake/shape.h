/* The shape of a table, as far as a batch is decoded by it: the table itself and its columns with
 * their types, nullness and defaults, and its partitions. DuckLake notes a snapshot for a table in
 * ducklake_schema_versions whenever one of these changes, so that two numbers tell: the table's id,
 * and the newest of these snapshots. */
#pragma once

#include "lake/flush.h"

/* Fills table_id, uuid and shape of the target; -1 and "" when there is no such table. To be read
 * before the columns are: what changes in between is noticed later then. */
int pt_shape_read(pt_session *session, pt_table *table, pt_error *err) PT_CHECKED;

/* Inside a transaction: the tables of the flush are those that were opened. PT_E_LAKE_CHANGED: one
 * was altered. PT_E_LAKE: one is gone, or has another name. */
int pt_shapes_check(pt_session *session, const pt_flush *flush, pt_error *err) PT_CHECKED;
