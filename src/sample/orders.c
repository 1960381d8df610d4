#include "sample/orders.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

const char *const pt_order_products[10] = {"Laptop",  "Smartphone", "Tablet", "Headphones",
                                           "Monitor", "Keyboard",   "Mouse",  "Webcam",
                                           "Printer", "Speaker"};
const char *const pt_order_regions[6] = {"North", "South", "East", "West", "Central", "Overseas"};

static const char *const broken_names[PT_BROKEN_KINDS] = {
    [PT_BROKEN_NOT_JSON] = "not JSON",
    [PT_BROKEN_TRUNCATED] = "truncated",
    [PT_BROKEN_WRONG_TYPE] = "wrong type",
    [PT_BROKEN_MISSING_VALUE] = "missing value",
    [PT_BROKEN_UTF8] = "invalid UTF-8",
    [PT_BROKEN_DUPLICATE_KEY] = "duplicate key",
    [PT_BROKEN_TRAILING_BYTES] = "trailing bytes",
    [PT_BROKEN_OVERFLOW] = "overflow",
    [PT_BROKEN_EMPTY] = "empty value",
    [PT_BROKEN_TOMBSTONE] = "tombstone",
    [PT_BROKEN_NO_OBJECT] = "not an object",
    [PT_BROKEN_UUID] = "bad UUID",
};

const char *pt_broken_name(pt_broken kind) {
    return kind >= 0 && kind < PT_BROKEN_KINDS ? broken_names[kind] : "sound";
}

/* ---- random numbers: splitmix64 for the seed, xoshiro256** (Blackman, Vigna) for the rest ---- */

