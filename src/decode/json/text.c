/* What stands inside of strings: UTF-8, escapes, and text that is converted (UUID, times, base64,
 * hex, numbers). */
#include <stdlib.h>
#include <string.h>

#include "decode/json/core.h"

/* ---- scratch ---- */

#define SCRATCH_MIN  ((size_t)4096)
#define SCRATCH_KEEP ((size_t)1 << 16)

struct pt_json_scratch {
    pt_json_scratch *older;
    size_t used, size;
    char bytes[];
};

char *pt_json_scratch_get(pt_json *js, size_t len) {
    size_t need = len + PT_JSON_PAD;
    pt_json_scratch *s = js->scratch;
    if (!s || s->size - s->used < need) {
        size_t size = s ? s->size * 2 : SCRATCH_MIN;
        size = size < need ? need : size;
        s = malloc(sizeof *s + size);
        if (!s) {
            pt_json_nomem(js, "text of a record");
            return NULL;
        }
        *s = (pt_json_scratch){.older = js->scratch, .size = size};
        js->scratch = s;
    }
    char *p = s->bytes + s->used;
    s->used += need;
    memset(p + len, 0, PT_JSON_PAD);
    return p;
}

void pt_json_scratch_reset(pt_json *js) {
    pt_json_scratch *s = js->scratch;
    while (s && (s->older || s->size > SCRATCH_KEEP)) {
        pt_json_scratch *older = s->older;
        free(s);
        s = older;
    }
    js->scratch = s;
    if (s) {
        s->used = 0;
    }
}

/* ---- UTF-8 ---- */

/* The length of the valid sequence at p (RFC 3629: no overlong form, no surrogate, up to U+10FFFF),
 * 0 when there is none. */
static size_t sequence(const unsigned char *p, const unsigned char *end) {
    size_t left = (size_t)(end - p);
    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xE0) {
        return p[0] >= 0xC2 && left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    }
    if (p[0] < 0xF0) {
        if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) {
            return 0;
        }
        return (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ? 0 : 3;
    }
    if (p[0] > 0xF4 || left < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 ||
        (p[3] & 0xC0) != 0x80) {
        return 0;
    }
    return (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F) ? 0 : 4;
}

const char *pt_json_utf8_bad(const char *text, const char *text_end) {
    const unsigned char *p = (const unsigned char *)text, *end = (const unsigned char *)text_end;
    while (p < end) {
        if (*p < 0x80) {
            uint64_t word;
            while (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080U) == 0)) {
                p += 8;
            }
            while (p < end && *p < 0x80) {
                p++;
            }
            continue;
        }
        size_t n = sequence(p, end);
        if (n == 0) {
            return (const char *)p;
        }
        p += n;
    }
    return NULL;
}

bool pt_json_utf8_cut(const char *text, const char *end) {
    const unsigned char *p = (const unsigned char *)text;
    size_t left = (size_t)(end - text), need = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    for (size_t i = 1; i < left; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return false;
        }
    }
    return p[0] >= 0xC2 && p[0] <= 0xF4 && left < need;
}

