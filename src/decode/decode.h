/* Record bytes -> one row, by a plan made once from a schema.
 *
 * pt_decoder is the seam for formats: JSON is the first; another one is another pt_decoder_new_*.
 * A decoder is owned by one thread and writes to columns 0..n-1 (the schema's order) of the pt_rows
 * that it is given; whatever columns follow (Kafka metadata) are the caller's. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "columns/rows.h"
#include "columns/schema.h"

/* Why a record cannot be taken; pt_decode_code_name gives the error_code of pintail.dead_letters.
 */
typedef enum pt_decode_code {
    PT_DECODE_OK = 0,
    PT_DECODE_EMPTY,         /* empty: no byte, or white space only */
    PT_DECODE_SYNTAX,        /* syntax: not RFC 8259 */
    PT_DECODE_TRUNCATED,     /* truncated: ends inside a value */
    PT_DECODE_TRAILING,      /* trailing: bytes after the object */
    PT_DECODE_NOT_OBJECT,    /* not_object: valid JSON, but no object */
    PT_DECODE_UTF8,          /* utf8: not UTF-8, or a lone surrogate escape */
    PT_DECODE_DEPTH,         /* depth: nested deeper than PT_DECODE_DEPTH_MAX */
    PT_DECODE_DUPLICATE_KEY, /* duplicate_key: in the object, in a STRUCT or MAP, or inside an
                                ignored or JSON value */
    PT_DECODE_NOT_NULL, /* not_null: NULL or missing for a NOT NULL column without default, or a
                           NULL map key */
    PT_DECODE_TYPE,     /* type: a JSON kind that the column cannot take */
    PT_DECODE_RANGE,    /* range: a number or time outside the type */
    PT_DECODE_LOSSY, /* lossy: digits would be lost (1.5 for INTEGER, too many decimals for DECIMAL)
                      */
    PT_DECODE_FORMAT,    /* format: text that is no UUID, date, time, base64, ... */
    PT_DECODE_TOMBSTONE, /* tombstone: null value; set by the caller, never by a decoder */
    PT_DECODE_TOO_LARGE, /* too_large: more than PT_DECODE_BYTES_MAX */
    PT_DECODE_NO_COLUMN, /* no_column: an object none of whose keys is a column; see
                            pt_decoder_want_column */
    PT_DECODE_FRAMED,    /* framed: a schema registry's bytes stand in front of the value */
    PT_DECODE_PARTITION, /* partition: a value that the table's partitions cannot take; set by the
                            caller */
    PT_DECODE_REFUSED,   /* refused: it decodes, and the lake refuses it; set by the caller */
    PT_DECODE_CODES      /* how many there are */
} pt_decode_code;

#define PT_DECODE_DEPTH_MAX 64
#define PT_DECODE_BYTES_MAX ((size_t)1 << 30)

typedef struct pt_decode_error {
    pt_decode_code code;
    int64_t position; /* byte offset in the value, -1 unknown */
    char text[256];   /* names the column; quotes at most a few characters of the record, made
                         printable */
} pt_decode_error;

typedef struct pt_decoder pt_decoder;

/* schema must outlive the decoder. Defaults (default_json) are checked here. */
int pt_decoder_new_json(const pt_schema *schema, pt_decoder **out, pt_error *err) PT_CHECKED;
void pt_decoder_free(pt_decoder **decoder);

/* Decodes one record into the open row of rows (pt_rows_open was called). Returns PT_OK with
 * error->code PT_DECODE_OK or the reason why the record cannot be taken (the row then holds rubbish
 * and must not be committed), or a pt_code for a failure of our own (memory). data need not be
 * terminated or aligned, and is not kept; no byte outside data[0..len) is read. */
int pt_decode(pt_decoder *decoder, const char *data, size_t len, pt_rows *rows,
              pt_decode_error *error, pt_error *err) PT_CHECKED;

/* From now on a record none of whose keys is a column is refused (no_column); a decoder takes it at
 * first, as a row of defaults and NULLs. A schema without columns takes every object. */
void pt_decoder_want_column(pt_decoder *decoder);

/* Keys that no column has, skipped so far (each occurrence). */
uint64_t pt_decoder_unknown_keys(const pt_decoder *decoder);
/* Of the first of them, the i-th different one with its path (location.site, items[].sku), cut and
 * printable; NULL behind the last. */
const char *pt_decoder_unknown_name(const pt_decoder *decoder, size_t i);

const char *pt_decode_code_name(pt_decode_code code);

/* For tests and the benchmark: force the portable scanner although the CPU has AVX2. */
void pt_decoder_portable(pt_decoder *decoder);
