/* Objects and lists, and the table of readers. Included last, once by each scanner; it ends with
 * the scanner's definition. */

/* ---- objects: the record and STRUCT ---- */

/* The column of a key, or PT_JSON_END. */
static inline uint32_t find_column(const pt_json_object *o, const char *key, size_t len) {
    for (size_t at = pt_json_name_hash(key, len) & o->table_mask; o->table[at];
         at = (at + 1) & o->table_mask) {
        uint32_t i = o->table[at] - 1;
        const pt_json_node *node = &o->nodes[i];
        if (node->name_len == len && memcmp(node->name, key, len) == 0) {
            return i;
        }
    }
    return PT_JSON_END;
}

/* Learns at the first miss and then seldom: where keys come in any order it is of no use. */
static inline void learn(pt_json_slot *slot, const char *from, const char *key, const char *to,
                         uint32_t column) {
    if (slot->misses++ % 32 == 0) {
        pt_json_slot_learn(slot, from, key, to, column);
    }
}

/* Where a value starts and whose it is. */
typedef struct step {
    const char *value; /* NULL: failed; behind the object's } at its end */
    uint32_t column;   /* PT_JSON_END at the end of the object */
    uint32_t back;     /* the key's opening quote is so far before the value */
} step;

/* The keys without a column that this object had so far. */
typedef struct unknown_keys {
    bool any;
    pt_json_scope outer;
} unknown_keys;

static bool add_unknown(pt_json *js, const pt_json_node *node, unknown_keys *unknown,
                        const char *key, size_t len, const char *at) {
    if (!unknown->any) {
        unknown->any = true;
        unknown->outer = pt_json_keys_enter(&js->keys);
        if (!node) {
            js->unknown_keys_before = js->unknown_keys;
            js->n_unknown_names_before = js->n_unknown_names;
        }
    }
    if (PT_UNLIKELY(js->unknown_keys++ < PT_JSON_UNKNOWN_LOOKED)) {
        pt_json_note_unknown(js, node, key, len);
    }
    return add_key(js, node, key, len, at);
}

/* The general way from the object's { (first) or from behind a value to the next column's value or
 * the end. Keys without a column are skipped here. */
static __attribute__((noinline)) step next_key(pt_json *js, const pt_json_node *node,
                                               pt_json_object *o, pt_json_slot *slot, const char *p,
                                               unknown_keys *unknown) {
    const step failed = {NULL, 0, 0};
    const char *from = p;
    bool first = slot == o->slots;
    for (bool more = true;; first = false) {
        if (first) {
            p = skip_space(p + 1);
            more = *p != '}';
            p += !more;
        } else {
            p = take_separator(js, node, p, '}', &more);
            if (!p) {
                return failed;
            }
        }
        if (!more) {
            if (from) {
                learn(slot, from, from, p, PT_JSON_END);
            }
            return (step){p, PT_JSON_END, 0};
        }
        if (PT_UNLIKELY(*p != '"')) {
            pt_json_expected(js, node, p, "a key in double quotes");
            return failed;
        }
        const char *key = p + 1, *at = p;
        const char *quote = find_special(key);
        size_t len = (size_t)(quote - key);
        p = PT_LIKELY(*quote == '"') ? quote + 1 : text_of(js, node, at, &key, &len);
        p = p ? take_colon(js, node, p) : NULL;
        if (!p) {
            return failed;
        }
        uint32_t column = find_column(o, key, len);
        if (column != PT_JSON_END) {
            if (from) {
                learn(slot, from, at, p, column);
                o->gap[first] = at - from == 2 ? 2 : 1;
                o->colon_gap = p - quote == 3 ? 2 : 1;
            }
            return (step){p, column, (uint32_t)(p - at)};
        }
        p = add_unknown(js, node, unknown, key, len, at) ? skip_value(js, NULL, p) : NULL;
        if (!p) {
            return failed;
        }
        from = NULL;
    }
}

/* The same for what is usual where keys come in any order: a column's name without escapes, one
 * blank at most on either side. */
static inline step quick_key(const pt_json_object *o, pt_json_slot *slot, const char *p) {
    bool first = slot == o->slots;
    if (*p == '}' && !first) {
        learn(slot, p, p, p + 1, PT_JSON_END);
        return (step){p + 1, PT_JSON_END, 0};
    }
    size_t gap = o->gap[first],
           colon_gap =
               o->colon_gap; /* not looked at but assumed, so that nothing has to wait for it */
    const char *key = p + gap;
    const uint32_t guess = pt_json_quick(o, key + 1);
    const pt_json_slot *name = &o->names[guess - (guess != 0)];
    const char *colon = key + 1 + name->len;
    const char *value = colon + colon_gap;
    bool good = guess && *p == (first ? '{' : ',') && *key == '"' && slot_matches(name, key + 1) &&
                *colon == ':';
    good = good && (gap == 1 || p[1] == ' ') && (colon_gap == 1 || colon[1] == ' ');
    if (PT_UNLIKELY(!good || (unsigned char)*value <= ' ')) {
        return (step){NULL, 0, 0};
    }
    learn(slot, p, key, value, guess - 1);
    return (step){value, guess - 1, (uint32_t)(value - key)};
}