static uint64_t splitmix(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static inline uint64_t rotate(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

static inline uint64_t next_random(pt_orders *o) {
    uint64_t *s = o->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* A number below n out of 16 random bits, or out of 32: multiply and shift, no division. */
static inline uint32_t below16(uint64_t bits, uint32_t n) {
    return (uint32_t)(((bits & 0xffff) * n) >> 16);
}

static inline uint32_t below32(uint64_t bits, uint32_t n) {
    return (uint32_t)(((bits & 0xffffffffU) * n) >> 32);
}

/* ---- text ---- */

static inline char *put(char *p, const char *text, size_t len) {
    memcpy(p, text, len);
    return p + len;
}

#define PUT(p, literal) put((p), "" literal, sizeof(literal) - 1)

/* Exactly `digits` digits. */
static inline char *put_digits(char *p, uint64_t value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + digits;
}

static inline char *put_hex(char *p, uint64_t value, int digits) {
    static const char hex[] = "0123456789abcdef";
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = hex[value & 15];
        value >>= 4;
    }
    return p + digits;
}

/* Version 4, variant 10 (RFC 9562). */
static char *put_uuid(char *p, uint64_t high, uint64_t low) {
    high = (high & ~(uint64_t)0xf000) | 0x4000;
    low = (low & ~((uint64_t)3 << 62)) | ((uint64_t)1 << 63);
    p = put_hex(p, high >> 32, 8);
    *p++ = '-';
    p = put_hex(p, high >> 16, 4);
    *p++ = '-';
    p = put_hex(p, high, 4);
    *p++ = '-';
    p = put_hex(p, low >> 48, 4);
    *p++ = '-';
    return put_hex(p, low, 12);
}

/* Ten-millionths of a second since the epoch: seven decimals, as Python prints time.time(). */
static uint64_t order_time(const pt_orders *o, uint64_t bits) {
    if (o->wall_clock) {
        return (uint64_t)pt_now_us() * 10 + below16(bits, 10);
    }
    return 17672256000000000U + o->sequence * 1000000U +
           below32(bits, 1000000U); /* from 2026-01-01 on, ten a second */
}

static char *put_time(char *p, uint64_t time) {
    p = put_digits(p, time / 10000000, 10);
    *p++ = '.';
    return put_digits(p, time % 10000000, 7);
}

void pt_orders_init(pt_orders *orders, uint64_t seed, bool wall_clock) {
    *orders = (pt_orders){.wall_clock = wall_clock};
    for (int i = 0; i < 4; i++) {
        orders->state[i] = splitmix(&seed);
    }
}

static size_t write_order(pt_orders *o, char *key, char *value) {
    uint64_t high = next_random(o), low = next_random(o), a = next_random(o), b = next_random(o);
    uint32_t cents = 10000 + below32(b >> 32, 989901); /* 100.00 to 9999.00 */
    const char *product = pt_order_products[below16(a >> 16, 10)];
    const char *region = pt_order_regions[below16(a >> 32, 6)];
    (void)put_digits(put(key, "CUST-", 5), 1 + below16(a, 500), 4);

    char *p = PUT(value, "{\"order_id\":\"");
    p = put_uuid(p, high, low);
    p = PUT(p, "\",\"order_time\":");
    p = put_time(p, order_time(o, b));
    p = PUT(p, ",\"customer_id\":\"");
    p = put(p, key, PT_ORDER_KEY);
    p = PUT(p, "\",\"product\":\"");
    p = put(p, product, strlen(product));
    p = PUT(p, "\",\"quantity\":");
    *p++ = (char)('1' + below16(a >> 48, 5));
    p = PUT(p, ",\"unit_price\":");
    p = put_digits(p, cents / 100, cents < 100000 ? 3 : 4);
    *p++ = '.';
    p = put_digits(p, cents % 100, 2);
    p = PUT(p, ",\"region\":\"");
    p = put(p, region, strlen(region));
    p = PUT(p, "\"}");
    o->sequence++;
    return (size_t)(p - value);
}

/* ---- damage ---- */

/* Puts text in place of `was` bytes at `at`; returns the new length. */
static size_t splice(char *value, size_t len, size_t at, size_t was, const char *text) {
    size_t n = strlen(text);
    memmove(value + at + n, value + at + was, len - at - was);
    memcpy(value + at, text, n);
    return len - was + n;
}

/* Where the value of a key of write_order begins. */
static size_t value_of(const char *value, size_t len, const char *key) {
    const char *found = memmem(value, len, key, strlen(key));
    return found ? (size_t)(found - value) + strlen(key) : 0;
}

static size_t damage(pt_orders *o, pt_broken broken, char *value, size_t len) {
    size_t quantity = value_of(value, len, "\"quantity\":");
    switch (broken) {
    case PT_BROKEN_NOT_JSON:
        return (size_t)snprintf(value, PT_ORDER_MAX, "order %llu, please call me back",
                                (unsigned long long)o->sequence);
    case PT_BROKEN_TRUNCATED:
        return 1 + below32(o->state[0], (uint32_t)len - 1); /* the state, not a new number: orders
                                                               stay the same beside broken ones */
    case PT_BROKEN_WRONG_TYPE: return splice(value, len, quantity, 1, "\"a few\"");
    case PT_BROKEN_MISSING_VALUE: return splice(value, len, quantity, 1, "");
    case PT_BROKEN_UTF8:
        return splice(value, len, value_of(value, len, "\"product\":\""), 0, "Caf\xe9 \xff");
    case PT_BROKEN_DUPLICATE_KEY: return splice(value, len, len - 1, 0, ",\"region\":\"Nowhere\"");
    case PT_BROKEN_TRAILING_BYTES: return splice(value, len, len, 0, "}{");
    case PT_BROKEN_OVERFLOW: return splice(value, len, quantity, 1, "99999999999");
    case PT_BROKEN_EMPTY:
    case PT_BROKEN_TOMBSTONE: return 0;
    case PT_BROKEN_NO_OBJECT:
        len = splice(value, len, 0, 0, "[");
        return splice(value, len, len, 0, "]");
    case PT_BROKEN_UUID:
        return splice(value, len, value_of(value, len, "\"order_id\":\""), 8, "not-a-uu");
    case PT_BROKEN_NONE:
    case PT_BROKEN_KINDS: break;
    }
    return len;
}

size_t pt_orders_next(pt_orders *orders, pt_broken broken, char *key, char *value) {
    size_t len = write_order(orders, key, value);
    return broken == PT_BROKEN_NONE ? len : damage(orders, broken, value, len);
}
