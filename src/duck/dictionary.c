#include "duck/dictionary.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS   4096 /* a power of two; a quarter full at most */
#define LONGEST 255  /* bytes of a value: beyond that Parquet's statistics leave it out */
#define NONE    0xff /* no dictionary of this column */

typedef struct dictionary {
    size_t n;
    uint64_t keys[PT_DICTIONARY_VALUES]
                 [2]; /* a duckdb_string_t: of a long one the pointer leads into text */
    const char *values[PT_DICTIONARY_VALUES];
    uint16_t slots[SLOTS]; /* code + 1; 0: free */
    char text[PT_DICTIONARY_TEXT];
    size_t text_used;
    uint16_t *codes; /* [chunk * vector size + row] of the chunks that were looked at */
    size_t cap_codes;
} dictionary;

struct pt_dictionaries {
    dictionary *all[PT_DICTIONARIES]; /* made when they are first needed */
    size_t n;
    uint8_t *of_column; /* [cap_columns] index into all, or NONE */
    size_t n_columns, cap_columns;
    size_t n_chunks; /* looked at */
};

static_assert(PT_DICTIONARIES < NONE, "an index fits into of_column");
static_assert(sizeof(duckdb_string_t) == 2 * sizeof(uint64_t), "a string is two words");

pt_dictionaries *pt_dictionaries_new(void) {
    return calloc(1, sizeof(pt_dictionaries));
}

void pt_dictionaries_free(pt_dictionaries **dictionaries) {
    pt_dictionaries *d = *dictionaries;
    if (d) {
        for (size_t i = 0; i < PT_DICTIONARIES; i++) {
            if (d->all[i]) {
                free(d->all[i]->codes);
                free(d->all[i]);
            }
        }
        free(d->of_column);
        free(d);
        *dictionaries = NULL;
    }
}

/* ---- one value ---- */

static uint32_t length_of(const uint64_t key[2]) {
    return (uint32_t)key[0]; /* x86-64 and aarch64: little-endian */
}

static const char *long_text(const uint64_t key[2]) {
    return (const char *)(uintptr_t)key[1];
}

static bool is_short(uint32_t length) {
    return length <= sizeof(((duckdb_string_t *)0)->value.inlined.inlined);
}

static uint64_t mix(uint64_t h, uint64_t word) {
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 32);
}

/* Short strings are all in their two words (DuckDB wants the rest of them zero). */
static uint64_t hash(const uint64_t key[2]) {
    uint32_t length = length_of(key);
    uint64_t h = mix(0, key[0]);
    if (is_short(length)) {
        return mix(h, key[1]);
    }
    const char *at = long_text(key);
    uint64_t word;
    for (; length > sizeof word; length -= (uint32_t)sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        h = mix(h, word);
    }
    memcpy(&word, at + length - sizeof word,
           sizeof word); /* the last eight bytes; some of them a second time */
    return mix(h, word);
}

static bool same(const uint64_t a[2], const uint64_t b[2]) {
    if (a[0] != b[0]) { /* length and first bytes */
        return false;
    }
    return a[1] == b[1] ||
           (!is_short(length_of(a)) && memcmp(long_text(a), long_text(b), length_of(a)) == 0);
}

static bool add(dictionary *d, const uint64_t key[2], uint16_t *slot) {
    uint32_t length = length_of(key);
    if (d->n == PT_DICTIONARY_VALUES || length > LONGEST ||
        d->text_used + length + 1 > sizeof d->text) {
        return false;
    }
    const char *bytes = is_short(length) ? (const char *)key + sizeof length : long_text(key);
    if (memchr(bytes, '\0', length)) { /* an ENUM's values come as C strings */
        return false;
    }
    char *copy = d->text + d->text_used;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    d->text_used += length + 1;
    d->values[d->n] = copy;
    d->keys[d->n][0] = key[0];
    d->keys[d->n][1] = is_short(length) ? key[1] : (uint64_t)(uintptr_t)copy;
    *slot = (uint16_t)++d->n;
    return true;
}

/* The slot of a value, or the free one where it would be. */
static size_t find(const dictionary *d, const uint64_t key[2]) {
    size_t at = (size_t)hash(key) % SLOTS;
    while (d->slots[at] && !same(d->keys[d->slots[at] - 1], key)) {
        at = (at + 1) % SLOTS;
    }
    return at;
}

/* ---- one column ---- */

typedef struct strings {
    const uint64_t (*keys)[2];
    const uint64_t *validity; /* NULL: all are valid */
    size_t n;
} strings;

static strings strings_of(duckdb_data_chunk chunk, size_t column) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
    return (strings){(const uint64_t(*)[2])duckdb_vector_get_data(vector),
                     duckdb_vector_get_validity(vector), duckdb_data_chunk_get_size(chunk)};
}