/* ---- escapes ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at p, or -1 with *bad at the byte that is none. */
static int32_t hex4(const char *p, const char **bad) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) {
            *bad = p + i;
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static char *utf8_put(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

static const char *lone_surrogate(pt_json *js, const pt_json_node *node, const char *at) {
    return pt_json_fail(
        js, node, PT_DECODE_UTF8, at,
        "%s is half of a surrogate pair; the other half must follow or precede it as \\uXXXX",
        pt_json_quoted(at, 6).text);
}

static const char *unescape_u(pt_json *js, const pt_json_node *node, const char *p, char **out) {
    const char *bad = NULL;
    int32_t c = hex4(p + 2, &bad);
    if (c < 0) {
        return pt_json_expected(js, node, bad, "four hexadecimal digits after \\u");
    }
    const char *next = p + 6;
    if (c >= 0xD800 && c <= 0xDFFF) {
        if (c >= 0xDC00) {
            return lone_surrogate(js, node, p);
        }
        if (next >= js->end || (*next == '\\' && next + 1 >= js->end)) {
            return pt_json_expected(js, node, js->end, "the second half of a surrogate pair");
        }
        if (next[0] != '\\' || next[1] != 'u') {
            return lone_surrogate(js, node, p);
        }
        int32_t low = hex4(next + 2, &bad);
        if (low < 0) {
            return pt_json_expected(js, node, bad, "four hexadecimal digits after \\u");
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return lone_surrogate(js, node, p);
        }
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        next += 6;
    }
    if (c == 0) {
        pt_rows_note_nul(js->rows);
    }
    *out = utf8_put(*out, (uint32_t)c);
    return next;
}

const char *pt_json_unescape(pt_json *js, const pt_json_node *node, const char *p, char **out) {
    char c;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/': c = p[1]; break;
    case 'b': c = '\b'; break;
    case 'f': c = '\f'; break;
    case 'n': c = '\n'; break;
    case 'r': c = '\r'; break;
    case 't': c = '\t'; break;
    case 'u': return unescape_u(js, node, p, out);
    default:
        return pt_json_expected(js, node, p + 1, "one of \" \\ / b f n r t u after a backslash");
    }
    *(*out)++ = c;
    return p + 2;
}

/* ---- conversions ---- */

bool pt_json_uuid(const char *text, size_t len, duckdb_hugeint *out) {
    if (len != 36) {
        return false;
    }
    uint64_t half[2] = {0, 0};
    size_t n = 0;
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') {
                return false;
            }
            continue;
        }
        int digit = hex_digit(text[i]);
        if (digit < 0) {
            return false;
        }
        half[n / 16] = half[n / 16] << 4 | (uint64_t)digit;
        n++;
    }
    out->lower = half[1];
    out->upper = (int64_t)(half[0] ^
                           (uint64_t)1
                               << 63); /* so that DuckDB's signed order is the order of the text */
    return true;
}

ptrdiff_t pt_json_hex(const char *text, size_t len, char *out) {
    if (len % 2) {
        return -1;
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        out[i] = (char)(high << 4 | low);
    }
    return (ptrdiff_t)(len / 2);
}

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4: padding required, and the bits that it leaves over must be zero. */
ptrdiff_t pt_json_base64(const char *text, size_t len, char *out) {
    if (len % 4) {
        return -1;
    }
    char *o = out;
    for (size_t i = 0; i < len; i += 4) {
        int pad = i + 4 == len ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=')
                               : 0;
        int a = base64_digit(text[i]), b = base64_digit(text[i + 1]);
        int c = pad == 2 ? 0 : base64_digit(text[i + 2]), d = pad ? 0 : base64_digit(text[i + 3]);
        if (a < 0 || b < 0 || c < 0 || d < 0 || (pad == 2 && (b & 15)) || (pad == 1 && (c & 3))) {
            return -1;
        }
        *o++ = (char)(a << 2 | b >> 4);
        if (pad < 2) {
            *o++ = (char)((b & 15) << 4 | c >> 2);
        }
        if (pad < 1) {
            *o++ = (char)((c & 3) << 6 | d);
        }
    }
    return o - out;
}

static bool no_format(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                      const char *at, const char *what) {
    pt_json_fail(js, node, PT_DECODE_FORMAT, at, "'%s' is no %s: %s",
                 pt_json_quoted(text, len).text, pt_json_type_of(node).text, what);
    return false;
}

