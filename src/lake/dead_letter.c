#include "lake/dead_letter.h"

#include <string.h>

#include "decode/rows_internal.h"

/* Columns of PT_DEAD_LETTER_COLUMNS. */
enum { TOPIC, PARTITION, OFFSET, TIMESTAMP, KEY, VALUE, ERROR_CODE, ERROR_TEXT, ERROR_POSITION, INGEST_TIME, TARGET_TABLE, PIPELINE, HEADERS };

static int set_bytes(pt_rows *rows, size_t column, const void *data, size_t len, pt_error *err) {
    if (!data) {
        pt_rows_null(rows, column);
        return PT_OK;
    }
    return pt_rows_string(rows, column, data, len, err);
}

static void set_int64(pt_rows *rows, size_t column, int64_t value) {
    ((int64_t *)pt_rows_data(rows, column))[pt_rows_at(rows)] = value;
}

static int set_element(pt_rows *rows, uint32_t vec, size_t index, const void *data, size_t len, pt_error *err) {
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

/* headers STRUCT(key VARCHAR, value BLOB)[]: list, struct, key, value in pre-order. A key that is no UTF-8 becomes empty. */
static int set_headers(pt_rows *rows, const pt_dead_letter *letter, pt_error *err) {
    uint32_t list = rows->column_vec[HEADERS];
    size_t first = rows->vecs[list].used;
    for (size_t i = 0; i < letter->n_headers; i++) {
        const pt_header *h = &letter->headers[i];
        size_t index;
        size_t key_len = strlen(h->key);
        duckdb_error_data bad = duckdb_valid_utf8_check(h->key, key_len);
        if (bad) {
            duckdb_destroy_error_data(&bad);
            key_len = 0;
        }
        PT_TRY(pt_rows_list_add(rows, list, &index, err));
        PT_TRY(set_element(rows, list + 2, index, h->key, key_len, err));
        PT_TRY(set_element(rows, list + 3, index, h->value, h->value_len, err));
    }
    ((duckdb_list_entry *)rows->vecs[list].data)[rows->at] = (duckdb_list_entry){.offset = first, .length = letter->n_headers};
    return PT_OK;
}

int pt_dead_letter_add(pt_rows *rows, const pt_dead_letter *l, pt_error *err) {
    PT_TRY(pt_rows_open(rows, err));
    PT_TRY(set_bytes(rows, TOPIC, l->topic, strlen(l->topic), err));
    ((int32_t *)pt_rows_data(rows, PARTITION))[pt_rows_at(rows)] = l->partition;
    set_int64(rows, OFFSET, l->offset);
    set_int64(rows, TIMESTAMP, l->timestamp_us);
    if (l->timestamp_us == INT64_MIN) {
        pt_rows_null(rows, TIMESTAMP);
    }
    PT_TRY(set_bytes(rows, KEY, l->key, l->key_len, err));
    PT_TRY(set_bytes(rows, VALUE, l->value, l->value_len, err));
    PT_TRY(set_bytes(rows, ERROR_CODE, l->error_code, strlen(l->error_code), err));
    PT_TRY(set_bytes(rows, ERROR_TEXT, l->error_text, strlen(l->error_text), err));
    set_int64(rows, ERROR_POSITION, l->error_position);
    if (l->error_position < 0) {
        pt_rows_null(rows, ERROR_POSITION);
    }
    set_int64(rows, INGEST_TIME, l->ingest_time_us);
    PT_TRY(set_bytes(rows, TARGET_TABLE, l->target_table, strlen(l->target_table), err));
    PT_TRY(set_bytes(rows, PIPELINE, l->pipeline, strlen(l->pipeline), err));
    PT_TRY(set_headers(rows, l, err));
    pt_rows_commit(rows);
    return PT_OK;
}
