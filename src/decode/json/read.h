/* Readers of simple values, straight into the vector. Included after json_skip.h, once by each
 * scanner.
 *
 * A reader takes the common form of its type at once and leaves everything else, errors included,
 * to a function that is not inlined. */

static inline void *vec_data(const pt_json *js, const pt_json_node *node) {
    return js->rows->vecs[node->vec].data;
}

/* A value whose first byte the reader does not take: null, or the wrong kind (after all of it was
 * checked), or no JSON. */
static COLD const char *read_other(pt_json *js, const pt_json_node *node, const char *p,
                                   size_t row) {
    if (p[0] == 'n' && p[1] == 'u' && p[2] == 'l' && p[3] == 'l') {
        return pt_json_null(js, node, p, row) ? p + 4 : NULL;
    }
    const char *end = skip_value(js, node, p);
    if (!end) {
        return NULL;
    }
    const char *kind = *p == '"'                ? "a string"
                       : *p == '{'              ? "an object"
                       : *p == '['              ? "a list"
                       : *p == 't' || *p == 'f' ? "a boolean"
                                                : "a number";
    return pt_json_fail(js, node, PT_DECODE_TYPE, p, "%s where %s is wanted: %s", kind,
                        pt_json_type_of(node).text, pt_json_quoted(p, (size_t)(end - p)).text);
}

static __attribute__((noinline)) const char *read_number(pt_json *js, const pt_json_node *node,
                                                         const char *p, size_t row) {
    if (*p != '-' && (*p < '0' || *p > '9')) {
        return read_other(js, node, p, row);
    }
    pt_json_number n;
    const char *bad = p;
    const char *end = pt_json_number_read(p, &n, &bad);
    if (!end) {
        return bad_number(js, node, bad);
    }
    return pt_json_from_number(js, node, &n, p, row) ? end : NULL;
}

/* Strings that are converted. */
static __attribute__((noinline)) const char *read_text(pt_json *js, const pt_json_node *node,
                                                       const char *p, size_t row) {
    if (*p != '"') {
        return read_other(js, node, p, row);
    }
    const char *text;
    size_t len;
    const char *end = text_of(js, node, p, &text, &len);
    return end && pt_json_from_text(js, node, text, len, p, row) ? end : NULL;
}

static __attribute__((noinline)) const char *read_number_or_text(pt_json *js,
                                                                 const pt_json_node *node,
                                                                 const char *p, size_t row) {
    return *p == '"' ? read_text(js, node, p, row) : read_number(js, node, p, row);
}

static const char *read_boolean(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    bool *out = (bool *)vec_data(js, node) + row;
    if (word == 0x65757274U) { /* true */
        *out = true;
        return p + 4;
    }
    if (word == 0x736c6166U && p[4] == 'e') {
        *out = false;
        return p + 5;
    }
    return read_other(js, node, p, row);
}

/* ---- integers ---- */

/* A plain integer: its end, or NULL when it takes the general way. */
static inline const char *plain_integer(const char *p, bool *negative, uint64_t *value) {
    *negative = *p == '-';
    p += *negative;
    unsigned n = take_digits(p, value);
    const char *end = p + n;
    bool other = *end == '.' || (*end | 0x20) == 'e';
    if (PT_UNLIKELY(n == 0 || n > 19 || other || (n > 1 && *p == '0'))) {
        return NULL;
    }
    return end;
}

#define SIGNED_READER(name, type, max)                                                          \
    static const char *name(pt_json *js, const pt_json_node *node, const char *p, size_t row) { \
        bool negative;                                                                          \
        uint64_t value;                                                                         \
        const char *end = plain_integer(p, &negative, &value);                                  \
        if (PT_UNLIKELY(!end || value > (uint64_t)(max) + negative)) {                          \
            return read_number(js, node, p, row);                                               \
        }                                                                                       \
        ((type *)vec_data(js, node))[row] = (type)(negative ? 0 - value : value);               \
        return end;                                                                             \
    }

#define UNSIGNED_READER(name, type, max)                                                        \
    static const char *name(pt_json *js, const pt_json_node *node, const char *p, size_t row) { \
        bool negative;                                                                          \
        uint64_t value;                                                                         \
        const char *end = plain_integer(p, &negative, &value);                                  \
        if (PT_UNLIKELY(!end || negative || value > (max))) {                                   \
            return read_number(js, node, p, row);                                               \
        }                                                                                       \
        ((type *)vec_data(js, node))[row] = (type)value;                                        \
        return end;                                                                             \
    }

