/* A record that cannot be decoded, as a row of pintail.dead_letters. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "columns/headers.h"
#include "columns/rows.h"

typedef struct pt_dead_letter {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_us;    /* INT64_MIN: the record has none */
    const void *key, *value; /* NULL: SQL NULL */
    size_t key_len, value_len;
    const char *error_code, *error_text;
    int64_t error_position; /* negative: SQL NULL */
    int64_t ingest_time_us;
    const char *target_table, *pipeline;
    const pt_header *headers;
    size_t n_headers;
} pt_dead_letter;

/* Appends to rows that were made for PT_DEAD_LETTER_COLUMNS; everything is copied. */
int pt_dead_letter_add(pt_rows *rows, const pt_dead_letter *letter, pt_error *err) PT_CHECKED;
