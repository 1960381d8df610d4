/* The keys of the open objects, for duplicates.
 *
 * An object's keys are compared one by one up to LINEAR of them; from then on its keys are also in
 * one hash table that all objects of the record share (a key there carries its object's number). A
 * new record only raises the generation, which empties the table. The hash is seeded, so that keys
 * cannot be made to collide on purpose. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "decode/json/core.h"

#define LINEAR     12
#define TABLE_MIN  1024
#define TABLE_KEEP ((size_t)1 << 16)
#define KEYS_KEEP  ((size_t)1 << 15)

static uint64_t load64(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t mix(uint64_t a, uint64_t b) {
    pt_u128 product = (pt_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t pt_json_hash(const char *data, size_t len, uint64_t seed) {
    const uint64_t k1 = 0xa0761d6478bd642fU, k2 = 0xe7037ed1a0b428dbU;
    uint64_t h = seed ^ (len * k1);
    while (len > 8) {
        h = mix(h ^ load64(data), k2);
        data += 8;
        len -= 8;
    }
    uint64_t last = len ? load64(data) << (64 - 8 * len)
                        : 0; /* little-endian: the bytes behind len fall out */
    return mix(h ^ last, k1 ^ seed) ^ h;
}

void pt_json_keys_start(pt_json_keys *keys) {
    if (keys->seed == 0) {
        if (getrandom(&keys->seed, sizeof keys->seed, GRND_NONBLOCK) !=
            (ssize_t)sizeof keys->seed) {
            keys->seed = (uint64_t)(uintptr_t)keys;
        }
        keys->seed |= 1;
    }
    if (keys->scopes == 0) {
        return; /* nothing was written since */
    }
    keys->n = keys->base = 0;
    keys->scope = keys->scopes = 0;
    keys->table_used = 0;
    if (keys->cap > KEYS_KEEP) {
        free(keys->keys);
        keys->keys = NULL;
        keys->cap = 0;
    }
    if (keys->table_mask >= TABLE_KEEP) {
        free(keys->table);
        keys->table = NULL;
        keys->table_mask = 0;
    }
    if (++keys->generation == 0) {
        free(keys->table);
        keys->table = NULL;
        keys->table_mask = 0;
    }
}

void pt_json_keys_free(pt_json_keys *keys) {
    free(keys->keys);
    free(keys->table);
    memset(keys, 0, sizeof *keys);
}

pt_json_scope pt_json_keys_enter(pt_json_keys *keys) {
    pt_json_scope outer = {.base = keys->base, .scope = keys->scope};
    keys->base = keys->n;
    keys->scope = ++keys->scopes;
    return outer;
}

void pt_json_keys_leave(pt_json_keys *keys, pt_json_scope outer) {
    keys->n = keys->base;
    keys->base = outer.base;
    keys->scope = outer.scope;
}

static void table_put(pt_json_keyslot *table, size_t mask, pt_json_keyslot slot) {
    size_t i = (slot.hash ^ slot.scope * 0x9e3779b1U) & mask;
    while (table[i].generation == slot.generation) {
        i = (i + 1) & mask;
    }
    table[i] = slot;
}

static bool table_room(pt_json_keys *keys) {
    if (keys->table && (keys->table_used + 1) * 2 <= keys->table_mask) {
        return true;
    }
    size_t size = keys->table ? (keys->table_mask + 1) * 2 : TABLE_MIN;
    pt_json_keyslot *table = calloc(size, sizeof *table);
    if (!table) {
        return false;
    }
    uint32_t generation = keys->generation;
    if (generation == 0) { /* 0 marks an empty slot */
        keys->generation = generation = 1;
    }
    for (size_t i = 0; keys->table && i <= keys->table_mask; i++) {
        if (keys->table[i].generation == generation) {
            table_put(table, size - 1, keys->table[i]);
        }
    }
    free(keys->table);
    keys->table = table;
    keys->table_mask = size - 1;
    return true;
}

static bool table_add(pt_json_keys *keys, size_t key) {
    if (!table_room(keys)) {
        return false;
    }
    keys->table_used++;
    table_put(keys->table, keys->table_mask,
              (pt_json_keyslot){.generation = keys->generation,
                                .scope = keys->scope,
                                .hash = keys->keys[key].hash,
                                .key = (uint32_t)key});
    return true;
}

static bool same(const pt_json_key *k, const char *data, size_t len) {
    return k->len == len && memcmp(k->data, data, len) == 0;
}

static bool table_has(const pt_json_keys *keys, const char *data, size_t len, uint32_t hash) {
    for (size_t i = (hash ^ keys->scope * 0x9e3779b1U) & keys->table_mask;
         keys->table[i].generation == keys->generation; i = (i + 1) & keys->table_mask) {
        const pt_json_keyslot *slot = &keys->table[i];
        if (slot->hash == hash && slot->scope == keys->scope &&
            same(&keys->keys[slot->key], data, len)) {
            return true;
        }
    }
    return false;
}

int pt_json_keys_add(pt_json_keys *keys, const char *data, size_t len) {
    uint32_t hash = (uint32_t)pt_json_hash(data, len, keys->seed);
    size_t n = keys->n - keys->base;
    if (n <= LINEAR) {
        for (size_t i = keys->base; i < keys->n; i++) {
            if (keys->keys[i].hash == hash && same(&keys->keys[i], data, len)) {
                return 0;
            }
        }
    } else if (table_has(keys, data, len, hash)) {
        return 0;
    }
    if (keys->n == keys->cap) {
        size_t cap = keys->cap ? keys->cap * 2 : 256;
        pt_json_key *grown = realloc(keys->keys, cap * sizeof *grown);
        if (!grown) {
            return -1;
        }
        keys->keys = grown;
        keys->cap = cap;
    }
    keys->keys[keys->n++] = (pt_json_key){.data = data, .len = (uint32_t)len, .hash = hash};
    if (n < LINEAR) {
        return 1;
    }
    for (size_t i = n == LINEAR ? keys->base : keys->n - 1; i < keys->n; i++) {
        if (!table_add(keys, i)) {
            return -1;
        }
    }
    return 1;
}
