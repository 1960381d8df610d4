/* The formats that there are. Another format is another entry. */
#pragma once

#include "decode/decode.h"

/* The formats, NULL behind the last. The first is the default. */
extern const pt_decoder_ops *const pt_formats[];
