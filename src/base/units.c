#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct unit {
    const char *name;
    double factor;
} unit;

static const unit size_units[] = {{"", 1},           {"b", 1},           {"kb", 1e3},    {"mb", 1e6},       {"gb", 1e9},
                                  {"kib", 1024},     {"k", 1024},        {"mib", 1048576}, {"m", 1048576}, {"gib", 1073741824},
                                  {"g", 1073741824}, {NULL, 0}};
static const unit duration_units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}, {"min", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}, {NULL, 0}};

/* A plain decimal number (no sign, exponent, hex) at the start of text, then a unit of the table. */
static int parse_with_unit(const char *text, const unit *units, double *out) {
    const char *p = text;
    while (isdigit((unsigned char)*p)) {
        p++;
    }
    if (p == text) {
        return -1;
    }
    if (*p == '.') {
        p++;
        if (!isdigit((unsigned char)*p)) {
            return -1;
        }
        while (isdigit((unsigned char)*p)) {
            p++;
        }
    }
    double number = strtod(text, NULL);
    while (*p == ' ') {
        p++;
    }
    for (const unit *u = units; u->name; u++) {
        if (strcasecmp(p, u->name) == 0) {
            *out = number * u->factor;
            return *out < 9e18 ? 0 : -1;
        }
    }
    return -1;
}

int pt_parse_size(const char *text, uint64_t *out, pt_error *err) {
    double bytes;
    if (parse_with_unit(text, size_units, &bytes) != 0) {
        return pt_fail(err, PT_E_USAGE, "bad size '%s': write a number with a unit, such as 64MiB, 10MB or 4096", text);
    }
    *out = (uint64_t)llround(bytes);
    return PT_OK;
}

int pt_parse_duration(const char *text, int64_t *out, pt_error *err) {
    double us;
    if (parse_with_unit(text, duration_units, &us) != 0) {
        return pt_fail(err, PT_E_USAGE, "bad duration '%s': write a number with a unit, such as 200ms, 10s or 5m", text);
    }
    *out = llround(us);
    return PT_OK;
}

int pt_parse_count(const char *text, uint64_t *out, pt_error *err) {
    uint64_t value = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p) || (*p == '_' && p != text); p++) {
        if (*p == '_') {
            continue;
        }
        unsigned digit = (unsigned)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return pt_fail(err, PT_E_USAGE, "bad number '%s': too large", text);
        }
        value = value * 10 + digit;
    }
    if (p == text || *p) {
        return pt_fail(err, PT_E_USAGE, "bad number '%s': write a whole number, without sign and unit", text);
    }
    *out = value;
    return PT_OK;
}

int pt_parse_flag(const char *text, bool *out, pt_error *err) {
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0 ? PT_OK : pt_fail(err, PT_E_USAGE, "'%s' is neither true nor false", text);
}
