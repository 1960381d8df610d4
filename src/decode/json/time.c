/* Dates and times from ISO 8601 text, in DuckDB's ranges. */
#include <string.h>

#include "decode/json/core.h"

#define DAY_SECONDS 86400
#define NANOS       1000000000

int64_t pt_json_time_units(pt_type_id id) {
    switch (id) {
    case PT_TIMESTAMP_S: return 1;
    case PT_TIMESTAMP_MS: return 1000;
    case PT_TIMESTAMP_NS: return NANOS;
    default: return 1000000;
    }
}

/* The ends of the int64 range mean infinity in DuckDB; the first day of TIMESTAMP is 290309-12-22
 * (BC), of TIMESTAMP_NS 1677-09-22. */
bool pt_json_time_in_range(pt_type_id id, pt_i128 value) {
    if (id == PT_TIMESTAMP_NS) {
        return value >= (pt_i128)-106751 * DAY_SECONDS * NANOS && value < INT64_MAX;
    }
    pt_i128 micros = value * (1000000 / pt_json_time_units(id));
    return micros >= (pt_i128)-106751991 * DAY_SECONDS * 1000000 && micros < INT64_MAX;
}

#define FIRST_SECOND INT64_C(62135596800)  /* 0001-01-01, before 1970 */
#define LAST_SECOND  INT64_C(253402300799) /* 9999-12-31 23:59:59 */

int8_t pt_json_epoch_shift(pt_type_id id, pt_epoch_unit unit) {
    static const int8_t digits[] = {
        [PT_EPOCH_S] = 0, [PT_EPOCH_MS] = 3, [PT_EPOCH_US] = 6, [PT_EPOCH_NS] = 9};
    int8_t shift = (int8_t)-digits[unit];
    for (int64_t units = pt_json_time_units(id); units > 1; units /= 10) {
        shift++;
    }
    return shift;
}

void pt_json_epoch_limits(pt_type_id id, uint64_t max[2]) {
    pt_i128 units = pt_json_time_units(id);
    pt_i128 last = (LAST_SECOND + 1) * units - 1, first = -FIRST_SECOND * units;
    if (id == PT_TIMESTAMP_NS) {
        last = INT64_MAX - 1;
        first = (pt_i128)-106751 * DAY_SECONDS * NANOS;
    }
    max[0] = (uint64_t)last;
    max[1] = (uint64_t)-first;
}

typedef struct text {
    const char *p, *end;
} text;

static bool take(text *t, char c) {
    if (t->p < t->end && *t->p == c) {
        t->p++;
        return true;
    }
    return false;
}

static bool take_either(text *t, char a, char b) {
    return take(t, a) || take(t, b);
}

/* min to max digits; -1 when there are fewer. */
static int64_t digits(text *t, int min, int max) {
    int64_t value = 0;
    int n = 0;
    for (; n < max && t->p < t->end && *t->p >= '0' && *t->p <= '9'; n++) {
        value = value * 10 + (*t->p++ - '0');
    }
    return n >= min ? value : -1;
}