SIGNED_READER(read_i8, int8_t, INT8_MAX)
SIGNED_READER(read_i16, int16_t, INT16_MAX)
SIGNED_READER(read_i32, int32_t, INT32_MAX)
SIGNED_READER(read_i64, int64_t, INT64_MAX)
UNSIGNED_READER(read_u8, uint8_t, UINT8_MAX)
UNSIGNED_READER(read_u16, uint16_t, UINT16_MAX)
UNSIGNED_READER(read_u32, uint32_t, UINT32_MAX)
UNSIGNED_READER(read_u64, uint64_t, UINT64_MAX)

/* ---- numbers with a fraction ---- */

/* whole.fraction without an exponent, 19 digits together at most: digits = whole * 10^decimals +
 * fraction. */
typedef struct plain {
    uint64_t digits;
    unsigned decimals;
    bool negative;
} plain;

/* Its end (an exponent may follow), or NULL when it takes the general way. */
static inline const char *plain_mantissa(const char *p, plain *out) {
    out->negative = *p == '-';
    p += out->negative;
    uint64_t whole, fraction;
    unsigned n = take_digits(p, &whole);
    const char *end = p + n;
    if (PT_UNLIKELY(n == 0 || n > 19 || (n > 1 && *p == '0'))) {
        return NULL;
    }
    out->digits = whole;
    out->decimals = 0;
    if (*end == '.') {
        unsigned m = take_digits(end + 1, &fraction);
        if (PT_UNLIKELY(m == 0 || n + m > 19)) {
            return NULL;
        }
        out->digits = whole * pt_json_pow10[m] + fraction;
        out->decimals = m;
        end += 1 + m;
    }
    return end;
}

/* The same without an exponent. */
static inline const char *plain_number(const char *p, plain *out) {
    const char *end = plain_mantissa(p, out);
    return end && (*end | 0x20) != 'e' ? end : NULL;
}

static const char *read_decimal(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    plain n;
    const char *end = plain_number(p, &n);
    if (PT_UNLIKELY(!end || n.decimals > node->scale || node->scale - n.decimals > 19U)) {
        return read_number_or_text(js, node, p, row);
    }
    pt_u128 wide = (pt_u128)n.digits * pt_json_pow10[node->scale - n.decimals];
    uint64_t value = (uint64_t)wide;
    if (PT_UNLIKELY(wide >> 64 || node->width > 18 || value >= pt_json_pow10[node->width])) {
        return read_number_or_text(js, node, p, row);
    }
    int64_t stored = n.negative ? -(int64_t)value : (int64_t)value;
    void *data = vec_data(js, node);
    switch (node->bits) {
    case 16: ((int16_t *)data)[row] = (int16_t)stored; break;
    case 32: ((int32_t *)data)[row] = (int32_t)stored; break;
    default: ((int64_t *)data)[row] = stored;
    }
    return end;
}

/* TIMESTAMP and its kin from epoch numbers. */
static const char *read_epoch(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    plain n;
    const char *end = plain_number(p, &n);
    int shift = node->shift - (int)n.decimals;
    if (PT_UNLIKELY(!end || shift < -18)) {
        return read_number_or_text(js, node, p, row);
    }
    uint64_t value;
    if (shift >= 0) {
        if (PT_UNLIKELY(__builtin_mul_overflow(n.digits, pt_json_pow10[shift], &value))) {
            return read_number_or_text(js, node, p, row);
        }
    } else { /* half away from zero; sign and magnitude are apart */
        uint64_t unit = pt_json_pow10[-shift];
        if (PT_UNLIKELY(pt_json_time_exact(node->id) && n.digits % unit)) {
            return read_number_or_text(js, node, p, row);
        }
        value = unit == 10 ? (n.digits + 5) / 10 : n.digits / unit + (n.digits % unit >= unit / 2);
    }
    if (PT_UNLIKELY(value > node->epoch_max[n.negative])) {
        return read_number_or_text(js, node, p, row);
    }
    ((int64_t *)vec_data(js, node))[row] = n.negative ? -(int64_t)value : (int64_t)value;
    return end;
}

/* An exponent of up to four digits behind a plain number: its end, or NULL. */
static const char *plain_exponent(const char *p, int64_t *exponent) {
    p++;
    bool negative = *p == '-';
    p += negative || *p == '+';
    uint64_t value;
    unsigned n = take_digits(p, &value);
    *exponent = negative ? -(int64_t)value : (int64_t)value;
    return n == 0 || n > 4 ? NULL : p + n;
}

static const char *read_double(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    plain n;
    int64_t exponent = 0;
    const char *end = plain_mantissa(p, &n);
    if (end && (*end | 0x20) == 'e') {
        end = plain_exponent(end, &exponent);
    }
    if (PT_UNLIKELY(!end)) {
        return read_number(js, node, p, row);
    }
    double *out = (double *)vec_data(js, node) + row;
    if (exponent == 0 && n.digits <= (uint64_t)1 << 53 &&
        (n.digits || !n.negative)) { /* both exact, so one division rounds once (Clinger) */
        double value = (double)n.digits / (double)pt_json_pow10[n.decimals];
        *out = n.negative ? -value : value;
        return end;
    }
    pt_json_number number = {.start = p,
                             .end = end,
                             .digits = n.digits,
                             .exponent = exponent - (int64_t)n.decimals,
                             .negative = n.negative};
    if (PT_UNLIKELY(!pt_json_to_double(&number, out))) {
        return read_number(js, node, p, row);
    }
    if (PT_UNLIKELY(n.negative && *out == 0)) {
        pt_rows_note_minus_zero(js->rows);
    }
    return end;
}

