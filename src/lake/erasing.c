#include "lake/erasing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void pt_erasing_clear(pt_erasing *e) {
    for (size_t i = 0; i < e->n_details; i++) {
        free(e->details[i]);
    }
    free(e->details);
    e->details = NULL;
    e->n_details = 0;
}

int pt_erasing_enter(pt_flush *flush, pt_error *err) {
    pt_erasing *e = flush->erasing;
    size_t n_tables = e->what->n_tables;
    pt_erasing_clear(e); /* of the attempt before */
    e->details = calloc(e->n_cuts * n_tables + 1, sizeof *e->details);
    if (!e->details) {
        return pt_fail_nomem(err, "the ledger rows of a reset");
    }
    for (size_t i = 0; i < e->n_cuts * n_tables;
         i++) { /* entries go by partitions, what is erased by tables */
        pt_ledger_entry *entry = &flush->entries[i];
        const pt_cut *cut = &e->cuts[i / n_tables];
        const pt_erased *x = &e->erased[(i % n_tables) * e->n_cuts + i / n_tables];
        entry->rows = -x->ledger_rows;
        entry->dead_letters = -x->ledger_dead_letters;
        if (asprintf(&e->details[i],
                     "{\"deleted_from\": %" PRId64 ", \"deleted_until\": %" PRId64
                     ", \"rows\": %" PRId64 ", \"dead_letters\": %" PRId64 "}",
                     cut->from, cut->until, x->rows, x->dead_letters) < 0) {
            e->details[i] = NULL;
            return pt_fail_nomem(err, "the ledger rows of a reset");
        }
        e->n_details = i + 1;
        entry->detail = e->details[i];
    }
    return PT_OK;
}
