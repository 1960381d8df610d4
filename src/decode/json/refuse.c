/* Records that are in order but not what is wanted: what are they then? All of this runs for
 * refused records only. */
#include <stdio.h>
#include <string.h>

#include "columns/schema_lex.h"
#include "decode/json/core.h"

#define FRAME_BYTES      5  /* 0, then a schema's number, big-endian */
#define FRAME_BYTES_LONG 9  /* the same with a number of eight bytes */
#define GLUE_BYTES       18 /* 3, how the rest is compressed, then a schema version's UUID */
#define KEYS_LOOKED      16

static const char *skip_space(const char *p) {
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
        p++;
    }
    return p;
}

/* ---- framing ---- */

static uint32_t big_endian(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* True after pt_json_fail. */
static bool is_framed(pt_json *js) {
    const unsigned char *p = (const unsigned char *)js->begin;
    size_t len = (size_t)(js->end - js->begin);
    char what[64];
    size_t frame = 0;
    if (len >= GLUE_BYTES && p[0] == 3 && (p[1] == 0 || p[1] == 5)) {
        frame = GLUE_BYTES;
        (void)snprintf(what, sizeof what, "byte 3 and a schema version's UUID, %s",
                       p[1] ? "zlib" : "no compression");
    } else if (len >= FRAME_BYTES_LONG && p[0] == 0 && big_endian(p + 1) == 0) {
        frame = FRAME_BYTES_LONG;
        (void)snprintf(what, sizeof what, "byte 0 and the 8-byte schema id %u", big_endian(p + 5));
    } else if (len >= FRAME_BYTES && p[0] == 0) {
        frame = FRAME_BYTES;
        (void)snprintf(what, sizeof what, "byte 0 and the 4-byte schema id %u", big_endian(p + 1));
    }
    if (!frame) {
        return false;
    }
    const char *value = js->begin + frame;
    bool json = value < js->end && *skip_space(value) == '{';
    const char *advice =
        json ? "JSON follows: let the producer write it without the registry's serializer"
             : "what follows is no JSON object (Avro or Protobuf?), which pintail does not read";
    pt_json_fail(js, NULL, PT_DECODE_FRAMED, js->begin,
                 "the record is framed for a schema registry (%s); %s", what, advice);
    return true;
}

/* ---- no object ---- */

/* The string of [from, end), which is in order, without its escapes: its end, in scratch with a pad
 * of zeros. NULL: no memory. */
static const char *unescaped(pt_json *js, const char *from, const char *end, char **text) {
    *text = pt_json_scratch_get(js, (size_t)(end - from));
    if (!*text) {
        return NULL;
    }
    char *to = *text;
    const char *p = from + 1;
    while (p && p < end - 1) {
        if (*p == '\\') {
            p = pt_json_unescape(js, NULL, p, &to);
        } else {
            *to++ = *p++;
        }
    }
    memset(to, 0, (size_t)(*text + (end - from) - to));
    return p ? to : NULL;
}

/* What the text of a string is as JSON; NULL: none, or a simple value, which any text may look
 * like. */
static const char *json_inside(pt_json *js, const char *p, const char *end) {
    char *text;
    const char *text_end = unescaped(js, p, end, &text);
    const char *start = text_end ? skip_space(text) : NULL;
    if (!start || (*start != '{' && *start != '[' && *start != '"')) {
        return NULL;
    }
    pt_decode_error ignored;
    pt_decode_error *error = js->error;
    const char *begin = js->begin, *record_end = js->end;
    js->error = &ignored;
    js->begin = text;
    js->end = text_end;
    const char *after = js->scanner->skip(js, NULL, start);
    bool whole = after && skip_space(after) == text_end;
    js->error = error;
    js->begin = begin;
    js->end = record_end;
    return !whole ? NULL : *start == '{' ? "an object" : *start == '[' ? "a list" : "a string";
}

const char *pt_json_not_object(pt_json *js, const char *p) {
    if (memcmp(p, "\xef\xbb\xbf", 3) == 0) { /* the buffer has a pad */
        return pt_json_fail(js, NULL, PT_DECODE_SYNTAX, p,
                            "the record begins with a byte order mark (EF BB BF), which JSON must "
                            "not have; let the producer leave it out");
    }
    if (is_framed(js)) {
        return NULL;
    }
    const char *end = js->scanner->skip(js, NULL, p);
    if (!end) {
        return NULL;
    }
    const char *rest = skip_space(end);
    if (rest != js->end) {
        return pt_json_fail(js, NULL, PT_DECODE_TRAILING, rest, "bytes after the value: '%s'",
                            pt_json_quoted(rest, (size_t)(js->end - rest)).text);
    }
    pt_json_quote found = pt_json_quoted(p, (size_t)(js->end - p));
    const char *inside = *p == '"' ? json_inside(js, p, end) : NULL;
    if (js->own_code != PT_OK) {
        return NULL;
    }
    if (inside) {
        return pt_json_fail(js, NULL, PT_DECODE_NOT_OBJECT, p,
                            "the record is a JSON string that holds JSON (%s): it was encoded "
                            "twice; send the object itself, found '%s'",
                            inside, found.text);
    }
    return pt_json_fail(js, NULL, PT_DECODE_NOT_OBJECT, p,
                        "a record must be a JSON object {...}, found '%s'", found.text);
}

/* ---- no column ---- */

typedef struct key {
    const char *text; /* as it stands in the record, with its escapes */
    size_t len;
} key;

/* The first keys of the object at p; *more: there are others. */
static size_t read_keys(pt_json *js, const char *p, key keys[KEYS_LOOKED], bool *more) {
    size_t n = 0;
    p = skip_space(p + 1);
    while (p && *p == '"' && n < KEYS_LOOKED) {
        const char *end = js->scanner->skip(js, NULL, p);
        if (!end) {
            break;
        }
        keys[n++] = (key){p + 1, (size_t)(end - p) - 2};
        p = js->scanner->skip(js, NULL, skip_space(skip_space(end) + 1));
        p = p ? skip_space(p) : NULL;
        p = p && *p == ',' ? skip_space(p + 1) : p;
    }
    *more = p && *p == '"';
    return n;
}

static bool has(const key *keys, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (keys[i].len == strlen(name) && memcmp(keys[i].text, name, keys[i].len) == 0) {
            return true;
        }
    }
    return false;
}

