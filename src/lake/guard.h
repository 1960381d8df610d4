/* Guards: a second name (hard link; on an object store a copy) for each Parquet file that an INSERT wrote, from before COMMIT until its outcome is known.
 *
 * DuckLake deletes what an INSERT wrote when COMMIT fails, also when only the answer was lost and the server has committed (DESIGN 4.4): the lake then names files
 * that are gone. Staged files are not touched by that; tables that cannot take those (partitioned ones) get guards. A guard is <uuid>.pq in the table's own folder,
 * with the uuid of ducklake-<uuid>.parquet: one that a dead process left is a leftover like any other, and can be matched with the catalog. */
#pragma once

#include <stdint.h>

#include "lake/flush.h"

/* In the transaction, after the INSERT of the part from pintail_rows(slot): fsyncs and guards its files. The part has no guards of an earlier attempt. */
int pt_guard_part(pt_engine *engine, pt_session *session, pt_part *part, size_t slot, pt_error *err) PT_CHECKED;

/* The flush is in the lake: brings back what is gone. */
int pt_guards_restore(pt_session *session, const pt_flush *flush, pt_error *err) PT_CHECKED;

/* The outcome is known and the files are where they belong: the guards go. Not in a transaction; one that cannot be removed now is a leftover. */
void pt_guards_drop(pt_session *session, pt_flush *flush);

/* At the start: brings back files of the table that the catalog names and that are gone, by guards that a dead process left. Drops none. */
int pt_guards_mend(pt_engine *engine, pt_session *session, const pt_target *target, uint64_t *restored, pt_error *err) PT_CHECKED;
