#include "lake/dead_letter.h"

#include <string.h>

/* Columns of PT_DEAD_LETTER_COLUMNS. */
enum {
    TOPIC,
    PARTITION,
    OFFSET,
    TIMESTAMP,
    KEY,
    VALUE,
    ERROR_CODE,
    ERROR_TEXT,
    ERROR_POSITION,
    INGEST_TIME,
    TARGET_TABLE,
    PIPELINE,
    HEADERS
};

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
    PT_TRY(pt_headers_set(rows, HEADERS, l->headers, l->n_headers, err));
    pt_rows_commit(rows);
    return PT_OK;
}
