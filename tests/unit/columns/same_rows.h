/* Whether two pt_rows hold the same: what two ways of decoding one record must come to. For unit
 * tests and the fuzzer. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "columns/vectors.h"

static inline bool is_valid(const pt_vec *v, size_t row) {
    return !v->validity || (v->validity[row / 64] >> (row % 64) & 1);
}

/* Value ra of vector vec in a equals value rb in b, byte for byte. */
static inline bool same_value(const pt_rows *a, const pt_rows *b, uint32_t vec, size_t ra,
                              size_t rb) {
    const pt_vec *va = &a->vecs[vec], *vb = &b->vecs[vec];
    const pt_shape *shape = &a->shapes[vec];
    if (is_valid(va, ra) != is_valid(vb, rb)) {
        return false;
    }
    if (!is_valid(va, ra)) {
        return true;
    }
    if (shape->id == PT_STRUCT) {
        for (uint32_t i = vec + 1; i < shape->after; i = a->shapes[i].after) {
            if (!same_value(a, b, i, ra, rb)) {
                return false;
            }
        }
    } else if (shape->id == PT_LIST || shape->id == PT_MAP) {
        duckdb_list_entry la = ((duckdb_list_entry *)va->data)[ra],
                          lb = ((duckdb_list_entry *)vb->data)[rb];
        if (la.length != lb.length || la.offset + la.length > va->used ||
            lb.offset + lb.length > vb->used) {
            return false;
        }
        for (size_t i = 0; i < la.length; i++) {
            if (!same_value(a, b, vec + 1, la.offset + i, lb.offset + i)) {
                return false;
            }
        }
    } else if (shape->id == PT_VARCHAR || shape->id == PT_BLOB || shape->id == PT_JSON) {
        duckdb_string_t *sa = (duckdb_string_t *)va->data + ra,
                        *sb = (duckdb_string_t *)vb->data + rb;
        if (sa->value.inlined.length != sb->value.inlined.length) {
            return false;
        }
        const char *pa = duckdb_string_t_data(sa), *pb = duckdb_string_t_data(sb);
        uint32_t len = sa->value.inlined.length;
        if (memcmp(pa, pb, len) != 0 ||
            (len <= 12 ? memcmp(sa, sb, sizeof *sa) != 0
                       : memcmp(sa->value.pointer.prefix, pa, 4) != 0)) {
            return false;
        }
        if (shape->id != PT_BLOB && duckdb_valid_utf8_check(pa, len) != NULL) {
            return false;
        }
    } else if (memcmp((char *)va->data + ra * shape->width, (char *)vb->data + rb * shape->width,
                      shape->width) != 0) {
        return false;
    }
    return true;
}

static inline bool same_open_row(const pt_rows *a, const pt_rows *b, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        if (!same_value(a, b, a->column_vec[i], a->at, b->at)) {
            return false;
        }
    }
    return true;
}
