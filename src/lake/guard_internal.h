/* What the files about guards share: guard.c makes, restores and drops them, guard_fold.c finds the
 * files of a fold, guard_keep.c keeps guards for a while. */
#pragma once

#include "duck/result.h"
#include "lake/guard.h"

#define PT_FILE_PREFIX   "ducklake-"
#define PT_FILE_SUFFIX   ".parquet"
#define PT_DELETE_SUFFIX "-delete.parquet"

/* Path of the guard for a data file, malloc'd. */
int pt_guard_name(const pt_table *table, const char *file, char **out, pt_error *err) PT_CHECKED;

/* Forgets what it held and makes room for n files. */
int pt_guarded_begin(pt_guarded *guarded, size_t n, pt_error *err) PT_CHECKED;
/* In the transaction: fsyncs and guards the file, and notes it in *guarded, which has room.
 * PT_E_LAKE_BUSY when it is gone: somebody took it for an orphan, and the next attempt writes
 * another. */
int pt_guard_add(pt_session *session, const pt_table *table, const char *file, pt_guarded *guarded,
                 pt_error *err) PT_CHECKED;
/* After the last one: fsyncs the folder that the guards are in, on a local disk. */
int pt_guarded_sync(const pt_table *table, const pt_guarded *guarded, pt_error *err) PT_CHECKED;
/* Copies of objects may take long all together: keeps the sessions of the transaction from seeming
 * idle. */
int pt_guard_awake(pt_session *session, const char *file, pt_error *err) PT_CHECKED;

/* Where the file is not there, or is not as long as its guard, it is there afterwards; *restored is
 * counted up then. */
int pt_guard_restore(pt_session *session, const char *guard, const char *file, uint64_t *restored,
                     pt_error *err) PT_CHECKED;

/* The code of an error of the transaction: PT_E_LAKE_BUSY, with another text, when it is about a
 * data file that somebody has just taken for an orphan. */
int pt_guard_taken(const pt_table *table, pt_error *err) PT_CHECKED;
