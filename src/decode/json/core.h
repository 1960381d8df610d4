/* The inside of the JSON decoder: the plan, the state of a record, and what the json_*.c files
 * share.
 *
 * A record is first copied into a buffer of the decoder that has PT_JSON_PAD zero bytes behind it.
 * All reading happens there, so a scanner may load a whole word or vector at any place of the
 * record without a bounds check, and a NUL ends every loop: it is valid nowhere in JSON, and `p ==
 * end` tells the end of the record from a NUL in it.
 *
 * A reader (pt_json_read) takes a value from p and writes it to value `row` of its vector. It
 * returns the first byte after the value, or NULL when the record cannot be taken; then js->error
 * says why, or js->own_code when the failure is our own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "columns/vectors.h"
#include "decode/decode.h"

#define PT_JSON_PAD            64
#define PT_JSON_UNKNOWN_NAMES  16   /* that are kept */
#define PT_JSON_UNKNOWN_LOOKED 4096 /* unknown keys whose names are looked at */

__extension__ typedef unsigned __int128 pt_u128;
__extension__ typedef __int128 pt_i128;

#define PT_LIKELY(x)   __builtin_expect(!!(x), 1)
#define PT_UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef struct pt_json pt_json;
typedef struct pt_json_node pt_json_node;
typedef struct pt_json_object pt_json_object;

typedef const char *(*pt_json_read)(pt_json *js, const pt_json_node *node, const char *p,
                                    size_t row);

/* One type of the plan, with its vector's number in pt_rows. */
struct pt_json_node {
    pt_json_read read;
    uint32_t vec;
    pt_type_id id;
    uint8_t width, scale, bits; /* bits: of the stored integer of DECIMAL */
    pt_epoch_unit epoch;
    pt_blob_text blob;
    bool not_null;
    const char *name; /* column or STRUCT member; NULL for elements */
    size_t name_len;
    const pt_json_node *parent;
    pt_json_node *children; /* LIST: element; MAP: key, value; STRUCT: in object->nodes */
    pt_json_object *object;
    int8_t shift;          /* TIMESTAMP*: a number times 10^shift is in the column's resolution */
    uint64_t epoch_max[2]; /* TIMESTAMP*: the largest magnitude of a positive and of a negative
                              number, in the column's resolution */
    const char *missing;   /* the default's JSON, padded; NULL: none */
    size_t missing_len;
};

#define PT_JSON_SLOT_MAX 32
#define PT_JSON_END      UINT32_MAX

/* What stood between the value of one column and the next value when they last followed each other:
 * separator, white space, key, colon. It was parsed once; where the same bytes come again they need
 * no parsing. */
typedef struct pt_json_slot {
    _Alignas(32) char text[PT_JSON_SLOT_MAX];
    uint64_t masks[4];
    uint32_t mask,
        want;        /* a slot that knows nothing has mask 0, want 1, which never compares equal */
    uint32_t column; /* PT_JSON_END: the text ends with the object's } */
    uint8_t len, key_at;
    uint8_t misses; /* wraps; where records come in any order, learning at every miss is a waste */
} pt_json_slot;

/* The keys of the record or of a STRUCT. */
struct pt_json_object {
    pt_json_node *nodes;
    size_t n;
    pt_json_slot *slots; /* [0] before the first key, [i + 1] after column i */
    uint64_t *seen;      /* [words]; an object is never open twice, as types do not recurse */
    size_t words;
    uint64_t last_word;  /* seen[words - 1] when all were seen */
    pt_json_slot *names; /* [n] name and closing quote, to compare like slots; those that are too
                            long never match */
    uint32_t *quick; /* [2^(64 - quick_shift)] column + 1 by a hash of some bytes of the key, before
                        its end is known; a guess */
    size_t quick_at;
    unsigned
        quick_shift; /* the hash is the top bits of a product: all bytes of the key reach those */
    uint64_t quick_bytes, quick_factor;
    uint8_t unordered; /* so many objects more are read without asking the slots, as the last had
                          its keys in an order of its own */
    uint8_t gap[2], colon_gap; /* bytes from , or { to the key, and from its end to the value, as
                                  they were last; 1 or 2 */
    uint32_t *table;           /* open addressing on the name's hash: node + 1, 0 empty */
    size_t table_mask;
};

