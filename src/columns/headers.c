#include "columns/headers.h"

#include <string.h>

#include "columns/vectors.h"

static int set_element(pt_rows *rows, uint32_t vec, size_t index, const void *data, size_t len,
                       pt_error *err) {
    if (!data) {
        pt_rows_vec_null(rows, vec, index);
        return PT_OK;
    }
    PT_TRY(pt_rows_arena_room(rows, len, err));
    const char *kept = data;
    if (len > 12) {
        memcpy(rows->arena_at, data, len);
        kept = rows->arena_at;
        rows->arena_at += len;
    }
    ((duckdb_string_t *)rows->vecs[vec].data)[index] = pt_rows_string_of(kept, len);
    return PT_OK;
}

/* List, struct, key, value in pre-order. */
int pt_headers_set(pt_rows *rows, size_t column, const pt_header *headers, size_t n,
                   pt_error *err) {
    uint32_t list = rows->column_vec[column];
    size_t first = rows->vecs[list].used;
    for (size_t i = 0; i < n; i++) {
        const pt_header *h = &headers[i];
        size_t index;
        size_t key_len = h->key_len;
        duckdb_error_data bad = duckdb_valid_utf8_check(h->key, key_len);
        if (bad) {
            duckdb_destroy_error_data(&bad);
            key_len = 0;
        }
        PT_TRY(pt_rows_list_add(rows, list, &index, err));
        PT_TRY(set_element(rows, list + 2, index, h->key, key_len, err));
        PT_TRY(set_element(rows, list + 3, index, h->value, h->value_len, err));
    }
    ((duckdb_list_entry *)rows->vecs[list].data)[rows->at] = (duckdb_list_entry){.offset = first,
                                                                                 .length = n};
    return PT_OK;
}
