/* One batch: its flush is committed, or the reason is found why it is not. */
#pragma once

#include "ingest/batches.h"
#include "ingest/committer.h"

/* Commits the batch, or gives it up. */
void pt_committer_commit(pt_committer *committer, pt_batch *batch);
