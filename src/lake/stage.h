/* Staging: the rows of a flush become Parquet files of pintail's own, durable before the commit
 * mentions them.
 *
 * A pt_stager has a DuckDB of its own, without the lake, so that a catalog in trouble does not hold
 * up encoding, and is used by one thread. */
#pragma once

#include "lake/flush.h"

typedef struct pt_stager pt_stager;

/* options: the lake's own (for init_sql, memory and threads); nothing is attached. remote: files go
 * to an object store. */
int pt_stager_open(const pt_lake_options *options, bool remote, pt_stager **out,
                   pt_error *err) PT_CHECKED;
void pt_stager_close(pt_stager **stager);

/* Writes <uuid>-<mark>.pq (lake/file_mark.h) into the folder of each slice that is worth it (a
 * small one is inserted: lake/inlined.h), fsyncs file and folder, and notes the path in the slice.
 * It leaves a staged slice alone, so a call after a failure continues where that one stopped. A
 * failure leaves no file behind, as far as can be known: an object store may keep one whose upload
 * seemed to fail. */
int pt_stage(pt_stager *stager, pt_flush *flush, pt_error *err) PT_CHECKED;

/* Stages one slice while its rows are still being written (pt_rows_share); returns when they are
 * finished. What fails here, or was given up, is not staged, and no file of it is left: pt_stage
 * does what is missing once the flush has been sealed. */
int pt_stage_ahead(pt_stager *stager, pt_flush *flush, size_t slice, pt_error *err) PT_CHECKED;

pt_session *pt_stager_session(pt_stager *stager);

/* Removes the staged files of a flush that is not going to be committed; one that cannot be removed
 * now is an orphan for later (lake/orphans.h). session: for objects, as pt_files_remove wants it;
 * NULL when there is none. */
void pt_unstage(pt_session *session, pt_flush *flush);