/* H. Hinnant, "chrono-compatible low-level date algorithms": days since 1970-01-01 in the proleptic
 * Gregorian calendar. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t pt_json_year(int64_t seconds) {
    int64_t days = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0) + 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    return year_of_era + era * 400 + (day_of_year >= 306);
}

static bool calendar_day(int64_t year, int64_t month, int64_t day, int64_t *days) {
    static const int8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1] + (month == 2 && leap)) {
        return false;
    }
    *days = days_from_civil(year, month, day);
    return true;
}

static bool date(text *t, int64_t *days) {
    bool negative = take(t, '-');
    if (!negative) {
        (void)take(t, '+');
    }
    int64_t year = digits(t, 4, 7);
    if (year < 0 || !take(t, '-')) {
        return false;
    }
    int64_t month = digits(t, 2, 2);
    return month >= 0 && take(t, '-') &&
           calendar_day(negative ? -year : year, month, digits(t, 2, 2), days);
}

/* SS[.f{1,9}], or a comma; 24:00:00 is the end of the day. */
static bool second_and_sum(text *t, int64_t hour, int64_t minute, bool with_second,
                           int64_t *seconds, int64_t *nanos) {
    int64_t second = with_second ? digits(t, 2, 2) : 0;
    *nanos = 0;
    if (minute < 0 || minute > 59 || second < 0 || second > 59) {
        return false;
    }
    if (with_second && take_either(t, '.', ',')) {
        const char *start = t->p;
        int64_t fraction = digits(t, 1, 9);
        if (fraction < 0) {
            return false;
        }
        *nanos = fraction * (int64_t)pt_json_pow10[9 - (t->p - start)];
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 || (*seconds == DAY_SECONDS && *nanos == 0);
}

/* HH:MM[:SS[.f{1,9}]]; HH alone where `hour_alone` allows it. */
static bool clock_time(text *t, bool hour_alone, int64_t *seconds, int64_t *nanos) {
    int64_t hour = digits(t, 2, 2);
    if (hour < 0 || hour > 24) {
        return false;
    }
    if (!take(t, ':')) {
        return hour_alone && second_and_sum(t, hour, 0, false, seconds, nanos);
    }
    int64_t minute = digits(t, 2, 2);
    return second_and_sum(t, hour, minute, take(t, ':'), seconds, nanos);
}

/* Z, +HH, +HH:MM or +HHMM; nothing is UTC. */
static bool offset(text *t, int64_t *seconds) {
    *seconds = 0;
    if (t->p == t->end || take_either(t, 'Z', 'z')) {
        return true;
    }
    bool negative = take(t, '-');
    if (!negative && !take(t, '+')) {
        return false;
    }
    int64_t hours = digits(t, 2, 2), minutes = 0;
    if (take(t, ':') || t->p < t->end) {
        minutes = digits(t, 2, 2);
    }
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (negative ? -60 : 60);
    return true;
}

static bool is_digit_at(const text *t) {
    return t->p < t->end && *t->p >= '0' && *t->p <= '9';
}

/* YYYYMMDD */
static bool basic_date(text *t, int64_t *days) {
    int64_t year = digits(t, 4, 4), month = digits(t, 2, 2), day = digits(t, 2, 2);
    return year >= 0 && calendar_day(year, month, day, days);
}

/* HHMM[SS[.f{1,9}]]; HH alone where `hour_alone` allows it. */
static bool basic_time(text *t, bool hour_alone, int64_t *seconds, int64_t *nanos) {
    int64_t hour = digits(t, 2, 2);
    bool with_minute = is_digit_at(t);
    int64_t minute = with_minute ? digits(t, 2, 2) : 0;
    return hour >= 0 && hour <= 24 && (with_minute || hour_alone) &&
           second_and_sum(t, hour, minute, is_digit_at(t), seconds, nanos);
}

/* YYYYMMDD, alone or with THH[MM[SS[.f{1,9}]]] and Z, +HH or +HHMM or none: ISO 8601's basic form,
 * all of it or nothing. */
static bool basic_form(const char *s, size_t len, int64_t *days, int64_t *seconds, int64_t *nanos,
                       int64_t *zone) {
    text t = {s, s + len};
    if (!basic_date(&t, days)) {
        return false;
    }
    if (t.p == t.end) {
        return true;
    }
    return take_either(&t, 'T', 't') && !memchr(t.p, ':', (size_t)(t.end - t.p)) &&
           basic_time(&t, true, seconds, nanos) && offset(&t, zone) && t.p == t.end;
}

/* value / unit, rounded half away from zero */
static pt_i128 rounded(pt_i128 value, int64_t unit) {
    pt_i128 magnitude = value < 0 ? -value : value;
    magnitude = (magnitude + unit / 2) / unit;
    return value < 0 ? -magnitude : magnitude;
}

/* A time of day that is UTC or says nothing of a zone, in the form that the date has. */
static bool no_zone_follows(text *t, bool basic, bool *time_of_day) {
    int64_t seconds, nanos;
    if (!take_either(t, 'T', 't') && (basic || !take(t, ' '))) {
        return false;
    }
    if (basic ? !basic_time(t, true, &seconds, &nanos) : !clock_time(t, true, &seconds, &nanos)) {
        return false;
    }
    (void)take_either(t, 'Z', 'z');
    *time_of_day = seconds || nanos;
    return t->p == t->end;
}

/* A date, also with a midnight behind it, as many programs write one. */
pt_json_time_result pt_json_date_text(const char *s, size_t len, int32_t *days) {
    text t = {s, s + len}, start = t;
    bool time_of_day = false;
    int64_t d;
    bool basic = !date(&t, &d);
    if (basic) {
        t = start;
    }
    if ((basic && !basic_date(&t, &d)) ||
        (t.p != t.end && !no_zone_follows(&t, basic, &time_of_day))) {
        return PT_TIME_FORMAT;
    }
    if (time_of_day) {
        return PT_TIME_LOSSY;
    }
    if (d < -(int64_t)INT32_MAX + 1 || d > INT32_MAX - 1) { /* the ends mean infinity */
        return PT_TIME_RANGE;
    }
    *days = (int32_t)d;
    return PT_TIME_OK;
}

pt_json_time_result pt_json_time_text(const char *s, size_t len, int64_t *micros) {
    text t = {s, s + len};
    int64_t seconds, nanos;
    bool extended = len > 2 && s[2] == ':';
    if (!(extended ? clock_time(&t, false, &seconds, &nanos)
                   : basic_time(&t, false, &seconds, &nanos)) ||
        t.p != t.end) {
        return PT_TIME_FORMAT;
    }
    *micros = seconds * 1000000 + (nanos + 500) / 1000;
    return PT_TIME_OK;
}

pt_json_time_result pt_json_timestamp_text(pt_type_id id, const char *s, size_t len, int64_t *out) {
    text t = {s, s + len};
    int64_t days, seconds = 0, nanos = 0, zone = 0;
    bool extended = date(&t, &days);
    if (extended ? t.p != t.end && ((!take_either(&t, 'T', 't') && !take(&t, ' ')) ||
                                    !clock_time(&t, true, &seconds, &nanos) || !offset(&t, &zone) ||
                                    t.p != t.end)
                 : !basic_form(s, len, &days, &seconds, &nanos, &zone)) {
        return PT_TIME_FORMAT;
    }
    int64_t units = pt_json_time_units(id), since = days * DAY_SECONDS + seconds - zone;
    if (nanos && pt_json_time_exact(id) && nanos % (NANOS / units)) {
        return PT_TIME_LOSSY;
    }
    if (since >= 0 && since < INT64_MAX / units - 1) { /* the usual case, without 128 bits */
        *out = since * units + (nanos * units + NANOS / 2) / NANOS;
        return pt_json_time_in_range(id, *out) ? PT_TIME_OK : PT_TIME_RANGE;
    }
    pt_i128 exact = ((pt_i128)days * DAY_SECONDS + seconds - zone) * NANOS + nanos;
    pt_i128 value = rounded(exact, NANOS / units);
    if (!pt_json_time_in_range(id, value)) {
        return PT_TIME_RANGE;
    }
    *out = (int64_t)value;
    return PT_TIME_OK;
}
