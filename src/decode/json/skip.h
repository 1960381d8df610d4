/* Checking values without storing them: ignored keys' values and JSON columns. Included after
 * json_scan.h, once by each scanner. */

#define COLD __attribute__((cold, noinline))

static const char *skip_value(pt_json *js, const pt_json_node *node, const char *p);

static COLD const char *bad_utf8(pt_json *js, const pt_json_node *node, const char *at) {
    if (pt_json_utf8_cut(at, js->end)) {
        return pt_json_fail(js, node, PT_DECODE_TRUNCATED, js->end,
                            "the record ends inside a character");
    }
    return pt_json_fail(js, node, PT_DECODE_UTF8, at, "byte 0x%02X starts no valid UTF-8 sequence",
                        (unsigned)(unsigned char)*at);
}

/* At a byte that find_stop found and that is no quote or backslash. */
static COLD const char *bad_string(pt_json *js, const pt_json_node *node, const char *p) {
    if (p >= js->end) {
        return pt_json_fail(js, node, PT_DECODE_TRUNCATED, js->end,
                            "the record ends inside a string");
    }
    return pt_json_fail(js, node, PT_DECODE_SYNTAX, p,
                        "control character 0x%02X in a string must be escaped",
                        (unsigned)(unsigned char)*p);
}

/* Checks the string whose first byte is p: returns its closing quote, and whether it has escapes.
 */
static const char *check_string(pt_json *js, const pt_json_node *node, const char *p,
                                bool *escaped) {
    *escaped = false;
    for (;;) {
        bool high = false;
        const char *stop = find_stop(p, &high);
        if (PT_UNLIKELY(high)) {
            const char *bad = pt_json_utf8_bad(p, stop);
            if (bad) {
                return bad_utf8(js, node, bad);
            }
        }
        if (PT_LIKELY(*stop == '"')) {
            return stop;
        }
        if (*stop != '\\') {
            return bad_string(js, node, stop);
        }
        *escaped = true;
        if (stop[1] == '"' || stop[1] == '\\' || stop[1] == 'n' || stop[1] == '/') {
            p = stop + 2;
            continue;
        }
        char out[4], *o = out;
        p = pt_json_unescape(js, node, stop, &o);
        if (!p) {
            return NULL;
        }
    }
}

/* Checks the string at p (after its opening quote) and writes its text to out, which has room for
 * the rest of the string as it stands and PT_ARENA_SLACK. Returns the byte after the closing quote.
 */
static const char *copy_string(pt_json *js, const pt_json_node *node, const char *p, char *out,
                               size_t *len) {
    char *o = out;
    for (;;) {
        bool high = false;
        const char *stop = copy_to_stop(p, o, &high);
        if (PT_UNLIKELY(high)) {
            const char *bad = pt_json_utf8_bad(p, stop);
            if (bad) {
                return bad_utf8(js, node, bad);
            }
        }
        o += stop - p;
        if (*stop == '"') {
            *len = (size_t)(o - out);
            return stop + 1;
        }
        if (*stop != '\\') {
            return bad_string(js, node, stop);
        }
        if (stop[1] == '"' || stop[1] == '\\' || stop[1] == '/') {
            *o++ = stop[1];
            p = stop + 2;
        } else if (stop[1] == 'n') {
            *o++ = '\n';
            p = stop + 2;
        } else {
            p = pt_json_unescape(js, node, stop, &o);
            if (!p) {
                return NULL;
            }
        }
    }
}

/* The text of the string at p (its opening quote): in the record itself, or in scratch when it has
 * escapes. Returns the byte after the closing quote. */
static const char *text_of(pt_json *js, const pt_json_node *node, const char *p, const char **text,
                           size_t *len) {
    bool escaped;
    const char *quote = check_string(js, node, p + 1, &escaped);
    if (!quote) {
        return NULL;
    }
    *text = p + 1;
    *len = (size_t)(quote - p - 1);
    if (PT_UNLIKELY(escaped)) {
        char *copy = pt_json_scratch_get(js, *len);
        if (!copy) {
            return NULL;
        }
        *text = copy;
        (void)copy_string(js, node, p + 1, copy, len); /* was checked */
        memset(copy + *len, 0, 64);                    /* what copy_to_stop wrote too far */
    }
    return quote + 1;
}

static COLD const char *duplicate_key(pt_json *js, const pt_json_node *node, const char *at) {
    const char *end = at + 1;
    while (end < js->end && *end != '"') {
        end++;
    }
    return pt_json_fail(js, node, PT_DECODE_DUPLICATE_KEY, at,
                        "the key \"%s\" stands twice in one object",
                        pt_json_quoted(at + 1, (size_t)(end - at - 1)).text);
}

