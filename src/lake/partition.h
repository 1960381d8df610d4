/* Values that a partitioned table cannot take. DuckLake makes a folder key=value of each, and keeps
 * the value as text in the catalog: what fails there ends a whole flush, at each start anew, and
 * what fails in COMMIT looks like an unknown outcome. So rows are looked at before they are in a
 * batch. */
#pragma once

#include "columns/rows.h"
#include "duck/engine.h"
#include "lake/table.h"

/* Fills keys and n_keys of a target whose schema is known: partitions by the value itself of a
 * column whose text has no bound. */
int pt_partition_open(pt_session *session, pt_table *table, pt_error *err) PT_CHECKED;

/* Whether the open row has a value that one of the keys refuses; text says which and why then.
 * target->n_keys is more than 0. */
bool pt_partition_refuses(const pt_table *table, const pt_rows *rows, char *text, size_t size);
