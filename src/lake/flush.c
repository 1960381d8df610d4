#include "lake/flush.h"

#include <stdlib.h>

int pt_flush_new(const pt_target *const *targets, size_t n_targets, pt_flush **out, pt_error *err) {
    pt_flush *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f || !(f->parts = calloc(n_targets + 1, sizeof *f->parts))) {
        free(f);
        return pt_fail_nomem(err, "a flush");
    }
    f->n_parts = n_targets;
    for (size_t i = 0; i < n_targets; i++) {
        f->parts[i].target = targets[i];
        int code = pt_rows_new(targets[i]->types, targets[i]->n_columns, &f->parts[i].rows, err);
        if (code != PT_OK) {
            pt_flush_free(&f);
            return code;
        }
    }
    *out = f;
    return PT_OK;
}

void pt_part_forget_guards(pt_part *part) {
    for (size_t i = 0; i < part->n_guarded; i++) {
        free(part->guarded[i]);
    }
    free(part->guarded);
    part->guarded = NULL;
    part->n_guarded = 0;
}

size_t pt_part_rows(const pt_part *part) {
    return part->piece ? part->piece_rows : pt_rows_count(part->rows);
}

void pt_part_add_where(const pt_part *part, pt_text *sql) {
    if (part->piece) {
        pt_text_add(sql, " WHERE ");
        pt_text_add(sql, part->piece);
    }
}

int pt_flush_piece_new(const pt_flush *flush, pt_flush **out, pt_error *err) {
    pt_flush *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f || !(f->parts = calloc(flush->n_parts + 1, sizeof *f->parts))) {
        free(f);
        return pt_fail_nomem(err, "a piece of a flush");
    }
    f->n_parts = flush->n_parts;
    f->to_files = flush->to_files;
    f->snapshot = -1;
    for (size_t i = 0; i < f->n_parts; i++) {
        f->parts[i].target = flush->parts[i].target;
        f->parts[i].rows = flush->parts[i].rows;
    }
    *out = f;
    return PT_OK;
}

void pt_flush_piece_free(pt_flush **piece) {
    for (size_t i = 0; *piece && i < (*piece)->n_parts; i++) {
        (*piece)->parts[i].rows = NULL;
    }
    pt_flush_free(piece);
}

void pt_flush_free(pt_flush **flush) {
    pt_flush *f = *flush;
    if (f) {
        for (size_t i = 0; i < f->n_parts; i++) {
            pt_rows_free(&f->parts[i].rows);
            free(f->parts[i].staged);
            free(f->parts[i].piece);
            pt_part_forget_guards(&f->parts[i]);
        }
        free(f->parts);
        free(f->entries);
        free(f->suspects);
        free(f);
        *flush = NULL;
    }
}

void pt_flush_reset(pt_flush *flush, size_t keep_bytes) {
    for (size_t i = 0; i < flush->n_parts; i++) {
        pt_rows_reset(flush->parts[i].rows, keep_bytes);
        size_t kept = pt_rows_memory(flush->parts[i].rows);
        keep_bytes -= kept < keep_bytes ? kept : keep_bytes - 1; /* 0 would mean: all */
        free(flush->parts[i].staged);
        flush->parts[i].staged = NULL;
        pt_part_forget_guards(&flush->parts[i]);
    }
    flush->n_entries = 0;
    flush->n_suspects = 0;
    flush->to_files = false;
    flush->commit_id[0] = '\0';
    flush->snapshot = -1;
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
    *entry = (pt_ledger_entry){.kind = "commit", .cluster_id = "", .topic_id = "", .target_table = "", .leader_epoch = -1};
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
    for (size_t i = 0; i < flush->n_parts; i++) {
        n += pt_part_rows(&flush->parts[i]);
    }
    return (int64_t)n;
}

size_t pt_flush_memory(const pt_flush *flush) {
    size_t n = 0;
    for (size_t i = 0; i < flush->n_parts; i++) {
        n += pt_rows_used_memory(flush->parts[i].rows);
    }
    return n;
}

size_t pt_flush_bytes(const pt_flush *flush) {
    size_t n = 0;
    for (size_t i = 0; i < flush->n_parts; i++) {
        n += pt_rows_bytes(flush->parts[i].rows);
    }
    return n;
}