static COLD const char *too_deep(pt_json *js, const pt_json_node *node, const char *at) {
    return pt_json_fail(js, node, PT_DECODE_DEPTH, at, "nested deeper than %d levels",
                        PT_DECODE_DEPTH_MAX);
}

/* Adds a key of the innermost object; at: its opening quote. */
static bool add_key(pt_json *js, const pt_json_node *node, const char *key, size_t len,
                    const char *at) {
    int added = pt_json_keys_add(&js->keys, key, len);
    if (PT_LIKELY(added == 1)) {
        return true;
    }
    if (added == 0) {
        duplicate_key(js, node, at);
    } else {
        pt_json_nomem(js, "the keys of a record");
    }
    return false;
}

/* The colon after a key and the white space around it; returns the value's first byte. */
static inline const char *take_colon(pt_json *js, const pt_json_node *node, const char *p) {
    p = skip_space(p);
    if (PT_UNLIKELY(*p != ':')) {
        return pt_json_expected(js, node, p, "':' after a key");
    }
    return skip_space(p + 1);
}

/* After a value in an object or list: the separator. Returns the next key's or element's first byte
 * with *more set, or the byte after the closing bracket. */
static inline const char *take_separator(pt_json *js, const pt_json_node *node, const char *p,
                                         char close, bool *more) {
    p = skip_space(p);
    *more = *p == ',';
    if (*more) {
        return skip_space(p + 1);
    }
    if (PT_UNLIKELY(*p != close)) {
        return pt_json_expected(js, node, p, close == '}' ? "',' or '}'" : "',' or ']'");
    }
    return p + 1;
}

static const char *skip_object(pt_json *js, const pt_json_node *node, const char *p) {
    p = skip_space(p + 1);
    if (*p == '}') {
        return p + 1;
    }
    pt_json_scope outer = pt_json_keys_enter(&js->keys);
    for (bool more = true; more;) {
        if (PT_UNLIKELY(*p != '"')) {
            return pt_json_expected(js, node, p, "a key in double quotes");
        }
        const char *key, *at = p;
        size_t len;
        p = text_of(js, node, p, &key, &len);
        if (!p || !add_key(js, node, key, len, at)) {
            return NULL;
        }
        p = take_colon(js, node, p);
        p = p ? skip_value(js, node, p) : NULL;
        p = p ? take_separator(js, node, p, '}', &more) : NULL;
        if (!p) {
            return NULL;
        }
    }
    pt_json_keys_leave(&js->keys, outer);
    return p;
}

static const char *skip_list(pt_json *js, const pt_json_node *node, const char *p) {
    p = skip_space(p + 1);
    if (*p == ']') {
        return p + 1;
    }
    for (bool more = true; more;) {
        p = skip_value(js, node, p);
        p = p ? take_separator(js, node, p, ']', &more) : NULL;
        if (!p) {
            return NULL;
        }
    }
    return p;
}

static COLD const char *bad_number(pt_json *js, const pt_json_node *node, const char *at) {
    return pt_json_expected(
        js, node, at, "a digit of a number (no leading zeros, digits on both sides of the point)");
}

static const char *skip_number(pt_json *js, const pt_json_node *node, const char *p) {
    const char *q = p + (*p == '-');
    unsigned run = digit_run(load64(q));
    const char *e = q + run;
    if (PT_LIKELY(run > 0 && run < 8 && *e != '.' && (*e | 0x20) != 'e' &&
                  (run == 1 || *q != '0'))) {
        return e;
    }
    pt_json_number n;
    const char *bad = p;
    const char *end = pt_json_number_read(p, &n, &bad);
    return PT_LIKELY(end != NULL) ? end : bad_number(js, node, bad);
}

static const char *skip_word(pt_json *js, const pt_json_node *node, const char *p) {
    const char *word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
    for (; *word; word++, p++) {
        if (*p != *word) {
            return pt_json_expected(js, node, p, "true, false or null");
        }
    }
    return p;
}

static const char *skip_value(pt_json *js, const pt_json_node *node, const char *p) {
    switch (*p) {
    case '"': {
        bool escaped;
        const char *quote = check_string(js, node, p + 1, &escaped);
        return quote ? quote + 1 : NULL;
    }
    case '{':
    case '[':
        if (js->depth == PT_DECODE_DEPTH_MAX) {
            return too_deep(js, node, p);
        }
        js->depth++;
        p = *p == '{' ? skip_object(js, node, p) : skip_list(js, node, p);
        js->depth--;
        return p;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return skip_number(js, node, p);
    case 't':
    case 'f':
    case 'n': return skip_word(js, node, p);
    default: return pt_json_expected(js, node, p, "a JSON value");
    }
}
