#include "decode/decode.h"

int pt_decoder_open(const pt_decoder_ops *format, const pt_decoder_options *options,
                    pt_decoder **out, pt_error *err) {
    *out = NULL;
    return format->open(options, out, err);
}

void pt_decoder_close(pt_decoder **decoder) {
    if (*decoder) {
        (*decoder)->ops->close(decoder);
    }
}

uint64_t pt_decoder_unknown_fields(const pt_decoder *decoder) {
    return decoder->ops->unknown_fields ? decoder->ops->unknown_fields(decoder) : 0;
}

const char *pt_decoder_unknown_name(const pt_decoder *decoder, size_t i) {
    return decoder->ops->unknown_name ? decoder->ops->unknown_name(decoder, i) : NULL;
}
