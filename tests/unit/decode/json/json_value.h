/* A JSON decoder, and bytes for it, as the tests, the fuzzers and the benchmark write them. */
#pragma once

#include "decode/json/format.h"

static inline int open_json(const pt_schema *schema, bool want_column, pt_decoder **out,
                            pt_error *err) {
    const pt_decoder_options options = {.schema = schema, .want_column = want_column};
    return pt_decoder_open(&pt_json_format, &options, out, err);
}

static inline int decode_value(pt_decoder *decoder, const char *data, size_t len, pt_rows *rows,
                               pt_decode_error *why, pt_error *err) {
    const pt_record record = {.value = data, .value_len = (uint32_t)len};
    return pt_decode(decoder, &record, rows, why, err);
}
