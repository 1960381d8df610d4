/* A value's text becomes the field of an option. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/units.h"
#include "cli/options.h"

static int parse_choice(const pt_option *o, const char *value, int *out, pt_error *err) {
    int index = 0;
    pt_nearest nearest;
    pt_nearest_begin(&nearest, value);
    for (const char *p = o->arg; *p; index++) {
        char choice[64];
        size_t n = strcspn(p, "|");
        (void)snprintf(choice, sizeof choice, "%.*s", (int)n, p);
        pt_nearest_offer(&nearest, choice);
        if (strlen(value) == n && strncmp(p, value, n) == 0) {
            *out = index;
            return PT_OK;
        }
        p += n + (p[n] == '|');
    }
    return pt_fail(err, PT_E_USAGE, "it takes one of %s, not '%s'%s", o->arg, value,
                   pt_nearest_hint(&nearest, "").text);
}

static int parse_real(const char *value, double *out, pt_error *err) {
    char *end;
    double d = strtod(value, &end);
    if (end == value || *end || !(d >= 0)) {
        return pt_fail(err, PT_E_USAGE, "bad number '%s': write a number that is not negative",
                       value);
    }
    *out = d;
    return PT_OK;
}

static int add_entry(pt_string_list *list, const char *value, pt_error *err) {
    if (list->n == PT_LIST_MAX) {
        return pt_fail(err, PT_E_USAGE, "given more than %d times", PT_LIST_MAX);
    }
    list->items[list->n++] = value;
    return PT_OK;
}

static int parse_value(const pt_option *o, const char *value, void *field, pt_error *err) {
    switch (o->kind) {
    case PT_OPT_FLAG:
        *(bool *)field = true;
        return value ? pt_parse_flag(value, (bool *)field, err) : PT_OK;
    case PT_OPT_STRING: *(const char **)field = value; return PT_OK;
    case PT_OPT_LIST: return add_entry((pt_string_list *)field, value, err);
    case PT_OPT_COUNT: return pt_parse_count(value, (uint64_t *)field, err);
    case PT_OPT_REAL: return parse_real(value, (double *)field, err);
    case PT_OPT_SIZE: return pt_parse_size(value, (uint64_t *)field, err);
    case PT_OPT_DURATION: return pt_parse_duration(value, (int64_t *)field, err);
    case PT_OPT_CHOICE: return parse_choice(o, value, (int *)field, err);
    }
    return pt_fail(err, PT_E_INTERNAL, "option kind %d", (int)o->kind);
}

int pt_option_store(const pt_option *o, const char *value, void *args, pt_error *err) {
    void *field = (char *)args + o->offset;
    PT_TRY(parse_value(o, value, field, err));
    return o->check ? o->check(value, field, err) : PT_OK;
}