/* Keys seen in the objects that are open, for duplicates; see json_keys.c. */
typedef struct pt_json_key {
    const char *data;
    uint32_t len, hash;
} pt_json_key;

typedef struct pt_json_keyslot {
    uint32_t generation, scope, hash, key;
} pt_json_keyslot;

typedef struct pt_json_keys {
    pt_json_key *keys; /* a stack: the open objects' keys, outermost first */
    size_t n, cap;
    size_t base;    /* where the innermost object's keys start */
    uint32_t scope; /* the innermost object's number in this record */
    uint32_t scopes;
    pt_json_keyslot *table;
    size_t table_mask, table_used;
    uint32_t generation;
    uint64_t seed;
} pt_json_keys;

typedef struct pt_json_scope {
    size_t base;
    uint32_t scope;
} pt_json_scope;

/* Text that outlives the parsing of a record's part: unescaped keys and strings that are converted.
 */
typedef struct pt_json_scratch pt_json_scratch;

/* The scanners: portable, and AVX2 where the CPU has it. Same results, bit for bit. */
typedef struct pt_json_scanner {
    const char *(*record)(pt_json *js, const char *p); /* p at the object's { */
    const char *(*skip)(pt_json *js, const pt_json_node *node,
                        const char *p); /* checks any value */
    pt_json_read (*reader)(const pt_json_node *node);
} pt_json_scanner;

extern const pt_json_scanner pt_json_portable;
#if defined(__x86_64__)
extern const pt_json_scanner pt_json_avx2;
#endif

/* Bounded and printable. */
typedef struct pt_json_quote {
    char text[44];
} pt_json_quote;

/* A node's or a key's path, cut. */
typedef struct pt_json_path {
    char text[128];
} pt_json_path;

struct pt_json {
    const char *begin, *end; /* the padded copy */
    pt_rows *rows;
    pt_json_object *top;
    unsigned depth; /* open objects and lists */
    const pt_json_scanner *scanner;
    pt_json_keys keys;
    uint64_t unknown_keys;
    pt_json_path unknown_names[PT_JSON_UNKNOWN_NAMES]; /* the first different ones */
    size_t n_unknown_names;
    uint64_t unknown_keys_before; /* both as they were when the record's first key without a column
                                     came */
    size_t n_unknown_names_before;
    bool wants_column; /* pt_decoder_options.want_column */
    bool no_column;    /* the record under way is such a one */

    pt_decode_error *error;
    pt_error *own;
    int own_code;

    char *buffer;
    size_t buffer_size;
    pt_json_scratch *scratch; /* newest first; emptied for every record */
    const pt_schema *schema;
    uint64_t rows_serial; /* the pt_rows whose types were checked */
};

/* ---- errors (json_error.c): all return NULL, for a reader's return ---- */

/* at: where in the record. The text starts with "column <path>: " when node is given. */
const char *pt_json_fail(pt_json *js, const pt_json_node *node, pt_decode_code code, const char *at,
                         const char *format, ...)
    __attribute__((format(printf, 5, 6), cold, noinline));
/* Something else than `wanted` at p: truncated at the end of the record, else syntax. */
const char *pt_json_expected(pt_json *js, const pt_json_node *node, const char *p,
                             const char *wanted) __attribute__((cold, noinline));
const char *pt_json_own(pt_json *js, int code) __attribute__((cold, noinline));
const char *pt_json_nomem(pt_json *js, const char *what) __attribute__((cold, noinline));

/* A key that no column (or member of the STRUCT node) has; called for the first few. */
void pt_json_note_unknown(pt_json *js, const pt_json_node *node, const char *key, size_t len)
    __attribute__((cold, noinline));

