/* Numbers, the general way: any length, any exponent. The readers take the short forms themselves.
 */
#include <string.h>

#include "decode/json/core.h"

const uint64_t pt_json_pow10[20] = {1U,
                                    10U,
                                    100U,
                                    1000U,
                                    10000U,
                                    100000U,
                                    1000000U,
                                    10000000U,
                                    100000000U,
                                    1000000000U,
                                    10000000000U,
                                    100000000000U,
                                    1000000000000U,
                                    10000000000000U,
                                    100000000000000U,
                                    1000000000000000U,
                                    10000000000000000U,
                                    100000000000000000U,
                                    1000000000000000000U,
                                    10000000000000000000U};

#define U128_MAX     (~(pt_u128)0)
#define EXPONENT_MAX 2000000000

/* k <= 38 */
static pt_u128 pow10_wide(unsigned k) {
    return k < 20 ? pt_json_pow10[k] : (pt_u128)pt_json_pow10[19] * pt_json_pow10[k - 19];
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Digits up to the next other character. Once a digit did not fit all are dropped: then only the
 * place of the point matters and whether anything but zeros was lost. */
static const char *take_digits(const char *p, pt_json_number *n, bool fraction, bool *dropped) {
    for (; is_digit(*p); p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (!*dropped && n->digits <= (U128_MAX - digit) / 10) {
            n->digits = n->digits * 10 + digit;
            n->exponent -= fraction;
        } else {
            *dropped = true;
            n->more |= digit != 0;
            n->exponent += !fraction;
        }
    }
    return p;
}

static const char *read_exponent(const char *p, pt_json_number *n, const char **bad) {
    bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        *bad = p;
        return NULL;
    }
    int64_t e = 0;
    for (; is_digit(*p); p++) {
        e = e * 10 + (*p - '0');
        e = e > EXPONENT_MAX ? EXPONENT_MAX : e;
    }
    n->exponent += negative ? -e : e;
    return p;
}

const char *pt_json_number_read(const char *p, pt_json_number *n, const char **bad) {
    *n = (pt_json_number){.start = p, .negative = *p == '-'};
    p += n->negative;
    if (!is_digit(*p)) {
        *bad = p;
        return NULL;
    }
    if (*p == '0') {
        if (is_digit(*++p)) {
            *bad = p;
            return NULL;
        }
    }
    bool dropped = false;
    p = take_digits(p, n, false, &dropped);
    if (*p == '.') {
        if (!is_digit(*++p)) {
            *bad = p;
            return NULL;
        }
        p = take_digits(p, n, true, &dropped);
    }
    if (*p == 'e' || *p == 'E') {
        p = read_exponent(p + 1, n, bad);
        if (!p) {
            return NULL;
        }
    }
    n->end = p;
    return p;
}

typedef enum whole { WHOLE, WHOLE_FRACTION, WHOLE_TOO_LARGE } whole;

/* |n| * 10^shift as an integer. WHOLE_FRACTION also sets *out, to the integer part. */
static whole to_whole(const pt_json_number *n, unsigned shift, pt_u128 *out) {
    *out = 0;
    if (n->digits == 0) {
        return WHOLE;
    }
    int64_t e = n->exponent + (int64_t)shift;
    if (e >= 0) {
        if (e > 38 || n->more || n->digits > U128_MAX / pow10_wide((unsigned)e)) {
            return WHOLE_TOO_LARGE;
        }
        *out = n->digits * pow10_wide((unsigned)e);
        return WHOLE;
    }
    if (e < -38) {
        /* 39 digits over 10^39 or more: below 1 */
        return WHOLE_FRACTION;
    }
    pt_u128 unit = pow10_wide((unsigned)-e);
    *out = n->digits / unit;
    return n->digits % unit != 0 || n->more ? WHOLE_FRACTION : WHOLE;
}

/* |n| * 10^shift, rounded half away from zero; false when too large. shift may be negative. *exact:
 * nothing was rounded. */
static bool to_rounded(const pt_json_number *n, int shift, pt_u128 *out, bool *exact) {
    *out = 0;
    *exact = n->digits == 0;
    int64_t e = n->exponent + shift;
    if (n->digits == 0 || e < -38) {
        return true;
    }
    if (e >= 0) {
        if (e > 38 || n->more || n->digits > U128_MAX / pow10_wide((unsigned)e)) {
            return false;
        }
        *out = n->digits * pow10_wide((unsigned)e);
        *exact = true;
        return true;
    }
    /* Digits that were dropped lie below the last one kept and cannot lift a remainder over the
     * half. */
    pt_u128 unit = pow10_wide((unsigned)-e);
    *out = n->digits / unit + (n->digits % unit >= unit / 2);
    *exact = n->digits % unit == 0 && !n->more;
    return true;
}