static COLD const char *finish_object(pt_json *js, pt_json_object *o, const char *start,
                                      const char *p, size_t row) {
    return pt_json_object_missing(js, o, start, row) ? p : NULL;
}

/* p at the {. node is the STRUCT, NULL for the record. */
static inline const char *read_object(pt_json *js, const pt_json_node *node, pt_json_object *o,
                                      const char *p, size_t row) {
    pt_json_slot *slot = o->slots;
    const char *start = p;
    unknown_keys unknown = {.any = false};
    bool ordered = o->unordered == 0;
    o->unordered -= !ordered;
    size_t surprises = 0;
    for (size_t i = 0; i < o->words; i++) {
        o->seen[i] = 0;
    }
    for (;;) {
        step next;
        /* white space where the value should start: the slot is from a record with less of it */
        if (PT_LIKELY(ordered && slot_matches(slot, p) &&
                      ((unsigned char)p[slot->len] > ' ' || slot->column == PT_JSON_END))) {
            next = (step){p + slot->len, slot->column, (uint32_t)slot->len - slot->key_at};
        } else {
            surprises += slot->mask != 0;
            next = quick_key(o, slot, p);
            if (PT_UNLIKELY(!next.value)) {
                next = next_key(js, node, o, slot, p, &unknown);
                if (PT_UNLIKELY(!next.value)) {
                    return NULL;
                }
            }
        }
        p = next.value;
        if (next.column == PT_JSON_END) {
            break;
        }
        uint64_t bit = (uint64_t)1 << (next.column % 64);
        if (PT_UNLIKELY(o->seen[next.column / 64] & bit)) {
            return duplicate_key(js, node, p - next.back);
        }
        o->seen[next.column / 64] |= bit;
        const pt_json_node *field = &o->nodes[next.column];
        p = field->read(js, field, p, row);
        if (PT_UNLIKELY(!p)) {
            return NULL;
        }
        slot = &o->slots[next.column + 1];
    }
    if (PT_UNLIKELY(surprises > 2 && surprises * 2 > o->n && ordered)) {
        o->unordered = 50;
    }
    if (PT_UNLIKELY(unknown.any)) {
        pt_json_keys_leave(&js->keys, unknown.outer);
    }
    uint64_t unseen = o->seen[o->words - 1] ^ o->last_word;
    for (size_t i = 0; i + 1 < o->words; i++) {
        unseen |= ~o->seen[i];
    }
    return PT_UNLIKELY(unseen) ? finish_object(js, o, start, p, row) : p;
}

static const char *read_record(pt_json *js, const char *p) {
    js->depth = 1;
    return read_object(js, NULL, js->top, p, js->rows->at);
}

static inline bool enter(pt_json *js, const pt_json_node *node, const char *p) {
    if (PT_UNLIKELY(js->depth == PT_DECODE_DEPTH_MAX)) {
        too_deep(js, node, p);
        return false;
    }
    js->depth++;
    return true;
}

static const char *read_struct(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    if (PT_UNLIKELY(*p != '{')) {
        return read_other(js, node, p, row);
    }
    if (!enter(js, node, p)) {
        return NULL;
    }
    p = read_object(js, node, node->object, p, row);
    js->depth--;
    return p;
}

/* ---- LIST and MAP ---- */

static inline bool add_element(pt_json *js, const pt_json_node *node, size_t *index) {
    int rc = pt_rows_list_add(js->rows, node->vec, index, js->own);
    if (PT_UNLIKELY(rc != PT_OK)) {
        pt_json_own(js, rc);
        return false;
    }
    return true;
}

static inline void put_list(pt_json *js, const pt_json_node *node, size_t row, size_t offset) {
    ((duckdb_list_entry *)vec_data(js, node))[row] =
        (duckdb_list_entry){.offset = offset, .length = js->rows->vecs[node->vec].used - offset};
}

static const char *read_list(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    if (PT_UNLIKELY(*p != '[')) {
        return read_other(js, node, p, row);
    }
    if (!enter(js, node, p)) {
        return NULL;
    }
    size_t offset = js->rows->vecs[node->vec].used;
    const pt_json_node *element = node->children;
    p = skip_space(p + 1);
    bool more = *p != ']';
    p += !more;
    while (more) {
        size_t index;
        if (!add_element(js, node, &index)) {
            return NULL;
        }
        p = element->read(js, element, p, index);
        p = p ? take_separator(js, node, p, ']', &more) : NULL;
        if (PT_UNLIKELY(!p)) {
            return NULL;
        }
    }
    put_list(js, node, row, offset);
    js->depth--;
    return p;
}