/* Of [p, p + len). */
pt_json_quote pt_json_quoted(const char *p, size_t len);
/* DuckDB's name of the node's type. */
typedef struct pt_json_type_text {
    char text[32];
} pt_json_type_text;
pt_json_type_text pt_json_type_of(const pt_json_node *node);

/* ---- what a record is that is not one (json_refuse.c): NULL, for a reader's return ---- */

/* The record does not begin with {; p: at its first byte that is no white space. */
const char *pt_json_not_object(pt_json *js, const char *p) __attribute__((cold, noinline));
/* None of the keys of the object at p is a column; all of it was read. */
const char *pt_json_no_column(pt_json *js, const char *p) __attribute__((cold, noinline));

/* ---- keys (json_keys.c) ---- */

/* 8 bytes behind data must be readable (the record's buffer, scratch and names are padded); the
 * same goes for keys_add. */
uint64_t pt_json_hash(const char *data, size_t len, uint64_t seed);
void pt_json_keys_start(pt_json_keys *keys); /* a new record */
void pt_json_keys_free(pt_json_keys *keys);
pt_json_scope pt_json_keys_enter(pt_json_keys *keys);
void pt_json_keys_leave(pt_json_keys *keys, pt_json_scope outer);
/* Adds a key to the innermost object. 1 new, 0 it was there, -1 no memory. data must stay until the
 * object is left. */
int pt_json_keys_add(pt_json_keys *keys, const char *data, size_t len);

/* ---- text (json_text.c) ---- */

/* len + PT_JSON_PAD bytes that last until the record ends, zeroed behind len; NULL after
 * pt_json_nomem. */
char *pt_json_scratch_get(pt_json *js, size_t len);
void pt_json_scratch_reset(pt_json *js);
/* The first byte of [p, end) that starts no valid UTF-8 sequence, or NULL when all is well. */
const char *pt_json_utf8_bad(const char *p, const char *end);
/* Whether what is wrong at p is only that the record ends. */
bool pt_json_utf8_cut(const char *p, const char *end);
/* Writes what the escape at p (a backslash) stands for to *out and moves it; returns the byte after
 * the escape. */
const char *pt_json_unescape(pt_json *js, const pt_json_node *node, const char *p, char **out);
/* Converts text (unescaped, checked, padded) to a value of node; at: the value's place, for errors.
 * False after pt_json_fail. */
bool pt_json_from_text(pt_json *js, const pt_json_node *node, const char *text, size_t len,
                       const char *at, size_t row);
bool pt_json_uuid(const char *text, size_t len, duckdb_hugeint *out);
/* -1: not base64 or hex; else the bytes written, at most len. */
ptrdiff_t pt_json_base64(const char *text, size_t len, char *out);
ptrdiff_t pt_json_hex(const char *text, size_t len, char *out);

/* ---- numbers (json_number.c) ---- */

/* value = (-1)^negative * digits * 10^exponent; `more`: digits were dropped behind the 39th that
 * were not all zero. */
typedef struct pt_json_number {
    const char *start, *end;
    pt_u128 digits;
    int64_t exponent;
    bool negative, more;
} pt_json_number;

/* Reads a JSON number at p; returns its end, or NULL with *bad at the byte that is wrong. */
const char *pt_json_number_read(const char *p, pt_json_number *out, const char **bad);
/* The general way for every type that takes numbers; the number was read. False after pt_json_fail.
 */
bool pt_json_from_number(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                         const char *at, size_t row);
/* Stores value in the vector, checked against the type's range. */
bool pt_json_store_integer(const pt_json_node *node, void *data, size_t row, bool negative,
                           pt_u128 magnitude);
extern const uint64_t pt_json_pow10[20];

/* Correctly rounded (half to even), json_float.c. False when the number is too large for the type.
 * `text` is the number's. */
bool pt_json_to_double(const pt_json_number *n, double *out);
bool pt_json_to_float(const pt_json_number *n, float *out);
/* The same into a vector; says so to the rows when it is -0.0. */
bool pt_json_put_double(pt_json *js, const pt_json_node *node, const pt_json_number *n, size_t row);
bool pt_json_put_float(pt_json *js, const pt_json_node *node, const pt_json_number *n, size_t row);
int pt_json_float_start(void); /* makes the tables, once */

