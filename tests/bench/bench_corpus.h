/* The records that bench_decode decodes, made from a seed: about 8 MB a case. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CORPUS_BYTES ((size_t)8 << 20)

typedef struct corpus {
    char *bytes;
    size_t len, cap;
    size_t *ends;
    size_t n, cap_ends;
} corpus;

static void *must(void *p) {
    if (!p) {
        (void)fputs("out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static __attribute__((format(printf, 2, 3))) void put(corpus *c, const char *format, ...) {
    if (c->cap - c->len < 16384) {
        c->cap = c->cap ? c->cap * 2 : (size_t)1 << 20;
        c->bytes = must(realloc(c->bytes, c->cap));
    }
    va_list args;
    va_start(args, format);
    c->len += (size_t)vsnprintf(c->bytes + c->len, c->cap - c->len, format, args);
    va_end(args);
}

static void end_record(corpus *c) {
    if (c->n == c->cap_ends) {
        c->cap_ends = c->cap_ends ? c->cap_ends * 2 : 1024;
        c->ends = must(realloc(c->ends, c->cap_ends * sizeof *c->ends));
    }
    c->ends[c->n++] = c->len;
}

static uint64_t seed = 42;

static uint64_t rnd(uint64_t below) {
    seed += 0x9e3779b97f4a7c15U;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (z ^ z >> 31) % below;
}

/* ---- the cases ---- */

static const char ORDERS[] = "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product "
                             "VARCHAR, quantity INTEGER, unit_price DECIMAL(10,2), region VARCHAR";
static const char *const products[] = {"Laptop", "Monitor",   "Keyboard", "Mouse",  "Headphones",
                                       "Webcam", "Desk Lamp", "USB Hub",  "Tablet", "Smartphone"};
static const char *const regions[] = {"Kanto", "Kansai", "Chubu", "Kyushu", "Tohoku", "Hokkaido"};

typedef struct order {
    char field[7][96];
} order;

static order new_order(const char *colon, bool escapes) {
    order o;
    (void)snprintf(o.field[0], 96, "\"order_id\":%s\"%08x-%04x-4%03x-a%03x-%012llx\"", colon,
                   (unsigned)rnd(1ULL << 32), (unsigned)rnd(65536), (unsigned)rnd(4096),
                   (unsigned)rnd(4096), (unsigned long long)rnd(1ULL << 48));
    (void)snprintf(o.field[1], 96, "\"order_time\":%s1790%06u.%07u", colon, (unsigned)rnd(1000000),
                   (unsigned)rnd(10000000));
    (void)snprintf(o.field[2], 96, "\"customer_id\":%s\"CUST-%04u\"", colon,
                   (unsigned)rnd(500) + 1);
    (void)snprintf(o.field[3], 96, "\"product\":%s\"%s%s\"", colon, products[rnd(10)],
                   escapes ? " \\\"15\\u2033\\\"" : "");
    (void)snprintf(o.field[4], 96, "\"quantity\":%s%u", colon, (unsigned)rnd(5) + 1);
    (void)snprintf(o.field[5], 96, "\"unit_price\":%s%u.%02u", colon, (unsigned)rnd(9900) + 100,
                   (unsigned)rnd(100));
    (void)snprintf(o.field[6], 96, "\"region\":%s\"%s%s\"", colon, regions[rnd(6)],
                   escapes ? "\\n\\t\\u65e5\\u672c, the second line" : "");
    return o;
}

static void put_order(corpus *c, bool spaced, bool shuffled, bool escapes) {
    order o = new_order(spaced ? " " : "", escapes);
    int at[7] = {0, 1, 2, 3, 4, 5, 6};
    for (int i = 6; shuffled && i > 0; i--) {
        int j = (int)rnd((uint64_t)i + 1), was = at[i];
        at[i] = at[j];
        at[j] = was;
    }
    for (int i = 0; i < 7; i++) {
        put(c, "%s%s", i == 0 ? "{" : spaced ? ", " : ",", o.field[at[i]]);
    }
    put(c, "}");
}

static void compact(corpus *c) {
    put_order(c, false, false, false);
}

static void spaced(corpus *c) {
    put_order(c, true, false, false);
}

static void shuffled(corpus *c) {
    put_order(c, true, true, false);
}

static void escapes(corpus *c) {
    put_order(c, true, false, true);
}

static void unknown(corpus *c) {
    put_order(c, true, false, false);
    c->len--;
    put(c, ", \"note\": \"not a column\", \"extra\": {\"a\": [1, 2, 3]}}");
}

static void wide(corpus *c) {
    for (int i = 0; i < 100; i++) {
        put(c,
            i % 3 == 0   ? "%s\"column_%d\":%u"
            : i % 3 == 1 ? "%s\"column_%d\":\"value %u\""
                         : "%s\"column_%d\":%u.25",
            i ? "," : "{", i, (unsigned)rnd(100000));
    }
    put(c, "}");
}

static void nested(corpus *c) {
    put(c,
        "{\"id\":%u,\"customer\":{\"name\":\"Taro Yamada "
        "%u\",\"city\":\"Osaka\"},\"tags\":[\"new\",\"express\"],\"items\":[",
        (unsigned)rnd(1000000), (unsigned)rnd(1000));
    size_t n = rnd(4) + 1;
    for (size_t i = 0; i < n; i++) {
        put(c, "%s{\"sku\":\"SKU-%05u\",\"count\":%u,\"price\":%u.%02u}", i ? "," : "",
            (unsigned)rnd(100000), (unsigned)rnd(9) + 1, (unsigned)rnd(1000), (unsigned)rnd(100));
    }
    put(c, "],\"attributes\":{\"color\":\"red\",\"size\":\"%u\"}}", (unsigned)rnd(60));
}

static void doubles(corpus *c) {
    put(c, "{\"a\":%.17g,\"b\":%.6f,\"c\":%.15g,\"d\":%.17ge%d}",
        (double)rnd(1ULL << 53) / 9007199254740992.0, (double)rnd(100000000) / 1e4,
        (double)rnd(1ULL << 40) / 1e3,
        (double)(rnd(9) + 1) + (double)rnd(1ULL << 50) / 1125899906842624.0, (int)rnd(80) - 40);
}

static void long_strings(corpus *c) {
    put(c, "{\"id\":%u,\"text\":\"", (unsigned)rnd(1000000));
    for (int i = 0; i < 4096 / 64; i++) {
        put(c, "%08x the quick brown fox jumps over the lazy dog, and so on. ... ",
            (unsigned)rnd(1ULL << 32));
    }
    put(c, "\"}");
}

static void japanese(corpus *c) {
    put(c, "{\"id\":%u,\"text\":\"", (unsigned)rnd(1000000));
    for (int i = 0; i < 8; i++) {
        put(c, "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xAE\xE6\x96\x87\xE5\xAD\x97%u",
            (unsigned)rnd(10));
    }
    put(c, "\"}");
}
