/* Guards: a second name (hard link; on an object store a copy) for each Parquet file that DuckLake
 * wrote in a transaction (by an INSERT, or in folding, lake/inlined.h), from before COMMIT until
 * its outcome is known.
 *
 * DuckLake deletes what it wrote when COMMIT fails, also when only the answer was lost and the
 * server has committed: the lake then names files that are gone. Staged files are not
 * touched by that. A guard is guard-<uuid>-<mark>-<tag>.pq (lake/file_mark.h) in the table's own
 * folder, with the uuid of ducklake-<uuid>.parquet or ducklake-<uuid>-delete.parquet, and a tag of
 * this process, so that nobody drops the guard of another: one that a dead process left is a
 * orphan like any other, and can be matched with the catalog. */
#pragma once

#include <stdint.h>

#include "lake/flush.h"

#define PT_GUARD_PREFIX "guard-"
#define PT_GUARD_TAG    9 /* characters of "-<tag>" */

/* The next three note the files in *guarded and forget what it held of an earlier attempt. */

/* In the transaction, after the INSERT of rows from pintail_rows(slot): fsyncs and guards its
 * files; rows that stay in the catalog have none. */
int pt_guard_insert(pt_session *session, const pt_table *table, size_t slot, pt_guarded *guarded,
                    pt_error *err) PT_CHECKED;

/* In the transaction, after folding, which wrote files of that many rows in all (0: none) since
 * start_us (wall clock): fsyncs and guards them. */
int pt_guard_fold(pt_session *session, const pt_table *table, int64_t start_us, int64_t rows,
                  pt_guarded *guarded, pt_error *err) PT_CHECKED;

/* In the transaction, after a DELETE since start_us (wall clock): fsyncs and guards the delete
 * files that it wrote. Those of another process that deletes at the same time may be among them,
 * which does no harm. */
int pt_guard_deletes(pt_session *session, const pt_table *table, int64_t start_us,
                     pt_guarded *guarded, pt_error *err) PT_CHECKED;

/* What was written is in the lake: brings back files that are gone. */
int pt_guards_restore(pt_session *session, const pt_table *table, const pt_guarded *guarded,
                      pt_error *err) PT_CHECKED;

/* The outcome is known and the files are where they belong: the guards go, and *guarded is empty.
 * Not in a transaction; one that cannot be removed now is an orphan. */
void pt_guards_drop(pt_session *session, const pt_table *table, pt_guarded *guarded);

/* Brings back files of the table that the catalog names and that are gone, by guards: those that a
 * dead process left, or our own when the outcome is not known otherwise. Drops none. */
int pt_guards_restore_table(pt_session *session, const pt_table *table, uint64_t *restored,
                            pt_error *err) PT_CHECKED;