static const char *read_float(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    plain n;
    int64_t exponent = 0;
    const char *end = plain_mantissa(p, &n);
    if (end && (*end | 0x20) == 'e') {
        end = plain_exponent(end, &exponent);
    }
    if (PT_UNLIKELY(!end)) {
        return read_number(js, node, p, row);
    }
    pt_json_number number = {.start = p,
                             .end = end,
                             .digits = n.digits,
                             .exponent = exponent - (int64_t)n.decimals,
                             .negative = n.negative};
    float *out = (float *)vec_data(js, node) + row;
    if (PT_UNLIKELY(!pt_json_to_float(&number, out))) {
        return read_number(js, node, p, row);
    }
    if (PT_UNLIKELY(n.negative && *out == 0)) {
        pt_rows_note_minus_zero(js->rows);
    }
    return end;
}

/* ---- strings ---- */

static inline duckdb_string_t *string_at(const pt_json *js, const pt_json_node *node, size_t row) {
    return (duckdb_string_t *)vec_data(js, node) + row;
}

static inline void put_long(duckdb_string_t *out, char *text, size_t len) {
    out->value.pointer.length = (uint32_t)len;
    memcpy(out->value.pointer.prefix, text, 4);
    out->value.pointer.ptr = text;
}

#define SMALL_STRING ((size_t)4096)

/* A string with escapes or bytes >= 0x80, or no good one. */
static __attribute__((noinline)) const char *read_string_other(pt_json *js,
                                                               const pt_json_node *node,
                                                               const char *p, size_t row) {
    size_t room = (size_t)(js->end - p);
    if (room >
        SMALL_STRING) { /* the rest of the record is a bound on the length, but a wasteful one */
        bool escaped;
        const char *quote = check_string(js, node, p + 1, &escaped);
        if (!quote) {
            return NULL;
        }
        room = (size_t)(quote - p);
    }
    if (PT_UNLIKELY(pt_rows_arena_room(js->rows, room, js->own) != PT_OK)) {
        return pt_json_own(js, PT_E_NOMEM);
    }
    char *out = js->rows->arena_at;
    size_t len;
    const char *end = copy_string(js, node, p + 1, out, &len);
    if (!end) {
        return NULL;
    }
    if (len > 12) {
        js->rows->arena_at += len;
        put_long(string_at(js, node, row), out, len);
    } else {
        *string_at(js, node, row) = pt_rows_string_of(out, len);
    }
    return end;
}

static const char *read_string(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    if (PT_UNLIKELY(*p != '"')) {
        return read_other(js, node, p, row);
    }
    const char *s = p + 1;
    const char *quote = find_special(s);
    if (PT_UNLIKELY(*quote != '"')) {
        return read_string_other(js, node, p, row);
    }
    size_t len = (size_t)(quote - s);
    duckdb_string_t *out = string_at(js, node, row);
    if (len <= 12) {
        put_short(out, s, len);
        return quote + 1;
    }
    if (PT_UNLIKELY(pt_rows_arena_room(js->rows, len, js->own) != PT_OK)) {
        return pt_json_own(js, PT_E_NOMEM);
    }
    char *text = js->rows->arena_at;
    copy_bytes(text, s, len);
    js->rows->arena_at += len;
    put_long(out, text, len);
    return quote + 1;
}

static const char *read_uuid(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    duckdb_hugeint *out = (duckdb_hugeint *)vec_data(js, node) + row;
    if (PT_LIKELY(p[0] == '"' && p[37] == '"' && take_uuid(p + 1, out))) {
        return p + 38;
    }
    return read_text(js, node, p, row);
}

/* JSON: the value's own bytes. */
static const char *read_json(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    if (*p == 'n') {
        return read_other(js, node, p, row);
    }
    const char *end = skip_value(js, node, p);
    if (!end) {
        return NULL;
    }
    size_t len = (size_t)(end - p);
    if (PT_UNLIKELY(pt_rows_arena_room(js->rows, len, js->own) != PT_OK)) {
        return pt_json_own(js, PT_E_NOMEM);
    }
    char *text = js->rows->arena_at;
    memcpy(text, p, len);
    *string_at(js, node, row) = pt_rows_string_of(text, len);
    js->rows->arena_at += len > 12 ? len : 0;
    return end;
}
