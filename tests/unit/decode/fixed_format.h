/* A second format, as small as can be: a record of 12 bytes, an INTEGER and a BIGINT in the order
 * of this machine. A negative INTEGER stands for one that a registry, which is away, would explain.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"

#define FIXED_BYTES 12

static bool registry_is_away;

static inline int fixed_open(const pt_decoder_options *options, pt_decoder **out, pt_error *err);

static inline int fixed_decode(pt_decoder *decoder, const pt_record *record, pt_rows *rows,
                               pt_decode_error *why, pt_error *err) {
    int32_t number;
    int64_t big;
    (void)decoder;
    *why = (pt_decode_error){.code = PT_DECODE_OK, .position = -1};
    if (record->value_len != FIXED_BYTES) {
        why->code = record->value_len < FIXED_BYTES ? PT_DECODE_TRUNCATED : PT_DECODE_TRAILING;
        why->position = FIXED_BYTES;
        (void)snprintf(why->text, sizeof why->text, "%u bytes are no record of 12",
                       (unsigned)record->value_len);
        return PT_OK;
    }
    memcpy(&number, record->value, sizeof number);
    memcpy(&big, record->value + sizeof number, sizeof big);
    if (number < 0 && registry_is_away) {
        return pt_fail(err, PT_E_NOT_NOW, "the registry does not answer");
    }
    ((int32_t *)pt_rows_data(rows, 0))[pt_rows_at(rows)] = number;
    ((int64_t *)pt_rows_data(rows, 1))[pt_rows_at(rows)] = big;
    return PT_OK;
}

static inline void fixed_close(pt_decoder **decoder) {
    free(*decoder);
    *decoder = NULL;
}

static const pt_decoder_ops fixed_format = {.name = "fixed",
                                            .open = fixed_open,
                                            .decode = fixed_decode,
                                            .close = fixed_close};

static inline int fixed_open(const pt_decoder_options *options, pt_decoder **out, pt_error *err) {
    const pt_schema *s = options->schema;
    if (s->n_columns != 2 || s->columns[0].type.id != PT_INTEGER ||
        s->columns[1].type.id != PT_BIGINT) {
        return pt_fail(err, PT_E_USAGE, "the fixed format fills an INTEGER and a BIGINT");
    }
    pt_decoder *made = calloc(1, sizeof *made);
    if (!made) {
        return pt_fail_nomem(err, "a decoder");
    }
    made->ops = &fixed_format;
    *out = made;
    return PT_OK;
}
