#include "decode/formats.h"

#include "decode/json/format.h"

const pt_decoder_ops *const pt_formats[] = {&pt_json_format, NULL};
