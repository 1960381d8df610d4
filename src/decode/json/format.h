/* JSON objects as a format. */
#pragma once

#include "decode/decode.h"

extern const pt_decoder_ops pt_json_format;

/* For tests and the benchmark: use the portable scanner although the CPU has AVX2. */
void pt_json_portable_only(pt_decoder *decoder);
