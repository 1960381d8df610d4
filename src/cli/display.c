#include "cli/display.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/shown.h"

/* Of the first code point of text, and *n its bytes; a stray byte counts as one. */
static size_t point_width(const char *text, size_t len, size_t *n) {
    uint32_t c = pt_code_point(text, len, n);
    int w = c < 0x7F ? 1 : c == PT_NOT_UTF8 ? 1 : wcwidth((wchar_t)c);
    return w < 0 ? 1 : (size_t)w;
}

size_t pt_display_width(const char *text) {
    size_t width = 0;
    size_t len = strlen(text);
    for (size_t n; len; text += n, len -= n) {
        width += point_width(text, len, &n);
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
    size_t len = strlen(text);
    for (size_t n; len; text += n, len -= n) {
        size_t w = point_width(text, len, &n);
        if (taken + w > width - 1) {
            break;
        }
        pt_text_add_n(line, text, n);
        taken += w;
    }
    pt_text_add(line, utf8 ? "…" : "~");
    return taken + 1;
}
