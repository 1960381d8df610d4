#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

typedef struct unit {
    const char *name;
    double factor;
} unit;

static const unit size_units[] = {{"", 1},           {"b", 1},
                                  {"kb", 1e3},       {"mb", 1e6},
                                  {"gb", 1e9},       {"kib", 1024},
                                  {"k", 1024},       {"mib", 1048576},
                                  {"m", 1048576},    {"gib", 1073741824},
                                  {"g", 1073741824}, {NULL, 0}};
static const unit duration_units[] = {{"us", 1},    {"ms", 1e3},  {"s", 1e6},     {"m", 6e7},
                                      {"min", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}, {NULL, 0}};

/* A plain decimal number (no sign, exponent, hex) at the start of text, then a unit of the table.
 */
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
        return pt_fail(err, PT_E_USAGE,
                       "bad size '%s': write a number with a unit, such as 64MiB, 10MB or 4096",
                       text);
    }
    *out = (uint64_t)llround(bytes);
    return PT_OK;
}

int pt_parse_duration(const char *text, int64_t *out, pt_error *err) {
    double us;
    if (parse_with_unit(text, duration_units, &us) != 0) {
        return pt_fail(err, PT_E_USAGE,
                       "bad duration '%s': write a number with a unit, such as 200ms, 10s or 5m",
                       text);
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
        return pt_fail(err, PT_E_USAGE,
                       "bad number '%s': write a whole number, without sign and unit", text);
    }
    *out = value;
    return PT_OK;
}

int pt_parse_flag(const char *text, bool *out, pt_error *err) {
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0
               ? PT_OK
               : pt_fail(err, PT_E_USAGE,
                         "'%s' is neither true nor false: write true, false, 1 or 0", text);
}

/* Just n digits. */
static bool take_digits(const char **p, int n, int *out) {
    *out = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (!isdigit((unsigned char)**p)) {
            return false;
        }
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool take_char(const char **p, const char *any) {
    bool is = **p && strchr(any, **p);
    *p += is;
    return is;
}

/* ".123456789": to the microsecond, what is finer is dropped. */
static bool take_fraction(const char **p, int64_t *us) {
    *us = 0;
    if (!take_char(p, ".")) {
        return true;
    }
    int64_t worth = 100000;
    const char *from = *p;
    for (; isdigit((unsigned char)**p); (*p)++, worth /= 10) {
        *us += (**p - '0') * worth;
    }
    return *p > from;
}

/* Z, or +01:00: seconds east of Greenwich. */
static bool take_zone(const char **p, int *seconds) {
    int hours, minutes;
    *seconds = 0;
    if (take_char(p, "Zz")) {
        return true;
    }
    bool west = **p == '-';
    if (!take_char(p, "+-") || !take_digits(p, 2, &hours) || !take_char(p, ":") ||
        !take_digits(p, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

int pt_parse_time(const char *text, int64_t *out, pt_error *err) {
    const char *p = text;
    struct tm t = {0};
    int year = 0, month = 0;
    int zone = 0;
    int64_t us = 0;
    bool good = take_digits(&p, 4, &year) && take_char(&p, "-") && take_digits(&p, 2, &month) &&
                take_char(&p, "-") && take_digits(&p, 2, &t.tm_mday) && take_char(&p, "Tt ") &&
                take_digits(&p, 2, &t.tm_hour) && take_char(&p, ":") &&
                take_digits(&p, 2, &t.tm_min) && take_char(&p, ":") &&
                take_digits(&p, 2, &t.tm_sec) && take_fraction(&p, &us);
    if (good && !*p) {
        return pt_fail(err, PT_E_USAGE, "time '%s' has no zone: write %sZ, or +01:00 behind it",
                       text, text);
    }
    good = good && take_zone(&p, &zone) && !*p;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    struct tm same = t;
    int64_t seconds = good ? (int64_t)timegm(&same) : 0;
    if (!good || same.tm_mon != t.tm_mon || same.tm_mday != t.tm_mday ||
        same.tm_hour != t.tm_hour || same.tm_min != t.tm_min || same.tm_sec != t.tm_sec) {
        return pt_fail(err, PT_E_USAGE, "bad time '%s': write it as 2026-11-29T15:30:00Z", text);
    }
    *out = (seconds - zone) * 1000000 + us;
    return *out >= 0 ? PT_OK : pt_fail(err, PT_E_USAGE, "time '%s' is before 1970", text);
}
