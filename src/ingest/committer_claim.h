/* Claims: partitions become this process's. */
#pragma once

#include "ingest/committer.h"
#include "ingest/inbox.h"

/* Answers an ask, or puts a claim back for another attempt. */
void pt_committer_claim(pt_committer *committer, pt_ask *ask);
