/* The pieces of a flush: prefixes in the order of its ledger rows and offsets, each with ledger
 * rows of its own, that can be committed one after the other (ingest/halving.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lake/flush.h"

/* A row or a dead letter of the flush. */
typedef struct pt_item {
    size_t entry;
    int64_t offset;
} pt_item;

typedef struct pt_items {
    pt_item *all;
    size_t n;
} pt_items;

typedef struct pt_pieces {
    const pt_flush *flush;
    pt_items rows, dead; /* in the order of the entries and offsets */
    pt_item from;        /* what lies before is committed */
    size_t *first_row;   /* [n_slices] the first of `rows` that is of the table; rows.n: none */
    bool *passed; /* [n_slices] a row of the table has been committed, or nothing can show that one
                     would */
    pt_item *suspects;  /* [flush->n_suspects] their places, in order */
    size_t *suspect_of; /* [flush->n_suspects] the slice of each */
} pt_pieces;

/* By entry, then by offset; of pt_item. */
int pt_item_compare(const void *a, const void *b);
/* Fills rows, dead, first_row, passed and the suspects. pt_pieces_clear also after a failure. */
int pt_pieces_list(pt_pieces *pieces, pt_error *err) PT_CHECKED;
void pt_pieces_clear(pt_pieces *pieces);
/* The slice that the rows of an entry are in. */
size_t pt_pieces_slice_of(const pt_flush *flush, size_t entry);
/* What lies from pieces->from up to `until`, which is not in it. The caller frees *out. */
int pt_pieces_make(const pt_pieces *pieces, pt_item until, pt_flush **out,
                   pt_error *err) PT_CHECKED;