/* The largest magnitude of an integer type, or of DECIMAL's unscaled value. */
static pt_u128 magnitude_max(const pt_json_node *node, bool negative) {
    static const uint8_t bits[] = {
        [PT_TINYINT] = 7,    [PT_SMALLINT] = 15, [PT_INTEGER] = 31,
        [PT_BIGINT] = 63,    [PT_HUGEINT] = 127, [PT_UTINYINT] = 8,
        [PT_USMALLINT] = 16, [PT_UINTEGER] = 32, [PT_UBIGINT] = 64,
    };
    switch (node->id) {
    case PT_DECIMAL: return pow10_wide(node->width) - 1;
    case PT_UTINYINT:
    case PT_USMALLINT:
    case PT_UINTEGER:
    case PT_UBIGINT: return negative ? 0 : ((pt_u128)1 << bits[node->id]) - 1;
    case PT_UHUGEINT: return negative ? 0 : U128_MAX;
    default: return ((pt_u128)1 << bits[node->id]) - 1 + negative;
    }
}

bool pt_json_store_integer(const pt_json_node *node, void *data, size_t row, bool negative,
                           pt_u128 magnitude) {
    if (magnitude > magnitude_max(node, negative)) {
        return false;
    }
    pt_u128 value = negative ? -magnitude : magnitude;
    size_t bytes = node->bits / 8U;
    memcpy((char *)data + row * bytes, &value, bytes); /* little-endian: the low bytes come first */
    return true;
}

/* The number as a time of the unit, in the type's resolution; false outside of what a number may
 * come to. */
static bool to_time(pt_type_id id, pt_epoch_unit unit, const uint64_t max[2],
                    const pt_json_number *n, uint64_t *magnitude, bool *exact) {
    pt_u128 wide;
    if (!to_rounded(n, pt_json_epoch_shift(id, unit), &wide, exact) || wide > max[n->negative]) {
        return false;
    }
    *magnitude = (uint64_t)wide;
    return true;
}

/* Says which unit the number is of, if it is in range in a finer one. */
static bool time_out_of_range(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                              const char *at) {
    static const char *const units[] = {[PT_EPOCH_S] = "seconds",
                                        [PT_EPOCH_MS] = "milliseconds",
                                        [PT_EPOCH_US] = "microseconds",
                                        [PT_EPOCH_NS] = "nanoseconds"};
    static const char *const names[] = {
        [PT_EPOCH_S] = "s", [PT_EPOCH_MS] = "ms", [PT_EPOCH_US] = "us", [PT_EPOCH_NS] = "ns"};
    pt_json_quote quote = pt_json_quoted(n->start, (size_t)(n->end - n->start));
    bool short_range = node->id == PT_TIMESTAMP_NS;
    const char *years = short_range ? "1677 to 2262" : "1 to 9999";
    pt_json_type_text type = pt_json_type_of(node);
    uint64_t usual[2], magnitude;
    bool exact;
    pt_json_epoch_limits(PT_TIMESTAMP, usual);
    if (short_range && to_time(PT_TIMESTAMP, node->epoch, usual, n, &magnitude, &exact)) {
        pt_json_fail(js, node, PT_DECODE_RANGE, at,
                     "%s as epoch %s is outside the years %s of %s; declare TIMESTAMP", quote.text,
                     units[node->epoch], years, type.text);
        return false;
    }
    for (unsigned unit = node->epoch + 1U; unit <= PT_EPOCH_NS; unit++) {
        if (to_time(node->id, (pt_epoch_unit)unit, node->epoch_max, n, &magnitude, &exact)) {
            int64_t seconds = (int64_t)(magnitude / (uint64_t)pt_json_time_units(node->id));
            pt_json_fail(js, node, PT_DECODE_RANGE, at,
                         "%s as epoch %s is outside the years %s; as EPOCH %s it is in %lld: "
                         "declare %s EPOCH %s",
                         quote.text, units[node->epoch], years, names[unit],
                         (long long)pt_json_year(n->negative ? -seconds : seconds), type.text,
                         names[unit]);
            return false;
        }
    }
    pt_json_fail(js, node, PT_DECODE_RANGE, at,
                 "%s as epoch %s is outside the years %s, and so it is in every finer unit",
                 quote.text, units[node->epoch], years);
    return false;
}

