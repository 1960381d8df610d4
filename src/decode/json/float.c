/* Decimal to binary floating point, correctly rounded: Clinger's exact cases, then Eisel-Lemire (D.
 * Lemire, "Number parsing at a gigabyte per second", 2021), and the C library for numbers of more
 * than 19 digits. */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/json/core.h"

#define POWER_MIN (-342)
#define POWER_MAX 308

/* The 128 leading bits of 5^q; for -27 <= q < 0 rounded up, else truncated. */
static pt_u128 powers[POWER_MAX - POWER_MIN + 1];
static locale_t c_locale;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define BIG_WORDS 16 /* 1024 bits: 2^1023 / 5^342 still has 229 */

static pt_u128 leading_bits(const uint64_t *big) {
    int top = BIG_WORDS - 1;
    while (big[top] == 0) {
        top--;
    }
    uint64_t a = big[top], b = top > 0 ? big[top - 1] : 0, c = top > 1 ? big[top - 2] : 0;
    int shift = __builtin_clzll(a);
    pt_u128 bits = ((pt_u128)a << 64) | b;
    return shift ? (bits << shift) | (c >> (64 - shift)) : bits;
}

static void start(void) {
    uint64_t big[BIG_WORDS] = {1};
    for (int q = 0; q <= POWER_MAX; q++) {
        powers[q - POWER_MIN] = leading_bits(big);
        uint64_t carry = 0;
        for (int i = 0; i < BIG_WORDS; i++) {
            pt_u128 product = (pt_u128)big[i] * 5 + carry;
            big[i] = (uint64_t)product;
            carry = (uint64_t)(product >> 64);
        }
    }
    memset(big, 0, sizeof big);
    big[BIG_WORDS - 1] = (uint64_t)1 << 63;
    for (int q = -1; q >= POWER_MIN; q--) {
        uint64_t rest = 0;
        for (int i = BIG_WORDS - 1; i >= 0; i--) {
            pt_u128 part = ((pt_u128)rest << 64) | big[i];
            big[i] = (uint64_t)(part / 5);
            rest = (uint64_t)(part % 5);
        }
        powers[q - POWER_MIN] = leading_bits(big) + (q >= -27);
    }
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int pt_json_float_start(void) {
    return pthread_once(&once, start) == 0 && c_locale ? PT_OK : PT_E_NOMEM;
}

typedef struct binary {
    int bits; /* of the mantissa, without the hidden one */
    int bias, infinite;
    int power_min, power_max; /* smaller: zero, larger: infinite */
    int even_min, even_max;   /* powers at which a tie is possible */
} binary;

static const binary binary32 = {23, 127, 0xFF, -65, 38, -17, 10};
static const binary binary64 = {52, 1023, 0x7FF, -342, 308, -4, 23};

/* The bits of w * 10^q, without the sign. */
static uint64_t eisel_lemire(uint64_t w, int64_t q, const binary *f) {
    uint64_t infinity = (uint64_t)f->infinite << f->bits;
    if (w == 0 || q < f->power_min) {
        return 0;
    }
    if (q > f->power_max) {
        return infinity;
    }
    int lz = __builtin_clzll(w);
    w <<= lz;
    pt_u128 power = powers[q - POWER_MIN];
    pt_u128 product = (pt_u128)w * (uint64_t)(power >> 64);
    uint64_t precision = UINT64_MAX >> (f->bits + 3);
    if (((uint64_t)(product >> 64) & precision) == precision) {
        product += (uint64_t)(((pt_u128)w * (uint64_t)power) >> 64);
    }
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    int upper = (int)(high >> 63);
    int shift = upper + 64 - f->bits - 3;
    uint64_t mantissa = high >> shift;
    int exponent = (int)((((152170 + 65536) * q) >> 16) + 63) + upper - lz + f->bias;
    if (exponent <= 0) {
        if (1 - exponent >= 64) {
            return 0;
        }
        mantissa >>= 1 - exponent;
        mantissa = (mantissa + (mantissa & 1)) >> 1;
        return mantissa; /* if it became the smallest normal number, the bit of the exponent is
                            already right */
    }
    if (low <= 1 && q >= f->even_min && q <= f->even_max && (mantissa & 3) == 1 &&
        mantissa << shift == high) {
        mantissa &= ~(uint64_t)1;
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >= (uint64_t)2 << f->bits) {
        mantissa = (uint64_t)1 << f->bits;
        exponent++;
    }
    if (exponent >= f->infinite) {
        return infinity;
    }
    return (mantissa & ~((uint64_t)1 << f->bits)) | ((uint64_t)exponent << f->bits);
}

#define TEXT_DIGITS 800 /* more digits cannot change the rounding, but for being zero or not */

/* The number's digits without the point, bounded, for strtod and strtof. */
static void bounded_text(const pt_json_number *n, char text[TEXT_DIGITS + 40]) {
    size_t len = 0;
    int64_t exponent = 0;
    bool fraction = false, rest = false;
    const char *p = n->start + n->negative;
    for (; p < n->end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        if (len == 0 && *p == '0') {
            exponent -= fraction;
        } else if (len < TEXT_DIGITS) {
            text[len++] = *p;
            exponent -= fraction;
        } else {
            rest |= *p != '0';
            exponent += !fraction;
        }
    }
    if (p < n->end) {
        bool negative = p[1] == '-';
        int64_t e = 0;
        for (p += 1 + (p[1] == '-' || p[1] == '+'); p < n->end; p++) {
            e = e * 10 + (*p - '0');
            e = e > 2000000000 ? 2000000000 : e;
        }
        exponent += negative ? -e : e;
    }
    if (rest) {
        text[len++] = '1';
        exponent--;
    }
    (void)snprintf(text + len, 39, "e%lld", (long long)exponent);
}

bool pt_json_to_double(const pt_json_number *n, double *out) {
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double value;
    if (n->digits >> 64 || n->more) {
        char text[TEXT_DIGITS + 40];
        bounded_text(n, text);
        value = strtod_l(text, NULL, c_locale);
    } else if ((uint64_t)n->digits <= (uint64_t)1 << 53 && n->exponent >= -22 &&
               n->exponent <= 22) {
        value = (double)(uint64_t)n->digits;
        value = n->exponent < 0 ? value / exact[-n->exponent] : value * exact[n->exponent];
    } else {
        uint64_t bits = eisel_lemire((uint64_t)n->digits, n->exponent, &binary64);
        memcpy(&value, &bits, sizeof value);
    }
    *out = n->negative ? -value : value;
    return !isinf(value);
}

bool pt_json_to_float(const pt_json_number *n, float *out) {
    static const float exact[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F,
                                  1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
    float value;
    if (n->digits >> 64 || n->more) {
        char text[TEXT_DIGITS + 40];
        bounded_text(n, text);
        value = strtof_l(text, NULL, c_locale);
    } else if ((uint64_t)n->digits <= (uint64_t)1 << 24 && n->exponent >= -10 &&
               n->exponent <= 10) {
        value = (float)(uint64_t)n->digits;
        value = n->exponent < 0 ? value / exact[-n->exponent] : value * exact[n->exponent];
    } else {
        uint32_t bits = (uint32_t)eisel_lemire((uint64_t)n->digits, n->exponent, &binary32);
        memcpy(&value, &bits, sizeof value);
    }
    *out = n->negative ? -value : value;
    return !isinf(value);
}