/* What the keys tell of where the record comes from. */
static void write_hint(const pt_json *js, const key *keys, size_t n, char *out, size_t size) {
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < js->top->n; c++) {
            const pt_json_node *node = &js->top->nodes[c];
            if (pt_name_same(keys[i].text, keys[i].len, node->name, node->name_len)) {
                (void)snprintf(out, size, "; column %s: upper and lower case differ",
                               pt_json_quoted(node->name, node->name_len).text);
                return;
            }
        }
    }
    const char *hint = "";
    if (has(keys, n, "schema") && has(keys, n, "payload")) {
        hint = "; an envelope of Kafka Connect: set value.converter.schemas.enable=false there";
    } else if (has(keys, n, "op") && (has(keys, n, "before") || has(keys, n, "after"))) {
        hint = "; an envelope of change data: let the connector unwrap it (ExtractNewRecordState)";
    } else if (has(keys, n, "specversion") && has(keys, n, "type")) {
        hint = "; an envelope of CloudEvents: the columns are those of its 'data'";
    } else if (has(keys, n, "_kafka_offset") || has(keys, n, "_kafka_partition") ||
               has(keys, n, "ingest_time")) {
        hint = "; the metadata columns are filled by pintail, not by records";
    }
    (void)snprintf(out, size, "%s", hint);
}

const char *pt_json_no_column(pt_json *js, const char *p) {
    key keys[KEYS_LOOKED];
    bool more;
    size_t n = read_keys(js, p, keys, &more);
    if (n > 0) { /* counted as ignored on the way, but the whole record is not taken */
        js->unknown_keys = js->unknown_keys_before;
        js->n_unknown_names = js->n_unknown_names_before;
    }
    if (n == 0) {
        return pt_json_fail(
            js, NULL, PT_DECODE_NO_COLUMN, p,
            "the record is an object without keys; --on-no-column null takes it as a row");
    }
    char names[100] = "", hint[96];
    size_t len = 0, shown = 0;
    for (; shown < n && len < sizeof names / 2; shown++) {
        int wrote = snprintf(names + len, sizeof names - len, "%s%s", shown ? ", " : "",
                             pt_json_quoted(keys[shown].text, keys[shown].len).text);
        len += wrote > 0 ? (size_t)wrote : 0;
    }
    write_hint(js, keys, n, hint, sizeof hint);
    return pt_json_fail(js, NULL, PT_DECODE_NO_COLUMN, p,
                        "none of the record's keys is a column: %s%s%s", names,
                        shown < n || more ? ", ..." : "", hint);
}