/* ---- times (json_time.c) ---- */

/* Units a second of the type's stored integer: 1, 1000, 10^6 or 10^9. */
int64_t pt_json_time_units(pt_type_id id);
bool pt_json_time_in_range(pt_type_id id, pt_i128 value);
/* A number of the unit times 10^shift is in the type's resolution. */
int8_t pt_json_epoch_shift(pt_type_id id, pt_epoch_unit unit);
/* What a number may come to: the years 1 to 9999, or less where the type ends before. Beyond them
 * it is of another unit; a program that writes text means what it writes, so text goes by
 * pt_json_time_in_range. */
void pt_json_epoch_limits(pt_type_id id, uint64_t max[2]);
/* The year of so many seconds since 1970. */
int64_t pt_json_year(int64_t seconds);
/* Whether digits below the type's resolution are an error; else they are rounded, as epoch times
 * come with more digits than a clock has. */
static inline bool pt_json_time_exact(pt_type_id id) {
    return id != PT_TIMESTAMP && id != PT_TIMESTAMPTZ;
}
typedef enum pt_json_time_result {
    PT_TIME_OK,
    PT_TIME_FORMAT,
    PT_TIME_RANGE,
    PT_TIME_LOSSY
} pt_json_time_result;
pt_json_time_result pt_json_date_text(const char *text, size_t len, int32_t *days);
pt_json_time_result pt_json_time_text(const char *text, size_t len, int64_t *micros);
pt_json_time_result pt_json_timestamp_text(pt_type_id id, const char *text, size_t len,
                                           int64_t *out);

/* ---- the plan (json_plan.c) ---- */

int pt_json_plan_new(const pt_schema *schema, pt_json_object **out, pt_error *err) PT_CHECKED;
void pt_json_plan_free(pt_json_object **plan);
/* Sets every node's reader and forgets what the slots have learned. */
void pt_json_plan_bind(pt_json_object *plan, const pt_json_scanner *scanner);
void pt_json_slot_clear(pt_json_slot *slot);
void pt_json_slot_learn(pt_json_slot *slot, const char *from, const char *key, const char *to,
                        uint32_t column);
/* The column that a key might be, by 8 readable bytes from quick_at on; 0: none, else column + 1.
 */
static inline uint32_t pt_json_quick(const pt_json_object *o, const char *key) {
    uint64_t bytes;
    memcpy(&bytes, key + o->quick_at, sizeof bytes);
    return o->quick[(bytes & o->quick_bytes) * o->quick_factor >> o->quick_shift];
}
/* Of a key, for the table of an object; quick, but not safe against keys that are made to collide
 * (the table's names are the schema's). */
static inline uint64_t pt_json_name_hash(const char *key, size_t len) {
    static const uint64_t masks[9] = {0,
                                      0xFF,
                                      0xFFFF,
                                      0xFFFFFF,
                                      0xFFFFFFFF,
                                      0xFFFFFFFFFF,
                                      0xFFFFFFFFFFFF,
                                      0xFFFFFFFFFFFFFF,
                                      0xFFFFFFFFFFFFFFFF};
    if (PT_UNLIKELY(len > 16)) {
        return pt_json_hash(key, len, 0);
    }
    uint64_t a, b;
    memcpy(&a, key, sizeof a);
    memcpy(&b, key + (len > 8 ? len - 8 : 0), sizeof b);
    uint64_t mask = masks[len < 8 ? len : 8];
    uint64_t h = ((a & mask) * 0x9E3779B97F4A7C15U) ^ (((b & mask) + len) * 0xC2B2AE3D27D4EB4FU);
    return h >> 32 ^ h >> 52;
}
/* Fills what the record did not name: defaults and NULLs. */
bool pt_json_object_missing(pt_json *js, pt_json_object *object, const char *at, size_t row);
/* null for node. */
bool pt_json_null(pt_json *js, const pt_json_node *node, const char *at, size_t row);
