/* A flush that the lake refuses for a reason that waiting does not change. The committer's thread
 * commits it in pieces, in the order of the offsets, each with ledger rows of its own
 * (ingest/pieces.h). By halving it finds the record that is refused. */
#pragma once

#include "ingest/committer.h"

typedef enum pt_halved {
    PT_HALVED_COMMITTED, /* all of it, in pieces */
    PT_HALVED_ENDED,     /* err says why the member ends. PT_E_REFUSED: all before the record is
                            committed, and its tally has noted it (ingest/account.h) */
} pt_halved;

/* The outcome of the flush is settled: it has not landed. why: DuckLake's words. */
pt_halved pt_halve(pt_committer *committer, const pt_flush *flush, const pt_error *why,
                   pt_error *err);
