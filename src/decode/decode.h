/* Formats: how the value of a record becomes a row.
 *
 * A format is a pt_decoder_ops. A decoder is one format for one schema; one thread uses it. It
 * writes columns 0..n-1 (the schema's order) of the rows that it is given, and leaves the columns
 * behind them (Kafka metadata) to its caller. Its own struct begins with a pt_decoder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/record.h"
#include "columns/rows.h"
#include "columns/schema.h"
#include "decode/codes.h"

#define PT_DECODE_DEPTH_MAX 64
#define PT_DECODE_BYTES_MAX ((size_t)1 << 30)

/* Why a record cannot be taken. */
typedef struct pt_decode_error {
    pt_decode_code code;
    int64_t position; /* byte offset in the value, -1 unknown */
    char text[256];   /* names the column; quotes at most a few characters of the record, made
                         printable */
} pt_decode_error;

typedef struct pt_decoder_options {
    const pt_schema *schema; /* must outlive the decoder */
    bool want_column; /* refuse a record that has no field for any column (no_column), instead of
                         making it a row of defaults and NULLs; a schema without columns takes every
                         record */
} pt_decoder_options;

typedef struct pt_decoder pt_decoder;

typedef struct pt_decoder_ops {
    const char *name;

    /* PT_E_USAGE: the format cannot fill a column of the schema, or its default. */
    int (*open)(const pt_decoder_options *options, pt_decoder **out, pt_error *err);

    /* Decodes a record that has a value into the open row of rows (pt_rows_open was called). Sets
     * why->code: PT_DECODE_OK, or the reason why the record cannot be taken; then the row holds
     * rubbish, and the caller must not commit it. Fails only for reasons of our own: PT_E_NOMEM, or
     * PT_E_NOT_NOW when the same call may succeed later (a schema registry is away); err then says
     * what is awaited. The value is not terminated or aligned; the decoder reads no byte outside of
     * it, and keeps none. */
    int (*decode)(pt_decoder *decoder, const pt_record *record, pt_rows *rows, pt_decode_error *why,
                  pt_error *err);

    /* Fields that no column has, skipped so far (each occurrence); NULL: the format has none. */
    uint64_t (*unknown_fields)(const pt_decoder *decoder);
    /* Of the first of them, the i-th different one with its path (location.site, items[].sku), cut
     * and printable; NULL behind the last. */
    const char *(*unknown_name)(const pt_decoder *decoder, size_t i);

    void (*close)(pt_decoder **decoder);
} pt_decoder_ops;

struct pt_decoder {
    const pt_decoder_ops *ops; /* open sets it */
};

int pt_decoder_open(const pt_decoder_ops *format, const pt_decoder_options *options,
                    pt_decoder **out, pt_error *err) PT_CHECKED;
void pt_decoder_close(pt_decoder **decoder);

static inline int pt_decode(pt_decoder *decoder, const pt_record *record, pt_rows *rows,
                            pt_decode_error *why, pt_error *err) {
    return decoder->ops->decode(decoder, record, rows, why, err);
}

uint64_t pt_decoder_unknown_fields(const pt_decoder *decoder);
const char *pt_decoder_unknown_name(const pt_decoder *decoder, size_t i);
