/* A flush that DuckLake refuses for a reason that waiting cannot mend: its parts are committed in
 * the order of the offsets, each with its own ledger rows, and by halving, until the record that is
 * refused is found. The committer's thread. */
#pragma once

#include "ingest/committer_thread.h"

typedef enum pt_halved {
    PT_HALVED_COMMITTED, /* all of it, in pieces */
    PT_HALVED_ENDED, /* err says why the life ends: PT_E_REFUSED after all that stands before the
                        record is committed and w->refused was told, else the run fails */
} pt_halved;

/* The outcome of the flush is settled: it has not landed. why: DuckLake's words. */
pt_halved pt_halve(pt_committer_thread *thread, const pt_flush *flush, const pt_error *why,
                   pt_error *err);
