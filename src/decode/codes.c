#include "decode/codes.h"

#include <stddef.h>

static const struct {
    const char *name, *help;
} codes[PT_DECODE_CODES] = {
    [PT_DECODE_OK] = {"ok", "the record is a row"},
    [PT_DECODE_EMPTY] = {"empty", "the value has no byte, or white space only"},
    [PT_DECODE_SYNTAX] = {"syntax", "the value is not JSON (RFC 8259)"},
    [PT_DECODE_TRUNCATED] = {"truncated", "the value ends too early"},
    [PT_DECODE_TRAILING] = {"trailing", "more bytes follow the value"},
    [PT_DECODE_NOT_OBJECT] = {"not_object", "the value is valid JSON, but no object"},
    [PT_DECODE_UTF8] = {"utf8", "text is not UTF-8, or a surrogate escape stands alone"},
    [PT_DECODE_DEPTH] = {"depth", "the value is nested deeper than 64 levels"},
    [PT_DECODE_DUPLICATE_KEY] = {"duplicate_key", "an object has the same key twice"},
    [PT_DECODE_NOT_NULL] = {"not_null", "a NOT NULL column without default is null or missing, or "
                                        "a key of a MAP is null"},
    [PT_DECODE_TYPE] = {"type", "the column cannot take a value of this kind"},
    [PT_DECODE_RANGE] = {"range", "a number or a time lies outside the column's type"},
    [PT_DECODE_LOSSY] = {"lossy", "the column would lose digits of a number"},
    [PT_DECODE_FORMAT] = {"format", "a text is not of the form that the column needs (UUID, date, "
                                    "time, base64, ...)"},
    [PT_DECODE_TOMBSTONE] = {"tombstone", "the record has no value"},
    [PT_DECODE_TOO_LARGE] = {"too_large", "the value has more than 1 GiB"},
    [PT_DECODE_NO_COLUMN] = {"no_column", "no key of the object is a column"},
    [PT_DECODE_FRAMED] = {"framed", "the bytes of a schema registry stand before the value"},
    [PT_DECODE_PARTITION] = {"partition", "the table's partitions cannot take a value"},
    [PT_DECODE_REFUSED] = {"refused", "the record decodes, but the lake refuses it"},
};

const char *pt_decode_code_name(pt_decode_code code) {
    return (size_t)code < PT_DECODE_CODES ? codes[code].name : "unknown";
}

const char *pt_decode_code_help(pt_decode_code code) {
    return (size_t)code < PT_DECODE_CODES ? codes[code].help : "";
}
