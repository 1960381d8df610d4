#include "lake/flush.h"

#include <stdlib.h>

int pt_flush_new(const pt_table *const *tables, size_t n_tables, pt_flush **out, pt_error *err) {
    pt_flush *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f || !(f->slices = calloc(n_tables + 1, sizeof *f->slices))) {
        free(f);
        return pt_fail_nomem(err, "a flush");
    }
    f->n_slices = n_tables;
    f->dead_letters = SIZE_MAX;
    for (size_t i = 0; i < n_tables; i++) {
        f->slices[i].table = tables[i];
        f->dead_letters = tables[i]->dead_letters ? i : f->dead_letters;
        int code = pt_rows_new(tables[i]->types, tables[i]->n_columns, &f->slices[i].rows, err);
        if (code != PT_OK) {
            pt_flush_free(&f);
            return code;
        }
    }
    *out = f;
    return PT_OK;
}

void pt_guarded_clear(pt_guarded *guarded) {
    for (size_t i = 0; i < guarded->n; i++) {
        free(guarded->files[i]);
    }
    free(guarded->files);
    *guarded = (pt_guarded){0};
}

size_t pt_slice_rows(const pt_slice *slice) {
    return slice->piece ? slice->piece_rows : pt_rows_count(slice->rows);
}

void pt_slice_add_where(const pt_slice *slice, pt_text *sql) {
    if (slice->piece) {
        pt_text_add(sql, " WHERE ");
        pt_text_add(sql, slice->piece);
    }
}

int pt_flush_piece_new(const pt_flush *flush, pt_flush **out, pt_error *err) {
    pt_flush *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f || !(f->slices = calloc(flush->n_slices + 1, sizeof *f->slices))) {
        free(f);
        return pt_fail_nomem(err, "a piece of a flush");
    }
    f->n_slices = flush->n_slices;
    f->dead_letters = flush->dead_letters;
    f->to_files = flush->to_files;
    for (size_t i = 0; i < f->n_slices; i++) {
        f->slices[i].table = flush->slices[i].table;
        f->slices[i].rows = flush->slices[i].rows;
    }
    *out = f;
    return PT_OK;
}

void pt_flush_piece_free(pt_flush **piece) {
    for (size_t i = 0; *piece && i < (*piece)->n_slices; i++) {
        (*piece)->slices[i].rows = NULL;
    }
    pt_flush_free(piece);
}

void pt_flush_free(pt_flush **flush) {
    pt_flush *f = *flush;
    if (f) {
        for (size_t i = 0; i < f->n_slices; i++) {
            pt_rows_free(&f->slices[i].rows);
            free(f->slices[i].staged);
            free(f->slices[i].piece);
            pt_guarded_clear(&f->slices[i].guarded);
        }
        free(f->slices);
        free(f->entries);
        free(f->suspects);
        free(f);
        *flush = NULL;
    }
}

void pt_flush_reset(pt_flush *flush, size_t keep_bytes) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_rows_reset(flush->slices[i].rows, keep_bytes);
        size_t kept = pt_rows_memory(flush->slices[i].rows);
        keep_bytes -= kept < keep_bytes ? kept : keep_bytes - 1; /* 0 would mean: all */
        free(flush->slices[i].staged);
        flush->slices[i].staged = NULL;
        pt_guarded_clear(&flush->slices[i].guarded);
    }
    flush->n_entries = 0;
    flush->n_suspects = 0;
    flush->to_files = false;
    flush->commit_id[0] = '\0';
    flush->stage_us = flush->commit_us = 0;
}

pt_ledger_entry *pt_flush_add_entry(pt_flush *flush) {
    if (flush->n_entries == flush->cap_entries) {
        size_t capacity = flush->cap_entries ? flush->cap_entries * 2 : 16;
        pt_ledger_entry *entries = realloc(flush->entries, capacity * sizeof *entries);
        if (!entries) {
            return NULL;
        }
        flush->entries = entries;
        flush->cap_entries = capacity;
    }
    pt_ledger_entry *entry = &flush->entries[flush->n_entries++];
    *entry = (pt_ledger_entry){
        .kind = "commit", .cluster_id = "", .topic_id = "", .target_table = "", .leader_epoch = -1};
    return entry;
}

int pt_flush_add_suspect(pt_flush *flush, const pt_suspect *suspect, pt_error *err) {
    pt_suspect *grown = realloc(flush->suspects, (flush->n_suspects + 1) * sizeof *grown);
    if (!grown) {
        return pt_fail_nomem(err, "a refused record");
    }
    flush->suspects = grown;
    grown[flush->n_suspects++] = *suspect;
    return PT_OK;
}

int64_t pt_flush_rows(const pt_flush *flush) {
    size_t n = 0;
    for (size_t i = 0; i < flush->n_slices; i++) {
        n += pt_slice_rows(&flush->slices[i]);
    }
    return (int64_t)n;
}

size_t pt_flush_memory(const pt_flush *flush) {
    size_t n = 0;
    for (size_t i = 0; i < flush->n_slices; i++) {
        n += pt_rows_used_memory(flush->slices[i].rows);
    }
    return n;
}

size_t pt_flush_bytes(const pt_flush *flush) {
    size_t n = 0;
    for (size_t i = 0; i < flush->n_slices; i++) {
        n += pt_rows_bytes(flush->slices[i].rows);
    }
    return n;
}