/* The key of a MAP as its stored value, so that 1 and 1.0 are the same key of MAP(INTEGER, ...):
 * its bytes, in scratch where the vector may move. */
static bool add_map_key(pt_json *js, const pt_json_node *key, size_t index, const char *at) {
    const char *data;
    size_t len;
    uint64_t canonical;
    if (key->id == PT_VARCHAR || key->id == PT_BLOB) {
        const duckdb_string_t *s = string_at(js, key, index);
        len = s->value.inlined.length;
        data = len <= 12 ? s->value.inlined.inlined : s->value.pointer.ptr;
        if (len > 12) { /* stays in the arena, with slack behind it */
            return add_key(js, key->parent, data, len, at);
        }
    } else {
        len = js->rows->shapes[key->vec].width;
        data = (const char *)vec_data(js, key) + index * len;
        if (key->id == PT_DOUBLE || key->id == PT_REAL) { /* -0.0 is 0.0 */
            double value;
            float narrow;
            if (key->id == PT_DOUBLE) {
                memcpy(&value, data, sizeof value);
            } else {
                memcpy(&narrow, data, sizeof narrow);
                value = (double)narrow;
            }
            value += 0.0;
            memcpy(&canonical, &value, sizeof canonical);
            data = (const char *)&canonical;
            len = sizeof canonical;
        }
    }
    char *copy = pt_json_scratch_get(js, len);
    if (!copy) {
        return false;
    }
    memcpy(copy, data, len);
    return add_key(js, key->parent, copy, len, at);
}

static const char *read_map_key(pt_json *js, const pt_json_node *key, const char *p, size_t index) {
    if (PT_UNLIKELY(*p != '"')) {
        return pt_json_expected(js, key->parent, p, "a key in double quotes");
    }
    const char *text, *at = p;
    size_t len;
    p = text_of(js, key->parent, p, &text, &len);
    if (!p) {
        return NULL;
    }
    if (key->id != PT_VARCHAR && len == 4 && memcmp(text, "null", 4) == 0) {
        return pt_json_fail(js, key->parent, PT_DECODE_NOT_NULL, at, "a MAP key cannot be null");
    }
    if (!pt_json_from_text(js, key, text, len, at, index) || !add_map_key(js, key, index, at)) {
        return NULL;
    }
    return take_colon(js, key->parent, p);
}

static const char *read_map(pt_json *js, const pt_json_node *node, const char *p, size_t row) {
    if (PT_UNLIKELY(*p != '{')) {
        return read_other(js, node, p, row);
    }
    if (!enter(js, node, p)) {
        return NULL;
    }
    size_t offset = js->rows->vecs[node->vec].used;
    const pt_json_node *key = &node->children[0], *value = &node->children[1];
    pt_json_scope outer = pt_json_keys_enter(&js->keys);
    p = skip_space(p + 1);
    bool more = *p != '}';
    p += !more;
    while (more) {
        size_t index;
        if (!add_element(js, node, &index)) {
            return NULL;
        }
        p = read_map_key(js, key, p, index);
        p = p ? value->read(js, value, p, index) : NULL;
        p = p ? take_separator(js, node, p, '}', &more) : NULL;
        if (PT_UNLIKELY(!p)) {
            return NULL;
        }
    }
    pt_json_keys_leave(&js->keys, outer);
    put_list(js, node, row, offset);
    js->depth--;
    return p;
}

/* ---- the scanner ---- */

static pt_json_read reader_of(const pt_json_node *node) {
    static const pt_json_read readers[] = {
        [PT_BOOLEAN] = read_boolean,    [PT_TINYINT] = read_i8,
        [PT_SMALLINT] = read_i16,       [PT_INTEGER] = read_i32,
        [PT_BIGINT] = read_i64,         [PT_HUGEINT] = read_number,
        [PT_UTINYINT] = read_u8,        [PT_USMALLINT] = read_u16,
        [PT_UINTEGER] = read_u32,       [PT_UBIGINT] = read_u64,
        [PT_UHUGEINT] = read_number,    [PT_REAL] = read_float,
        [PT_DOUBLE] = read_double,      [PT_DECIMAL] = read_decimal,
        [PT_VARCHAR] = read_string,     [PT_UUID] = read_uuid,
        [PT_DATE] = read_text,          [PT_TIME] = read_text,
        [PT_TIMESTAMP] = read_epoch,    [PT_TIMESTAMP_S] = read_epoch,
        [PT_TIMESTAMP_MS] = read_epoch, [PT_TIMESTAMP_NS] = read_epoch,
        [PT_TIMESTAMPTZ] = read_epoch,  [PT_BLOB] = read_text,
        [PT_JSON] = read_json,          [PT_LIST] = read_list,
        [PT_STRUCT] = read_struct,      [PT_MAP] = read_map,
    };
    return readers[node->id];
}
