/* Orders as the demo's producer makes them, and records that are broken on purpose.
 *
 * The same seed gives the same records byte for byte, order_time included. Used by one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_ORDER_KEY 9   /* "CUST-0001" */
#define PT_ORDER_MAX 320 /* the longest value, broken ones included */

/* What is wrong with a broken record; each of them belongs into the dead letters of a table of
 * orders. */
typedef enum pt_broken {
    PT_BROKEN_NOT_JSON,
    PT_BROKEN_TRUNCATED,
    PT_BROKEN_WRONG_TYPE,
    PT_BROKEN_MISSING_VALUE,
    PT_BROKEN_UTF8,
    PT_BROKEN_DUPLICATE_KEY,
    PT_BROKEN_TRAILING_BYTES,
    PT_BROKEN_OVERFLOW,
    PT_BROKEN_EMPTY,
    PT_BROKEN_TOMBSTONE,
    PT_BROKEN_NO_OBJECT,
    PT_BROKEN_UUID,
    PT_BROKEN_KINDS,
    PT_BROKEN_NONE = -1
} pt_broken;

const char *pt_broken_name(pt_broken kind);

typedef struct pt_orders {
    uint64_t state[4]; /* xoshiro256** */
    uint64_t sequence;
    bool
        wall_clock; /* order_time is now, else it grows by a tenth of a second from 2026-01-01 on */
} pt_orders;

void pt_orders_init(pt_orders *orders, uint64_t seed, bool wall_clock);

/* Writes the next order: key (PT_ORDER_KEY bytes, no NUL) and value (up to PT_ORDER_MAX bytes, no
 * NUL). Returns the value's length. A broken kind other than PT_BROKEN_NONE damages it; a tombstone
 * has length 0 too, and the caller sends NULL. */
size_t pt_orders_next(pt_orders *orders, pt_broken broken, char *key, char *value);

extern const char *const pt_order_products[10];
extern const char *const pt_order_regions[6];