static bool store_time(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                       const char *at, size_t row) {
    uint64_t magnitude;
    bool exact;
    if (!to_time(node->id, node->epoch, node->epoch_max, n, &magnitude, &exact)) {
        return time_out_of_range(js, node, n, at);
    }
    if (!exact && pt_json_time_exact(node->id)) {
        pt_json_fail(js, node, PT_DECODE_LOSSY, at,
                     "%s would lose digits in %s; declare the column TIMESTAMP%s",
                     pt_json_quoted(n->start, (size_t)(n->end - n->start)).text,
                     pt_json_type_of(node).text,
                     node->id == PT_TIMESTAMP_NS ? ", which rounds to the microsecond"
                                                 : " or TIMESTAMP_NS");
        return false;
    }
    ((int64_t *)js->rows->vecs[node->vec].data)[row] = n->negative ? -(int64_t)magnitude
                                                                   : (int64_t)magnitude;
    return true;
}

/* Which type would take the number. */
static const char *range_advice(const pt_json_node *node, const pt_json_number *n) {
    double d;
    pt_u128 magnitude;
    bool is_float = node->id == PT_REAL || node->id == PT_DOUBLE;
    if (n->negative && node->id >= PT_UTINYINT && node->id <= PT_UHUGEINT) {
        return "declare a signed type, such as BIGINT, for negative numbers";
    }
    if (!is_float &&
        to_whole(n, node->id == PT_DECIMAL ? node->scale : 0, &magnitude) != WHOLE_TOO_LARGE &&
        magnitude < pow10_wide(38)) {
        return "a wider column type takes it";
    }
    if (node->id != PT_DOUBLE && pt_json_to_double(n, &d)) {
        return is_float ? "DOUBLE takes it" : "DOUBLE takes it, rounded";
    }
    return "no number type takes it; declare JSON to keep its text";
}

static bool out_of_range(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                         const char *at) {
    pt_json_fail(js, node, PT_DECODE_RANGE, at, "%s does not fit into %s; %s",
                 pt_json_quoted(n->start, (size_t)(n->end - n->start)).text,
                 pt_json_type_of(node).text, range_advice(node, n));
    return false;
}

static bool store_whole(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                        const char *at, size_t row) {
    pt_u128 magnitude;
    whole how = to_whole(n, node->id == PT_DECIMAL ? node->scale : 0, &magnitude);
    if (how == WHOLE_TOO_LARGE || magnitude > magnitude_max(node, n->negative)) {
        return out_of_range(js, node, n, at);
    }
    if (how == WHOLE_FRACTION) {
        const char *advice =
            node->id == PT_DECIMAL
                ? "has more decimals than the column keeps; round it or declare a larger scale"
                : "is no whole number; declare DECIMAL or DOUBLE to keep the fraction";
        pt_json_fail(js, node, PT_DECODE_LOSSY, at, "%s for %s %s",
                     pt_json_quoted(n->start, (size_t)(n->end - n->start)).text,
                     pt_json_type_of(node).text, advice);
        return false;
    }
    return pt_json_store_integer(node, js->rows->vecs[node->vec].data, row, n->negative, magnitude);
}

bool pt_json_put_double(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                        size_t row) {
    double *out = (double *)js->rows->vecs[node->vec].data + row;
    bool fits = pt_json_to_double(n, out);
    if (n->negative && fits && *out == 0) {
        pt_rows_note_minus_zero(js->rows);
    }
    return fits;
}

bool pt_json_put_float(pt_json *js, const pt_json_node *node, const pt_json_number *n, size_t row) {
    float *out = (float *)js->rows->vecs[node->vec].data + row;
    bool fits = pt_json_to_float(n, out);
    if (n->negative && fits && *out == 0) {
        pt_rows_note_minus_zero(js->rows);
    }
    return fits;
}

bool pt_json_from_number(pt_json *js, const pt_json_node *node, const pt_json_number *n,
                         const char *at, size_t row) {
    switch (node->id) {
    case PT_TINYINT:
    case PT_SMALLINT:
    case PT_INTEGER:
    case PT_BIGINT:
    case PT_HUGEINT:
    case PT_UTINYINT:
    case PT_USMALLINT:
    case PT_UINTEGER:
    case PT_UBIGINT:
    case PT_UHUGEINT:
    case PT_DECIMAL: return store_whole(js, node, n, at, row);
    case PT_TIMESTAMP:
    case PT_TIMESTAMP_S:
    case PT_TIMESTAMP_MS:
    case PT_TIMESTAMP_NS:
    case PT_TIMESTAMPTZ: return store_time(js, node, n, at, row);
    case PT_REAL: return pt_json_put_float(js, node, n, row) || out_of_range(js, node, n, at);
    case PT_DOUBLE: return pt_json_put_double(js, node, n, row) || out_of_range(js, node, n, at);
    default:
        pt_json_fail(js, node, PT_DECODE_TYPE, at, "a number for %s; send a string",
                     pt_json_type_of(node).text);
        return false;
    }
}
