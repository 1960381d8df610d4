#include "base/shown.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

uint32_t pt_code_point(const char *text, size_t len, size_t *n) {
    const unsigned char *p = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    *n = 1;
    size_t more = p[0] < 0x80                   ? 0
                  : p[0] >= 0xF0 && p[0] < 0xF5 ? 3
                  : p[0] >= 0xE0                ? 2
                  : p[0] >= 0xC2                ? 1
                                                : SIZE_MAX;
    if (more == SIZE_MAX || p[0] >= 0xF5 || more >= len) {
        return PT_NOT_UTF8;
    }
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3FU >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return PT_NOT_UTF8;
        }
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
        return PT_NOT_UTF8;
    }
    *n = more + 1;
    return c;
}

static bool steers(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void pt_text_add_shown(pt_text *text, const char *data, size_t len, const char *kept) {
    size_t plain = 0; /* where what is not added yet begins */
    size_t n;
    for (size_t i = 0; i < len; i += n) {
        uint32_t c = pt_code_point(data + i, len - i, &n);
        bool keep = c != PT_NOT_UTF8 && (!steers(c) || (c && c < 0x80 && strchr(kept, (int)c)));
        if (keep) {
            continue;
        }
        pt_text_add_n(text, data + plain, i - plain);
        plain = i + n;
        if (c == PT_NOT_UTF8) {
            pt_text_addf(text, "\\x%02x", (unsigned char)data[i]);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            pt_text_add(text, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        } else {
            pt_text_addf(text, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        }
    }
    pt_text_add_n(text, data + plain, len - plain);
}

void pt_text_add_json_shown(pt_text *text, const char *data, size_t len) {
    size_t n;
    pt_text_add(text, "\"");
    for (size_t i = 0; i < len; i += n) {
        uint32_t c = pt_code_point(data + i, len - i, &n);
        if (c == '"' || c == '\\') {
            pt_text_addf(text, "\\%c", (int)c);
        } else if (c == '\n' || c == '\t') {
            pt_text_add(text, c == '\n' ? "\\n" : "\\t");
        } else if (c == PT_NOT_UTF8 || steers(c)) {
            pt_text_addf(text, "\\u%04x", c == PT_NOT_UTF8 ? 0xFFFDU : (unsigned)c);
        } else {
            pt_text_add_n(text, data + i, n);
        }
    }
    pt_text_add(text, "\"");
}
