/* The inside of pt_rows, for decoders: they write values straight into the vectors.
 *
 * Every type is a tree of vectors (LIST: entries and a child; STRUCT: its members; MAP: a LIST of a
 * STRUCT of key and value). The trees of all columns are numbered in pre-order: a vector's first
 * child is the next number, and `after` of its shape is the number of the first vector outside its
 * subtree. */
#pragma once

#include <duckdb.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "columns/types.h"

typedef struct pt_rows pt_rows; /* columns/rows.h */

/* Bytes behind any string in the arena that a writer may scribble over. */
#define PT_ARENA_SLACK 64

/* One vector of the chunk that is being filled. data, validity and capacity change when the list
 * above it grows. */
typedef struct pt_vec {
    void *data;
    uint64_t *validity; /* NULL: all valid so far */
    duckdb_vector vector;
    size_t used; /* LIST and MAP: elements in the child vector, those of the open row included */
    size_t committed; /* the same without the open row */
    size_t capacity;  /* LIST and MAP: elements that the child vector has room for */
} pt_vec;

typedef struct pt_shape {
    pt_type_id id; /* PT_STRUCT also for the inner struct of a MAP */
    uint32_t after;
    uint32_t width; /* bytes a value; 0 for STRUCT */
} pt_shape;

typedef enum pt_rows_state { PT_ROWS_COMPLETE, PT_ROWS_GROWING, PT_ROWS_GIVEN_UP } pt_rows_state;

typedef struct pt_chunk pt_chunk;
typedef struct pt_block pt_block;

struct pt_rows {
    pt_vec *vecs; /* of the open chunk */
    size_t at;    /* the open row in it */
    char *arena_at, *arena_end;
    uint64_t serial; /* tells one pt_rows from another, also at the same address */

    size_t n_columns, n_vecs, n_lists;
    uint32_t *column_vec; /* column -> its vector's number */
    pt_shape *shapes;     /* [n_vecs] */
    size_t row_bytes;     /* of the top-level vectors and STRUCT members, a row */
    duckdb_logical_type *types;

    size_t count;
    bool open;
    bool has_nul, has_minus_zero;
    pt_chunk *chunk; /* the open one, NULL before the first row */
    pt_chunk **chunks;
    size_t n_chunks, used_chunks, cap_chunks;
    size_t chunk_bytes; /* of the arena, when the open chunk was begun */
    bool chunk_full;    /* it holds enough bytes of strings */
    size_t list_bytes;  /* of committed list elements */
    size_t list_memory;

    pt_block *blocks, *block; /* a list in order of use; block: the one in use */
    size_t block_bytes;       /* committed bytes in the blocks before `block` */
    size_t block_memory;
    pt_block *mark_block; /* where the arena stood when the row was opened */
    char *mark_at;
    size_t mark_bytes;

    pthread_mutex_t lock; /* what follows, and `chunks` while others follow */
    pthread_cond_t grown;
    pt_rows_state state;
    size_t ready; /* while it grows: full chunks */
};

/* Vectors of a type and all below it. */
size_t pt_shape_count(const pt_type *type);
/* Fills rows->shapes from number vec on; returns the first number behind the tree. */
uint32_t pt_shape_add(pt_rows *rows, const pt_type *type, uint32_t vec);
/* Bytes of one value of vector vec, STRUCT members included, list elements not. */
size_t pt_shape_bytes(const pt_rows *rows, uint32_t vec);

static inline bool pt_shape_is_list(const pt_shape *shape) {
    return shape->id == PT_LIST || shape->id == PT_MAP;
}

/* Makes bytes + PT_ARENA_SLACK available at arena_at. */
int pt_rows_arena_grow(pt_rows *rows, size_t bytes, pt_error *err) PT_CHECKED;

static inline int pt_rows_arena_room(pt_rows *rows, size_t bytes, pt_error *err) {
    if ((size_t)(rows->arena_end - rows->arena_at) >= bytes + PT_ARENA_SLACK) {
        return PT_OK;
    }
    return pt_rows_arena_grow(rows, bytes, err);
}

/* Makes room for one more element in the child of list vector `vec` and returns its index in
 * *index; it counts at once. */
int pt_rows_list_grow(pt_rows *rows, uint32_t vec, pt_error *err) PT_CHECKED;

static inline int pt_rows_list_add(pt_rows *rows, uint32_t vec, size_t *index, pt_error *err) {
    pt_vec *v = &rows->vecs[vec];
    if (v->used == v->capacity) {
        PT_TRY(pt_rows_list_grow(rows, vec, err));
    }
    *index = v->used++;
    return PT_OK;
}

/* Sets value `row` of vector `vec` to NULL, with all members below a STRUCT. */
void pt_rows_vec_null(pt_rows *rows, uint32_t vec, size_t row);

/* A string of len bytes at data, which must stay: the arena's, or anything when len <= 12. */
static inline duckdb_string_t pt_rows_string_of(const char *data, size_t len) {
    duckdb_string_t s;
    memset(&s, 0, sizeof s);
    if (len <= sizeof s.value.inlined.inlined) {
        s.value.inlined.length = (uint32_t)len;
        memcpy(s.value.inlined.inlined, data, len);
    } else {
        s.value.pointer.length = (uint32_t)len;
        memcpy(s.value.pointer.prefix, data, sizeof s.value.pointer.prefix);
        s.value.pointer.ptr = (char *)(uintptr_t)data;
    }
    return s;
}
