/* The main job: topics -> rows -> staged files -> one transaction a flush, exactly once.
 *
 * Three threads, one way: the reader (the caller's thread) polls Kafka and decodes into a batch;
 * the stager writes its Parquet files; the committer registers them with dead letters and offsets
 * in one transaction. Three batches go round, so the reader waits only when two are under way. */
#pragma once

#include "base/error.h"
#include "ingest/options.h"

/* Runs until the end, a signal, or an error. PT_OK: everything that was read is committed. */
int pt_ingest(const pt_ingest_options *options, pt_error *err) PT_CHECKED;
