/* Looking through bytes many at a time: the part that differs between the portable and the AVX2
 * scanner. Included once by json_portable.c and once by json_avx2.c (which defines PT_JSON_AVX2).
 * All functions may load up to 64 bytes from p on. */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#    error "the decoder's words are little-endian"
#endif

static inline uint64_t load64(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#define ONES  0x0101010101010101U
#define HIGHS 0x8080808080808080U

#ifdef PT_JSON_AVX2

/* One bit for each of 32 bytes. */
typedef struct marks {
    uint32_t stop; /* quote, backslash, control character */
    uint32_t high; /* 0x80 and above */
} marks;

static inline __m256i load_vector(const char *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline marks marks_of(__m256i v) {
    __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    __m256i backslash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1F)), v);
    marks m;
    m.stop = (uint32_t)_mm256_movemask_epi8(
        _mm256_or_si256(_mm256_or_si256(quote, backslash), control));
    m.high = (uint32_t)_mm256_movemask_epi8(v);
    return m;
}

/* The first quote, backslash, control character or byte >= 0x80 from p on. */
static inline const char *find_special(const char *p) {
    for (;; p += 32) {
        marks m = marks_of(load_vector(p));
        uint32_t all = m.stop | m.high;
        if (PT_LIKELY(all)) {
            return p + __builtin_ctz(all);
        }
    }
}

/* The first quote, backslash or control character; *high is set when a byte >= 0x80 stands before
 * it. */
static inline const char *find_stop(const char *p, bool *high) {
    for (;; p += 32) {
        marks m = marks_of(load_vector(p));
        if (m.stop) {
            *high |= (m.high & (m.stop ^ (m.stop - 1))) != 0;
            return p + __builtin_ctz(m.stop);
        }
        *high |= m.high != 0;
    }
}

/* find_stop that copies what it passes to out, and up to 32 bytes more. */
static inline const char *copy_to_stop(const char *p, char *out, bool *high) {
    for (;; p += 32, out += 32) {
        __m256i v = load_vector(p);
        _mm256_storeu_si256((__m256i *)(void *)out, v);
        marks m = marks_of(v);
        if (m.stop) {
            *high |= (m.high & (m.stop ^ (m.stop - 1))) != 0;
            return p + __builtin_ctz(m.stop);
        }
        *high |= m.high != 0;
    }
}

static inline bool slot_matches(const pt_json_slot *slot, const char *p) {
    __m256i same = _mm256_cmpeq_epi8(load_vector(p),
                                     _mm256_load_si256((const __m256i *)(const void *)slot->text));
    return ((uint32_t)_mm256_movemask_epi8(same) & slot->mask) == slot->want;
}

/* A string of len <= 12 bytes at s into its place in the vector. */
static inline void put_short(duckdb_string_t *out, const char *s, size_t len) {
    static const uint8_t keep[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
    __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(keep + 16 - len));
    v = _mm_slli_si128(_mm_and_si128(v, mask), 4);
    v = _mm_or_si128(v, _mm_cvtsi32_si128((int)len));
    _mm_storeu_si128((__m128i *)(void *)out, v);
}

static inline void copy_bytes(char *out, const char *s, size_t len) {
    if (len <= 32) {
        _mm256_storeu_si256((__m256i *)(void *)out, load_vector(s));
    } else {
        memcpy(out, s, len);
    }
}

