#include "cli/display.h"

#include <stdint.h>
#include <wchar.h>

#include "base/shown.h"

/* The code point at p (valid UTF-8 is expected; a stray byte counts as one) and its length. */
static uint32_t code_point(const char *p, size_t *n) {
    const unsigned char *b = (const unsigned char *)p;
    *n = 1;
    uint32_t c = b[0];
    size_t more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    c = more == 3 ? c & 0x07 : more == 2 ? c & 0x0F : more == 1 ? c & 0x1F : c;
    for (size_t i = 1; i <= more; i++) {
        if ((b[i] & 0xC0) != 0x80) {
            return 0xFFFD;
        }
        c = (c << 6) | (b[i] & 0x3F);
    }
    *n = more + 1;
    return c;
}

static size_t point_width(uint32_t c) {
    int w = c < 0x7F ? 1 : wcwidth((wchar_t)c);
    return w < 0 ? 1 : (size_t)w;
}

size_t pt_display_width(const char *text) {
    size_t width = 0;
    for (size_t n; *text; text += n) {
        width += point_width(code_point(text, &n));
    }
    return width;
}

void pt_display_add(pt_text *text, const char *data, size_t len) {
    pt_text_add_shown(text, data, len, "");
}

size_t pt_display_add_fitted(pt_text *line, const char *text, size_t width, bool utf8) {
    size_t whole = pt_display_width(text);
    if (whole <= width) {
        pt_text_add(line, text);
        return whole;
    }
    size_t taken = 0;
    for (size_t n; *text; text += n) {
        size_t w = point_width(code_point(text, &n));
        if (taken + w > width - 1) {
            break;
        }
        pt_text_add_n(line, text, n);
        taken += w;
    }
    pt_text_add(line, utf8 ? "…" : "~");
    return taken + 1;
}
