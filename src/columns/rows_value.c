/* Values of the open row: NULL, text, the elements of lists. */
#include <string.h>

#include "columns/rows_chunk.h"

static uint64_t *validity_of(pt_vec *v) {
    if (!v->validity) {
        duckdb_vector_ensure_validity_writable(v->vector);
        v->validity = duckdb_vector_get_validity(v->vector);
    }
    return v->validity;
}

void pt_rows_vec_null(pt_rows *rows, uint32_t vec, size_t row) {
    pt_vec *v = &rows->vecs[vec];
    const pt_shape *shape = &rows->shapes[vec];
    validity_of(v)[row / 64] &= ~((uint64_t)1 << (row % 64));
    if (shape->id == PT_STRUCT) {
        for (uint32_t i = vec + 1; i < shape->after; i = rows->shapes[i].after) {
            pt_rows_vec_null(rows, i, row);
        }
    } else if (pt_shape_is_list(shape)) {
        ((duckdb_list_entry *)v->data)[row] = (duckdb_list_entry){.offset = v->used};
    } else {
        memset((char *)v->data + row * shape->width, 0,
               shape->width); /* no stale pointer, and the same bytes each time */
    }
}

int pt_rows_list_grow(pt_rows *rows, uint32_t vec, pt_error *err) {
    pt_vec *v = &rows->vecs[vec];
    size_t capacity = v->capacity < pt_chunk_rows() ? pt_chunk_rows() : v->capacity * 2;
    if (duckdb_list_vector_reserve(v->vector, capacity) != DuckDBSuccess) {
        return pt_fail_nomem(err, "the elements of a list");
    }
    if (capacity > pt_chunk_rows()) {
        rows->list_memory += (capacity - (v->capacity ? v->capacity : 0)) *
                             pt_shape_bytes(rows, vec + 1);
    }
    v->capacity = capacity;
    pt_chunk_load_vecs(rows, rows->vecs, vec + 1, duckdb_list_vector_get_child(v->vector), false);
    return PT_OK;
}

void pt_rows_note_nul(pt_rows *rows) {
    rows->has_nul = true;
}

bool pt_rows_has_nul(const pt_rows *rows) {
    return rows->has_nul;
}

void pt_rows_note_minus_zero(pt_rows *rows) {
    rows->has_minus_zero = true;
}

bool pt_rows_has_minus_zero(const pt_rows *rows) {
    return rows->has_minus_zero;
}

size_t pt_rows_at(const pt_rows *rows) {
    return rows->at;
}

void *pt_rows_data(const pt_rows *rows, size_t column) {
    return rows->vecs[rows->column_vec[column]].data;
}

void pt_rows_null(pt_rows *rows, size_t column) {
    pt_rows_vec_null(rows, rows->column_vec[column], rows->at);
}

bool pt_rows_text(const pt_rows *rows, size_t column, const char **data, size_t *len) {
    const pt_vec *v = &rows->vecs[rows->column_vec[column]];
    if (v->validity && !(v->validity[rows->at / 64] >> (rows->at % 64) & 1)) {
        return false;
    }
    const duckdb_string_t *s = (const duckdb_string_t *)v->data + rows->at;
    *len = s->value.inlined.length;
    *data = *len <= sizeof s->value.inlined.inlined ? s->value.inlined.inlined
                                                    : s->value.pointer.ptr;
    return true;
}

int pt_rows_string(pt_rows *rows, size_t column, const char *data, size_t len, pt_error *err) {
    if (len > UINT32_MAX) {
        return pt_fail(err, PT_E_DATA,
                       "a string of %zu bytes is longer than DuckDB can hold (4 GiB)", len);
    }
    if (len > 12) {
        PT_TRY(pt_rows_arena_room(rows, len, err));
        memcpy(rows->arena_at, data, len);
        data = rows->arena_at;
        rows->arena_at += len;
    }
    ((duckdb_string_t *)pt_rows_data(rows, column))[rows->at] = pt_rows_string_of(data, len);
    return PT_OK;
}