/* 36 characters at p as a UUID. */
static inline bool take_uuid(const char *p, duckdb_hugeint *out) {
    /* the digits of each half side by side: 0-7 9-12 14-17 and 19-22 24-35 */
    const __m256i order = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, -1, -1,
                                           -1, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i second = _mm_loadu_si128((const __m128i *)(const void *)(p + 20));
    __m256i v = _mm256_shuffle_epi8(_mm256_set_m128i(second, first), order);
    uint16_t pair;
    memcpy(&pair, p + 16, sizeof pair);
    v = _mm256_or_si256(v, _mm256_set_m128i(_mm_cvtsi32_si128((unsigned char)p[19]),
                                            _mm_slli_si128(_mm_cvtsi32_si128(pair), 14)));
    __m256i digit = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
    __m256i letter = _mm256_sub_epi8(_mm256_or_si256(v, _mm256_set1_epi8(0x20)),
                                     _mm256_set1_epi8('a'));
    __m256i is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit);
    __m256i is_letter = _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(5)), letter);
    bool good = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(is_digit, is_letter)) ==
                ~(uint32_t)0;
    good &= p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-';
    __m256i value = _mm256_blendv_epi8(_mm256_add_epi8(letter, _mm256_set1_epi8(10)), digit,
                                       is_digit);
    __m256i bytes = _mm256_maddubs_epi16(value, _mm256_set1_epi16(0x0110)); /* 16 * high + low */
    bytes = _mm256_packus_epi16(bytes, bytes);
    uint64_t upper = __builtin_bswap64((uint64_t)_mm256_extract_epi64(bytes, 0));
    uint64_t lower = __builtin_bswap64((uint64_t)_mm256_extract_epi64(bytes, 2));
    out->upper = (int64_t)(upper ^ (uint64_t)1 << 63);
    out->lower = lower;
    return good;
}

#else /* portable: words of 8 bytes */

/* The highest bit of every byte that is a quote, backslash or control character; right up to the
 * first such byte, and at bytes >= 0x80 after masking. */
static inline uint64_t stops_of(uint64_t w) {
    uint64_t quote = w ^ (ONES * '"'), backslash = w ^ (ONES * '\\');
    return ((quote - ONES) | (backslash - ONES) | (w - ONES * 0x20)) & ~w & HIGHS;
}

static inline const char *find_special(const char *p) {
    for (;; p += 8) {
        uint64_t w = load64(p);
        uint64_t all = stops_of(w) | (w & HIGHS);
        if (all) {
            return p + (__builtin_ctzll(all) >> 3);
        }
    }
}

static inline const char *find_stop(const char *p, bool *high) {
    for (;; p += 8) {
        uint64_t w = load64(p);
        uint64_t stop = stops_of(w);
        if (stop) {
            *high |= (w & HIGHS & (stop ^ (stop - 1))) != 0;
            return p + (__builtin_ctzll(stop) >> 3);
        }
        *high |= (w & HIGHS) != 0;
    }
}

static inline const char *copy_to_stop(const char *p, char *out, bool *high) {
    for (;; p += 8, out += 8) {
        uint64_t w = load64(p);
        memcpy(out, &w, sizeof w);
        uint64_t stop = stops_of(w);
        if (stop) {
            *high |= (w & HIGHS & (stop ^ (stop - 1))) != 0;
            return p + (__builtin_ctzll(stop) >> 3);
        }
        *high |= (w & HIGHS) != 0;
    }
}

static inline bool slot_matches(const pt_json_slot *slot, const char *p) {
    uint64_t wrong = slot->mask ^ slot->want;
    wrong |= (load64(p) ^ load64(slot->text)) & slot->masks[0];
    wrong |= (load64(p + 8) ^ load64(slot->text + 8)) & slot->masks[1];
    if (slot->len > 16) {
        wrong |= (load64(p + 16) ^ load64(slot->text + 16)) & slot->masks[2];
        wrong |= (load64(p + 24) ^ load64(slot->text + 24)) & slot->masks[3];
    }
    return wrong == 0;
}

static inline void put_short(duckdb_string_t *out, const char *s, size_t len) {
    static const uint64_t keep[13][2] = {
        {0, 0},
        {0xFF, 0},
        {0xFFFF, 0},
        {0xFFFFFF, 0},
        {~(uint64_t)0 >> 32, 0},
        {~(uint64_t)0 >> 24, 0},
        {~(uint64_t)0 >> 16, 0},
        {~(uint64_t)0 >> 8, 0},
        {~(uint64_t)0, 0},
        {~(uint64_t)0, 0xFF},
        {~(uint64_t)0, 0xFFFF},
        {~(uint64_t)0, 0xFFFFFF},
        {~(uint64_t)0, 0xFFFFFFFF},
    };
    uint64_t low = load64(s) & keep[len][0], high = load64(s + 8) & keep[len][1];
    uint64_t words[2] = {(uint64_t)len | low << 32, low >> 32 | high << 32};
    memcpy(out, words, sizeof words);
}

