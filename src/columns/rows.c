#include "columns/rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "columns/rows_chunk.h"

#define BLOCK_MIN ((size_t)64 << 10)
#define BLOCK_MAX ((size_t)1 << 20)
/* A chunk with more bytes of strings takes no further row: readers buffer whole chunks. */
#define CHUNK_STRINGS ((size_t)4 << 20)

/* Full chunks: who follows the writer is woken seldom, and has something to do then. */
#define SHARED_AT_ONCE 30

struct pt_block {
    pt_block *next;
    size_t size;
    char bytes[];
};

/* ---- chunks ---- */

static size_t arena_bytes(const pt_rows *rows) {
    return rows->block_bytes + (rows->block ? (size_t)(rows->arena_at - rows->block->bytes) : 0);
}

static int add_chunk(pt_rows *rows, pt_error *err) {
    if (rows->n_chunks == rows->cap_chunks) {
        size_t cap = rows->cap_chunks ? rows->cap_chunks * 2 : 16;
        pt_chunk **chunks = realloc(rows->chunks, cap * sizeof(pt_chunk *));
        if (!chunks) {
            return pt_fail_nomem(err, "a row chunk");
        }
        rows->chunks = chunks;
        rows->cap_chunks = cap;
    }
    PT_TRY(pt_chunk_new(rows, &rows->chunks[rows->n_chunks], err));
    rows->n_chunks++;
    return PT_OK;
}

static int next_chunk(pt_rows *rows, pt_error *err) {
    int code = PT_OK;
    pthread_mutex_lock(&rows->lock);
    if (rows->used_chunks % SHARED_AT_ONCE == 0 && rows->state == PT_ROWS_GROWING) {
        rows->ready = rows->used_chunks;
        (void)pthread_cond_broadcast(&rows->grown);
    }
    if (rows->used_chunks == rows->n_chunks) {
        code = add_chunk(rows, err);
    }
    pthread_mutex_unlock(&rows->lock);
    if (code != PT_OK) {
        return code;
    }
    rows->chunk = rows->chunks[rows->used_chunks++];
    rows->vecs = rows->chunk->vecs;
    rows->at = 0;
    rows->chunk_full = false;
    rows->chunk_bytes = arena_bytes(rows);
    return PT_OK;
}

/* ---- the arena ---- */

static void use_block(pt_rows *rows, pt_block *b) {
    rows->block = b;
    rows->arena_at = b->bytes;
    rows->arena_end = b->bytes + b->size;
}

int pt_rows_arena_grow(pt_rows *rows, size_t bytes, pt_error *err) {
    size_t need = bytes + PT_ARENA_SLACK;
    if (need < bytes) {
        return pt_fail_nomem(err, "the strings of a row");
    }
    pt_block *next = rows->block ? rows->block->next : rows->blocks;
    size_t here = rows->block ? (size_t)(rows->arena_at - rows->block->bytes) : 0;
    if (!next || next->size < need) {
        size_t size = rows->block_memory < BLOCK_MAX ? BLOCK_MIN : BLOCK_MAX;
        size = size < need ? need : size;
        pt_block *b = malloc(sizeof *b + size);
        if (!b) {
            return pt_fail_nomem(err, "the strings of a row");
        }
        b->size = size;
        b->next = next;
        *(rows->block ? &rows->block->next : &rows->blocks) = b;
        rows->block_memory += size;
        next = b;
    }
    rows->block_bytes += here;
    use_block(rows, next);
    rows->chunk_full |= rows->block_bytes - rows->chunk_bytes + bytes > CHUNK_STRINGS;
    return PT_OK;
}

static void keep_mark(pt_rows *rows) {
    rows->mark_block = rows->block;
    rows->mark_at = rows->arena_at;
    rows->mark_bytes = rows->block_bytes;
}

/* Sets values [from, to) of vec back to valid, with the STRUCT members below it (not the elements
 * of a list). */
static void set_valid(pt_rows *rows, uint32_t vec, size_t from, size_t to) {
    for (uint32_t i = vec; i < rows->shapes[vec].after;) {
        uint64_t *validity = rows->vecs[i].validity;
        for (size_t row = from; validity && row < to; row++) {
            validity[row / 64] |= (uint64_t)1 << (row % 64);
        }
        i = pt_shape_is_list(&rows->shapes[i]) ? rows->shapes[i].after : i + 1;
    }
}

static void roll_back(pt_rows *rows) {
    rows->open = false;
    for (size_t i = 0; i < rows->n_columns; i++) {
        set_valid(rows, rows->column_vec[i], rows->at, rows->at + 1);
    }
    for (uint32_t i = 0; rows->n_lists && i < rows->n_vecs; i++) {
        if (pt_shape_is_list(&rows->shapes[i])) {
            set_valid(rows, i + 1, rows->vecs[i].committed, rows->vecs[i].used);
            rows->vecs[i].used = rows->vecs[i].committed;
        }
    }
    if (rows->mark_block) {
        use_block(rows, rows->mark_block);
        rows->arena_at = rows->mark_at;
    } else if (rows->block) {
        use_block(rows, rows->blocks);
    }
    rows->block_bytes = rows->mark_bytes;
}

/* ---- the public part ---- */