static bool from_time(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                      const char *at, size_t row) {
    void *data = js->rows->vecs[node->vec].data;
    const char *form = "send ISO 8601 text such as 2026-01-31T23:59:59.123Z, or a number";
    pt_json_time_result result;
    if (node->id == PT_DATE) {
        form = "send YYYY-MM-DD";
        result = pt_json_date_text(text, len, (int32_t *)data + row);
    } else if (node->id == PT_TIME) {
        form = "send HH:MM:SS, with a fraction or without";
        result = pt_json_time_text(text, len, (int64_t *)data + row);
    } else {
        result = pt_json_timestamp_text(node->id, text, len, (int64_t *)data + row);
    }
    if (result == PT_TIME_RANGE) {
        pt_json_fail(js, node, PT_DECODE_RANGE, at, "'%s' is outside what %s can hold",
                     pt_json_quoted(text, len).text, pt_json_type_of(node).text);
    } else if (result == PT_TIME_LOSSY) {
        pt_json_fail(js, node, PT_DECODE_LOSSY, at,
                     "'%s' would lose %s in %s; declare the column TIMESTAMP or TIMESTAMP_NS",
                     pt_json_quoted(text, len).text,
                     node->id == PT_DATE ? "its time of day" : "digits",
                     pt_json_type_of(node).text);
    }
    return result == PT_TIME_OK ||
           (result == PT_TIME_FORMAT && no_format(js, node, text, len, at, form));
}

static bool from_blob(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                      const char *at, size_t row) {
    if (pt_rows_arena_room(js->rows, len, js->own) != PT_OK) {
        return pt_json_own(js, PT_E_NOMEM) != NULL;
    }
    char *out = js->rows->arena_at;
    ptrdiff_t n = node->blob == PT_BLOB_HEX ? pt_json_hex(text, len, out)
                                            : pt_json_base64(text, len, out);
    if (n < 0) {
        return no_format(js, node, text, len, at,
                         node->blob == PT_BLOB_HEX
                             ? "send an even number of hexadecimal digits"
                             : "send base64 (RFC 4648, with padding), or declare the column HEX");
    }
    js->rows->arena_at += n > 12 ? n : 0;
    ((duckdb_string_t *)js->rows->vecs[node->vec].data)[row] = pt_rows_string_of(out, (size_t)n);
    return true;
}

static bool from_varchar(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                         size_t row) {
    if (len > 12) {
        if (pt_rows_arena_room(js->rows, len, js->own) != PT_OK) {
            return pt_json_own(js, PT_E_NOMEM) != NULL;
        }
        memcpy(js->rows->arena_at, text, len);
        text = js->rows->arena_at;
        js->rows->arena_at += len;
    }
    ((duckdb_string_t *)js->rows->vecs[node->vec].data)[row] = pt_rows_string_of(text, len);
    return true;
}

static bool from_boolean(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                         const char *at, size_t row) {
    bool yes = len == 4 && memcmp(text, "true", 4) == 0;
    if (!yes && (len != 5 || memcmp(text, "false", 5) != 0)) {
        return no_format(js, node, text, len, at, "send true or false");
    }
    ((bool *)js->rows->vecs[node->vec].data)[row] = yes;
    return true;
}

bool pt_json_from_text(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                       const char *at, size_t row) {
    switch (node->id) {
    case PT_VARCHAR: return from_varchar(js, node, text, len, row);
    case PT_UUID:
        return pt_json_uuid(text, len, (duckdb_hugeint *)js->rows->vecs[node->vec].data + row) ||
               no_format(js, node, text, len, at, "send 8-4-4-4-12 hexadecimal digits");
    case PT_DATE:
    case PT_TIME:
    case PT_TIMESTAMP:
    case PT_TIMESTAMP_S:
    case PT_TIMESTAMP_MS:
    case PT_TIMESTAMP_NS:
    case PT_TIMESTAMPTZ: return from_time(js, node, text, len, at, row);
    case PT_BLOB: return from_blob(js, node, text, len, at, row);
    case PT_BOOLEAN: return from_boolean(js, node, text, len, at, row);
    default: break;
    }
    pt_json_number number;
    const char *bad;
    const char *end = pt_json_number_read(text, &number, &bad);
    if (end != text + len) {
        return no_format(js, node, text, len, at, "send a number in JSON's form");
    }
    return pt_json_from_number(js, node, &number, at, row);
}