static bool is_null(const strings *s, size_t i) {
    return s->validity && !(s->validity[i / 64] >> (i % 64) & 1);
}

static bool take_chunk(dictionary *d, const strings *s, uint16_t *codes) {
    for (size_t i = 0; i < s->n; i++) {
        codes[i] = 0;
        if (!is_null(s, i)) {
            size_t slot = find(d, s->keys[i]);
            if (!d->slots[slot] && !add(d, s->keys[i], &d->slots[slot])) {
                return false;
            }
            codes[i] = (uint16_t)(d->slots[slot] - 1);
        }
    }
    return true;
}

/* Of rows that are still being written: only if the second half of what is there has brought no new
 * value, so that the rest is not likely to either. */
static bool take_column(dictionary *d, pt_rows *rows, size_t column, size_t n_chunks,
                        bool growing) {
    size_t of_first_half = 0;
    d->n = d->text_used = 0;
    memset(d->slots, 0, sizeof d->slots);
    for (size_t i = 0; i < n_chunks; i++) {
        strings s = strings_of(pt_rows_follow(rows, i), column);
        if (!take_chunk(d, &s, d->codes + i * (size_t)duckdb_vector_size())) {
            return false;
        }
        of_first_half = i < n_chunks / 2 ? d->n : of_first_half;
    }
    return d->n > 0 && (!growing || d->n == of_first_half);
}

/* A dictionary with room for the codes; NULL: no memory. */
static dictionary *prepare(dictionary **at, size_t n_codes) {
    dictionary *d = *at ? *at : (*at = calloc(1, sizeof *d));
    if (d && d->cap_codes < n_codes) {
        free(d->codes);
        d->codes = malloc(n_codes * sizeof *d->codes);
        d->cap_codes = d->codes ? n_codes : 0;
    }
    return d && d->codes ? d : NULL;
}

static bool prepare_columns(pt_dictionaries *d, size_t n) {
    d->n = d->n_columns = 0;
    if (d->cap_columns < n) {
        uint8_t *grown = realloc(d->of_column, n);
        if (!grown) {
            return false;
        }
        d->of_column = grown;
        d->cap_columns = n;
    }
    d->n_columns = n;
    memset(d->of_column, NONE, n);
    return true;
}

void pt_dictionaries_make(pt_dictionaries *d, pt_rows *rows, const pt_type *types) {
    bool growing;
    d->n_chunks = pt_rows_ready(rows, &growing);
    size_t n_codes = d->n_chunks * (size_t)duckdb_vector_size();
    if (!prepare_columns(d, pt_rows_columns(rows)) || n_codes == 0) {
        return;
    }
    for (size_t i = 0; i < d->n_columns && d->n < PT_DICTIONARIES &&
                       (d->n + 1) * n_codes * sizeof(uint16_t) <= PT_DICTIONARY_CODES;
         i++) {
        if (types[i].id != PT_VARCHAR) {
            continue;
        }
        dictionary *next = prepare(&d->all[d->n], n_codes);
        if (!next) {
            return;
        }
        if (take_column(next, rows, i, d->n_chunks, growing)) {
            d->of_column[i] = (uint8_t)d->n++;
        }
    }
}

/* ---- for those who read ---- */

static const dictionary *of(const pt_dictionaries *d, size_t column) {
    return column < d->n_columns && d->of_column[column] != NONE ? d->all[d->of_column[column]]
                                                                 : NULL;
}

const char *const *pt_dictionary_values(const pt_dictionaries *d, size_t column, size_t *n) {
    const dictionary *found = of(d, column);
    *n = found ? found->n : 0;
    return found ? found->values : NULL;
}

static void put(void *out, size_t i, size_t width, uint16_t code) {
    if (width == sizeof code) {
        ((uint16_t *)out)[i] = code;
    } else {
        ((uint8_t *)out)[i] = (uint8_t)code;
    }
}

static bool look_up(const dictionary *d, const strings *s, size_t width, void *out) {
    for (size_t i = 0; i < s->n; i++) {
        uint16_t slot = is_null(s, i) ? 1 : d->slots[find(d, s->keys[i])];
        if (!slot) {
            return false;
        }
        put(out, i, width, (uint16_t)(slot - 1));
    }
    return true;
}

bool pt_dictionary_codes(const pt_dictionaries *d, size_t column, size_t i, duckdb_data_chunk chunk,
                         size_t width, void *out) {
    const dictionary *found = of(d, column);
    strings s = strings_of(chunk, column);
    if (i >= d->n_chunks) {
        return look_up(found, &s, width, out);
    }
    const uint16_t *codes = found->codes + i * (size_t)duckdb_vector_size();
    for (size_t k = 0; k < s.n; k++) {
        put(out, k, width, codes[k]);
    }
    return true;
}
