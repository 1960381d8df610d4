#include "columns/rows_chunk.h"

#include <stdlib.h>

void pt_chunk_load_vecs(const pt_rows *rows, pt_vec *vecs, uint32_t vec, duckdb_vector vector,
                        bool fresh) {
    pt_vec *v = &vecs[vec];
    if (fresh) {
        *v = (pt_vec){0};
    }
    v->vector = vector;
    const pt_shape *shape = &rows->shapes[vec];
    v->data = shape->id == PT_STRUCT ? NULL : duckdb_vector_get_data(vector);
    if (v->validity) {
        v->validity = duckdb_vector_get_validity(vector);
    }
    if (pt_shape_is_list(shape)) {
        pt_chunk_load_vecs(rows, vecs, vec + 1, duckdb_list_vector_get_child(vector), fresh);
    } else if (shape->id == PT_STRUCT) {
        idx_t member = 0;
        for (uint32_t i = vec + 1; i < shape->after; i = rows->shapes[i].after) {
            pt_chunk_load_vecs(rows, vecs, i, duckdb_struct_vector_get_child(vector, member++),
                               fresh);
        }
    }
}

void pt_chunk_load(const pt_rows *rows, pt_chunk *c) {
    c->rows = 0;
    atomic_store_explicit(&c->sealed, 0, memory_order_relaxed);
    for (size_t i = 0; i < rows->n_columns; i++) {
        pt_chunk_load_vecs(rows, c->vecs, rows->column_vec[i],
                           duckdb_data_chunk_get_vector(c->chunk, i), true);
    }
}

void pt_chunk_free(pt_chunk *c) {
    if (c) {
        if (c->chunk) {
            duckdb_destroy_data_chunk(&c->chunk);
        }
        pthread_mutex_destroy(&c->seal);
        free(c->vecs);
        free(c);
    }
}

int pt_chunk_new(pt_rows *rows, pt_chunk **out, pt_error *err) {
    pt_chunk *c = calloc(1, sizeof *c);
    if (!c) {
        return pt_fail_nomem(err, "a row chunk");
    }
    pthread_mutex_init(&c->seal, NULL);
    c->vecs = calloc(rows->n_vecs + 1, sizeof *c->vecs);
    c->chunk = c->vecs ? duckdb_create_data_chunk(rows->types, rows->n_columns) : NULL;
    if (!c->chunk) {
        pt_chunk_free(c);
        return pt_fail_nomem(err, "a row chunk");
    }
    pt_chunk_load(rows, c);
    *out = c;
    return PT_OK;
}

void pt_chunk_seal(const pt_rows *rows, pt_chunk *c) {
    if (atomic_load_explicit(&c->sealed, memory_order_acquire) == c->rows) {
        return;
    }
    pthread_mutex_lock(&c->seal);
    if (atomic_load_explicit(&c->sealed, memory_order_relaxed) != c->rows) {
        for (uint32_t i = 0; rows->n_lists && i < rows->n_vecs; i++) {
            if (pt_shape_is_list(&rows->shapes[i])) {
                duckdb_list_vector_set_size(c->vecs[i].vector, c->vecs[i].committed);
            }
        }
        duckdb_data_chunk_set_size(c->chunk, c->rows);
        atomic_store_explicit(&c->sealed, c->rows, memory_order_release);
    }
    pthread_mutex_unlock(&c->seal);
}