static inline void copy_bytes(char *out, const char *s, size_t len) {
    memcpy(out, s, 16);
    if (len > 16) {
        memcpy(out + 16, s + 16, len - 16);
    }
}

/* Eight hexadecimal digits at p; *bad gets bits when one is none. */
static inline uint32_t hex8(uint64_t w, uint64_t *bad) {
    uint64_t lower = w | ONES * 0x20;
    /* bytes are below 0x80 or marked bad, so the additions below never carry out of a byte that is
     * not bad */
    uint64_t digit = ((w & ~HIGHS) + ONES * (0x80 - '0')) &
                     ~((w & ~HIGHS) + ONES * (0x80 - ('9' + 1)));
    uint64_t letter = ((lower & ~HIGHS) + ONES * (0x80 - 'a')) &
                      ~((lower & ~HIGHS) + ONES * (0x80 - ('f' + 1)));
    *bad |= (~(digit | letter) | w) & HIGHS;
    uint64_t v = (w & ONES * 0x0F) + ((w >> 6 & ONES) * 9);
    v = (v << 4 | v >> 8) &
        0x00FF00FF00FF00FFU; /* pairs: the first digit of a pair is the low byte */
    v = (v | v >> 8) & 0x0000FFFF0000FFFFU;
    v = v | v >> 16;
    return __builtin_bswap32((uint32_t)v);
}

static inline bool take_uuid(const char *p, duckdb_hugeint *out) {
    uint64_t bad = 0;
    uint64_t upper = (uint64_t)hex8(load64(p), &bad) << 32;
    uint64_t w1 = (load64(p + 9) & 0xFFFFFFFFU) | load64(p + 14) << 32;
    uint64_t w2 = (load64(p + 19) & 0xFFFFFFFFU) | load64(p + 24) << 32;
    upper |= hex8(w1, &bad);
    uint64_t lower = (uint64_t)hex8(w2, &bad) << 32 | hex8(load64(p + 28), &bad);
    out->upper = (int64_t)(upper ^ (uint64_t)1 << 63);
    out->lower = lower;
    return bad == 0 && p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-';
}

#endif

/* ---- digits: the same for both ---- */

/* How many of the 8 characters are digits before the first that is none. */
static inline unsigned digit_run(uint64_t w) {
    uint64_t t = w ^ ONES * '0';
    uint64_t other = ((t + ONES * 0x76) | t) &
                     HIGHS; /* a carry can only reach bytes behind one that is marked */
    return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

/* The number that the first n (1 to 8) characters make. */
static inline uint64_t digits_value(uint64_t w, unsigned n) {
    w = (w ^ ONES * '0') << (64 - 8 * n);
    w = w * 10 + (w >> 8);
    return (((w & 0x000000FF000000FFU) * 0x000F424000000064U) +
            ((w >> 16 & 0x000000FF000000FFU) * 0x0000271000000001U)) >>
           32;
}

/* take_digits from the 17th digit on. */
static __attribute__((noinline)) unsigned take_last_digits(const char *p, uint64_t *value) {
    uint64_t w = load64(p + 16);
    unsigned more = digit_run(w);
    if (more == 0 || more > 3) {
        return more ? 20 : 16;
    }
    *value = *value * pt_json_pow10[more] + digits_value(w, more);
    return 16 + more;
}

/* Up to 19 digits from p on: returns how many, 0 for none, 20 for more than 19. */
static inline __attribute__((always_inline)) unsigned take_digits(const char *p, uint64_t *value) {
    uint64_t w = load64(p);
    unsigned n = digit_run(w);
    if (n == 0) {
        *value = 0;
        return 0;
    }
    *value = digits_value(w, n);
    if (n < 8) {
        return n;
    }
    w = load64(p + 8);
    unsigned more = digit_run(w);
    if (more == 0) {
        return 8;
    }
    *value = *value * pt_json_pow10[more] + digits_value(w, more);
    return more < 8 ? 8 + more : take_last_digits(p, value);
}

static inline const char *skip_space(const char *p) {
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
        p++;
    }
    return p;
}
