/* One flush: what goes into the lake in one transaction. Ingest fills it, stages it, then
 * committed.
 *
 * It belongs to one thread at a time and is handed on whole: reader -> stager -> committer ->
 * reader. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "columns/rows.h"
#include "duck/uuid.h"
#include "lake/ledger.h"
#include "lake/table.h"

/* Files that DuckLake wrote and whose COMMIT's outcome is not known yet (lake/guard.h). */
typedef struct pt_guarded {
    char **files; /* [n] owned */
    size_t n;
} pt_guarded;

void pt_guarded_clear(pt_guarded *guarded);

/* Rows for one table. */
typedef struct pt_slice {
    const pt_table *table;
    pt_rows *rows; /* owned */
    char *staged; /* path of the staged file, as the lake is to know it; NULL: no rows, or INSERT */
    pt_guarded guarded;
    char *piece; /* owned; of a piece of a flush: the condition of its rows, in SQL; NULL: all of
                    them */
    size_t piece_rows; /* how many fulfil it */
} pt_slice;

/* A dead letter of a flush: a record that the lake refused at a time when it had taken no other one
 * of the table, so that the fault may be the table's. Only a row of that table that lands with it,
 * or before, tells. */
typedef struct pt_suspect {
    const char *topic;
    int32_t partition;
    int64_t offset;
    size_t slice; /* of the flush: the table */
} pt_suspect;

typedef struct pt_flush {
    pt_slice *slices; /* [n_slices] owned */
    size_t n_slices;
    size_t dead_letters;      /* which slice is that of pintail.dead_letters; SIZE_MAX: none */
    pt_ledger_entry *entries; /* [n_entries] owned; a flush without one is not committed; those of
                                 one partition stand together, in order */
    size_t n_entries, cap_entries;
    pt_suspect *suspects; /* [n_suspects] owned; mostly none */
    size_t n_suspects;
    struct pt_erasing *erasing; /* not owned: rows that it takes back (lake/erasing.h), from the
                                   tables of its slices; NULL: none */
    bool to_files; /* none of its rows may stay in the catalog (lake/inlined.h): that has failed */
    char commit_id[PT_UUID_SIZE]; /* out: of the commit, in the ledger and in the snapshot; the
                                     catalog gives it at the first attempt, "" before */
    int64_t stage_us, commit_us;  /* out: how long it took */
} pt_flush;

int pt_flush_new(const pt_table *const *tables, size_t n_tables, pt_flush **out,
                 pt_error *err) PT_CHECKED;
void pt_flush_free(pt_flush **flush);
/* Empties it for use again and keeps no more than keep_bytes of its memory (more than 0). Staged
 * files and guards are not touched. */
void pt_flush_reset(pt_flush *flush, size_t keep_bytes);
/* Rows that go into the lake. */
size_t pt_slice_rows(const pt_slice *slice);
/* " WHERE ..." of a piece. */
void pt_slice_add_where(const pt_slice *slice, pt_text *sql);
/* A piece of a flush, without entries: its slices have the same rows, which stay the flush's. The
 * caller fills the entries and the pieces of the slices. */
int pt_flush_piece_new(const pt_flush *flush, pt_flush **out, pt_error *err) PT_CHECKED;
void pt_flush_piece_free(pt_flush **piece);
/* A new entry at the end; NULL without memory. Earlier pointers become invalid. */
pt_ledger_entry *pt_flush_add_entry(pt_flush *flush);
int pt_flush_add_suspect(pt_flush *flush, const pt_suspect *suspect, pt_error *err) PT_CHECKED;
int64_t pt_flush_rows(const pt_flush *flush);  /* dead letters included */
size_t pt_flush_bytes(const pt_flush *flush);  /* decoded, of rows and strings */
size_t pt_flush_memory(const pt_flush *flush); /* what they take: whole chunks and blocks */