int pt_rows_new(const pt_type *types, size_t n_columns, pt_rows **out, pt_error *err) {
    static atomic_uint_fast64_t serial;
    *out = NULL;
    pt_rows *rows = calloc(1, sizeof *rows);
    if (!rows) {
        return pt_fail_nomem(err, "rows");
    }
    (void)pthread_mutex_init(&rows->lock, NULL);
    (void)pthread_cond_init(&rows->grown, NULL);
    rows->serial = atomic_fetch_add(&serial, 1) + 1;
    rows->n_columns = n_columns;
    for (size_t i = 0; i < n_columns; i++) {
        rows->n_vecs += pt_shape_count(&types[i]);
    }
    rows->shapes = calloc(rows->n_vecs + 1, sizeof *rows->shapes);
    rows->column_vec = calloc(n_columns + 1, sizeof *rows->column_vec);
    rows->types = calloc(n_columns + 1, sizeof *rows->types);
    bool complete = rows->shapes && rows->column_vec && rows->types && rows->n_vecs < UINT32_MAX;
    uint32_t next = 0;
    for (size_t i = 0; complete && i < n_columns; i++) {
        rows->column_vec[i] = next;
        next = pt_shape_add(rows, &types[i], next);
        rows->row_bytes += pt_shape_bytes(rows, rows->column_vec[i]);
        rows->types[i] = pt_type_logical(&types[i]);
        complete = rows->types[i] != NULL;
    }
    if (!complete) {
        pt_rows_free(&rows);
        return pt_fail_nomem(err, "rows");
    }
    *out = rows;
    return PT_OK;
}

void pt_rows_free(pt_rows **rows_at) {
    pt_rows *rows = *rows_at;
    if (!rows) {
        return;
    }
    for (size_t i = 0; i < rows->n_chunks; i++) {
        pt_chunk_free(rows->chunks[i]);
    }
    for (size_t i = 0; rows->types && i < rows->n_columns; i++) {
        if (rows->types[i]) {
            duckdb_destroy_logical_type(&rows->types[i]);
        }
    }
    for (pt_block *b = rows->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    (void)pthread_cond_destroy(&rows->grown);
    (void)pthread_mutex_destroy(&rows->lock);
    free(rows->chunks);
    free(rows->types);
    free(rows->shapes);
    free(rows->column_vec);
    free(rows);
    *rows_at = NULL;
}

size_t pt_rows_chunk_memory(const pt_rows *rows) {
    return rows->row_bytes * pt_chunk_rows() +
           rows->n_vecs * (sizeof(pt_vec) + pt_chunk_rows() / 8);
}

void pt_rows_reset(pt_rows *rows, size_t keep_bytes) {
    size_t keep = keep_bytes ? keep_bytes : SIZE_MAX;
    for (size_t i = 0; i < rows->used_chunks; i++) {
        duckdb_data_chunk_reset(
            rows->chunks[i]->chunk); /* lists go back to their first size, NULLs are forgotten */
        pt_chunk_load(rows, rows->chunks[i]);
    }
    while (rows->n_chunks && rows->n_chunks * pt_rows_chunk_memory(rows) > keep) {
        pt_chunk_free(rows->chunks[--rows->n_chunks]);
    }
    size_t chunks = rows->n_chunks * pt_rows_chunk_memory(rows);
    size_t blocks = 0;
    for (pt_block **b = &rows->blocks; *b;) {
        pt_block *block = *b;
        if (block->size > keep - chunks || blocks > keep - chunks - block->size) {
            *b = block->next;
            rows->block_memory -= block->size;
            free(block);
        } else {
            blocks += block->size;
            b = &block->next;
        }
    }
    rows->chunk = NULL;
    rows->vecs = NULL;
    rows->used_chunks = rows->at = rows->count = rows->list_bytes = rows->list_memory =
        rows->block_bytes = rows->chunk_bytes = 0;
    rows->block = NULL;
    rows->arena_at = rows->arena_end = NULL;
    rows->open = rows->has_nul = rows->has_minus_zero = false;
    rows->state = PT_ROWS_COMPLETE;
    rows->ready = 0;
}

int pt_rows_open(pt_rows *rows, pt_error *err) {
    if (rows->open) {
        roll_back(rows);
    }
    if (!rows->chunk || rows->at == pt_chunk_rows() || (rows->chunk_full && rows->at)) {
        PT_TRY(next_chunk(rows, err));
    }
    keep_mark(rows);
    rows->open = true;
    return PT_OK;
}

void pt_rows_commit(pt_rows *rows) {
    rows->open = false;
    rows->at++;
    rows->count++;
    rows->chunk->rows = rows->at;
    for (uint32_t i = 0; rows->n_lists && i < rows->n_vecs; i++) {
        pt_vec *v = &rows->vecs[i];
        if (v->used != v->committed) {
            rows->list_bytes += (v->used - v->committed) * pt_shape_bytes(rows, i + 1);
            v->committed = v->used;
        }
    }
}

size_t pt_rows_count(const pt_rows *rows) {
    return rows->count;
}

size_t pt_rows_bytes(const pt_rows *rows) {
    size_t strings = arena_bytes(rows);
    if (rows->open) {
        strings = rows->mark_bytes +
                  (rows->mark_block ? (size_t)(rows->mark_at - rows->mark_block->bytes) : 0);
    }
    return rows->count * rows->row_bytes + rows->list_bytes + strings;
}

size_t pt_rows_memory(const pt_rows *rows) {
    return rows->n_chunks * pt_rows_chunk_memory(rows) + rows->list_memory + rows->block_memory;
}

size_t pt_rows_used_memory(const pt_rows *rows) {
    size_t blocks = 0;
    for (const pt_block *b = rows->block ? rows->blocks : NULL; b;
         b = b == rows->block ? NULL : b->next) {
        blocks += b->size;
    }
    return rows->used_chunks * pt_rows_chunk_memory(rows) + rows->list_memory + blocks;
}

size_t pt_rows_columns(const pt_rows *rows) {
    return rows->n_columns;
}
