/* Objects and lists, and the table of readers. Included last, once by each scanner; it ends with the scanner's definition. */

/* ---- objects: the record and STRUCT ---- */

/* The column of a key, or PT_JSON_END. */
static inline uint32_t find_column(const pt_json_object *o, const char *key, size_t len) {
    for (size_t at = pt_json_name_hash(key, len) & o->table_mask; o->table[at]; at = (at + 1) & o->table_mask) {
        uint32_t i = o->table[at] - 1;
        const pt_json_node *node = &o->nodes[i];
        if (node->name_len == len && (len <= PT_JSON_SLOT_MAX ? slot_matches(&o->names[i], key) : memcmp(node->name, key, len) == 0)) {
            return i;
        }
    }
    return PT_JSON_END;
}

/* Learns most of the time as long as that helps, seldom when it does not. */
static inline void learn(pt_json_slot *slot, const char *from, const char *key, const char *to, uint32_t column) {
    if (slot->misses++ % 16 < 2) {
        pt_json_slot_learn(slot, from, key, to, column);
    }
}

/* Reads what stands between values when the slot did not foresee it: p at the object's { (first) or after a value. Sets *column to the
 * next column whose value starts at the returned byte, or to PT_JSON_END behind the object's }. Keys without a column are skipped here. */
static __attribute__((noinline)) const char *next_key(pt_json *js, const pt_json_node *node, pt_json_object *o, pt_json_slot *slot, const char *p, bool first, bool *scoped,
                                                      pt_json_scope *outer, uint32_t *column, const char **key_at) {
    const char *from = p;
    for (bool more = true;; first = false) {
        if (first) {
            p = skip_space(p + 1);
            more = *p != '}';
            p += !more;
        } else {
            p = take_separator(js, node, p, '}', &more);
            if (!p) {
                return NULL;
            }
        }
        if (!more) {
            *column = PT_JSON_END;
            if (from) {
                learn(slot, from, from, p, PT_JSON_END);
            }
            return p;
        }
        if (PT_UNLIKELY(*p != '"')) {
            return pt_json_expected(js, node, p, "a key in double quotes");
        }
        const char *key = p + 1, *at = p;
        const char *quote = find_special(key);
        size_t len = (size_t)(quote - key);
        if (PT_LIKELY(*quote == '"')) {
            p = quote + 1;
        } else {
            p = text_of(js, node, at, &key, &len);
        }
        p = p ? take_colon(js, node, p) : NULL;
        if (!p) {
            return NULL;
        }
        *column = find_column(o, key, len);
        *key_at = at;
        if (*column != PT_JSON_END) {
            if (from) {
                learn(slot, from, at, p, *column);
            }
            return p;
        }
        if (!*scoped) {
            *scoped = true;
            *outer = pt_json_keys_enter(&js->keys);
        }
        if (!add_key(js, node, key, len, at)) {
            return NULL;
        }
        js->unknown_keys++;
        p = skip_value(js, NULL, p);
        if (!p) {
            return NULL;
        }
        from = NULL;
    }
}

/* p at the {. node is the STRUCT, NULL for the record. */
static inline const char *read_object(pt_json *js, const pt_json_node *node, pt_json_object *o, const char *p, size_t row) {
    pt_json_slot *slot = o->slots;
    const char *start = p;
    bool first = true, scoped = false;
    pt_json_scope outer;
    for (size_t i = 0; i < o->words; i++) {
        o->seen[i] = 0;
    }
    for (;;) {
        uint32_t column;
        const char *key_at;
        /* white space where the value should start: the slot is from a record with less of it */
        if (PT_LIKELY(slot_matches(slot, p) && ((unsigned char)p[slot->len] > ' ' || slot->column == PT_JSON_END))) {
            column = slot->column;
            key_at = p + slot->key_at;
            p += slot->len;
        } else {
            p = next_key(js, node, o, slot, p, first, &scoped, &outer, &column, &key_at);
            if (PT_UNLIKELY(!p)) {
                return NULL;
            }
        }
        if (column == PT_JSON_END) {
            break;
        }
        uint64_t bit = (uint64_t)1 << (column % 64);
        if (PT_UNLIKELY(o->seen[column / 64] & bit)) {
            return duplicate_key(js, node, key_at);
        }
        o->seen[column / 64] |= bit;
        const pt_json_node *field = &o->nodes[column];
        p = field->read(js, field, p, row);
        if (PT_UNLIKELY(!p)) {
            return NULL;
        }
        first = false;
        slot = &o->slots[column + 1];
    }
    if (PT_UNLIKELY(scoped)) {
        pt_json_keys_leave(&js->keys, outer);
    }
    uint64_t unseen = o->seen[o->words - 1] ^ o->last_word;
    for (size_t i = 0; i + 1 < o->words; i++) {
        unseen |= ~o->seen[i];
    }
    if (PT_UNLIKELY(unseen) && !pt_json_object_missing(js, o, start, row)) {
        return NULL;
    }
    return p;
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
    ((duckdb_list_entry *)vec_data(js, node))[row] = (duckdb_list_entry){.offset = offset, .length = js->rows->vecs[node->vec].used - offset};
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

/* The key of a MAP as its stored value, so that 1 and 1.0 are the same key of MAP(INTEGER, ...): its bytes, in scratch where
 * the vector may move. */
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
        [PT_BOOLEAN] = read_boolean,
        [PT_TINYINT] = read_i8,
        [PT_SMALLINT] = read_i16,
        [PT_INTEGER] = read_i32,
        [PT_BIGINT] = read_i64,
        [PT_HUGEINT] = read_number,
        [PT_UTINYINT] = read_u8,
        [PT_USMALLINT] = read_u16,
        [PT_UINTEGER] = read_u32,
        [PT_UBIGINT] = read_u64,
        [PT_UHUGEINT] = read_number,
        [PT_REAL] = read_float,
        [PT_DOUBLE] = read_double,
        [PT_DECIMAL] = read_decimal,
        [PT_VARCHAR] = read_string,
        [PT_UUID] = read_uuid,
        [PT_DATE] = read_text,
        [PT_TIME] = read_text,
        [PT_TIMESTAMP] = read_epoch,
        [PT_TIMESTAMP_S] = read_epoch,
        [PT_TIMESTAMP_MS] = read_epoch,
        [PT_TIMESTAMP_NS] = read_epoch,
        [PT_TIMESTAMPTZ] = read_epoch,
        [PT_BLOB] = read_text,
        [PT_JSON] = read_json,
        [PT_LIST] = read_list,
        [PT_STRUCT] = read_struct,
        [PT_MAP] = read_map,
    };
    return readers[node->id];
}
