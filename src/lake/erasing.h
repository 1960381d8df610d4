/* The part of a flush that takes rows back.
 *
 * In the transaction of each attempt, before the message and the ledger's rows, the catalog counts
 * what goes, calls pt_erasing_enter, and deletes from the tables of `what` and from
 * pintail.dead_letters. */
#pragma once

#include "lake/erase.h"
#include "lake/flush.h"

typedef struct pt_erasing {
    const pt_erase *what;
    const pt_cut *cuts; /* [n_cuts] */
    size_t n_cuts;
    pt_erased *erased; /* out, of the last attempt: [n_tables * n_cuts], table by table */
    char **details;    /* [n_details] owned: of the flush's entries */
    size_t n_details;
} pt_erasing;

/* Writes what was counted into the flush's ledger entries. These go by cuts, and for each cut by
 * tables. */
int pt_erasing_enter(pt_flush *flush, pt_error *err) PT_CHECKED;
void pt_erasing_clear(pt_erasing *erasing);
