/* The plan: what a decoder knows of a schema before the first record. */
#include <stdlib.h>
#include <string.h>

#include "decode/json/core.h"

static uint8_t integer_bits(const pt_type *type) {
    switch (type->id) {
    case PT_TINYINT:
    case PT_UTINYINT: return 8;
    case PT_SMALLINT:
    case PT_USMALLINT: return 16;
    case PT_INTEGER:
    case PT_UINTEGER: return 32;
    case PT_DECIMAL:
        return type->width <= 4 ? 16 : type->width <= 9 ? 32 : type->width <= 18 ? 64 : 128;
    case PT_HUGEINT:
    case PT_UHUGEINT: return 128;
    default: return 64;
    }
}

/* A copy with PT_JSON_PAD zero bytes behind it, the first of them a quote for a key. */
static char *padded(const char *text, size_t len, bool key) {
    char *copy = calloc(1, len + PT_JSON_PAD + 1);
    if (copy) {
        memcpy(copy, text, len);
        copy[len] = key ? '"' : '\0';
    }
    return copy;
}

static int object_new(size_t n, pt_json_object **out, pt_error *err);
static int node_init(pt_json_node *node, const pt_type *type, const char *name, size_t name_len,
                     const pt_json_node *parent, uint32_t *vec, pt_error *err);

static int node_children(pt_json_node *node, const pt_type *type, uint32_t *vec, pt_error *err) {
    if (type->id == PT_STRUCT) {
        PT_TRY(object_new(type->n_fields, &node->object, err));
        for (size_t i = 0; i < type->n_fields; i++) {
            PT_TRY(node_init(&node->object->nodes[i], &type->fields[i].type, type->fields[i].name,
                             type->fields[i].name_len, node, vec, err));
        }
        return PT_OK;
    }
    node->children = calloc(type->n_fields, sizeof *node->children);
    if (!node->children) {
        return pt_fail_nomem(err, "a decoder");
    }
    *vec += type->id == PT_MAP; /* the struct of key and value */
    for (size_t i = 0; i < type->n_fields; i++) {
        PT_TRY(node_init(&node->children[i], &type->fields[i].type, NULL, 0, node, vec, err));
    }
    return PT_OK;
}

static int node_init(pt_json_node *node, const pt_type *type, const char *name, size_t name_len,
                     const pt_json_node *parent, uint32_t *vec, pt_error *err) {
    *node = (pt_json_node){
        .vec = (*vec)++,
        .id = type->id,
        .width = type->width,
        .scale = type->scale,
        .bits = integer_bits(type),
        .epoch = type->epoch,
        .blob = type->blob,
        .parent = parent,
    };
    if (type->id >= PT_TIMESTAMP && type->id <= PT_TIMESTAMPTZ) {
        node->shift = pt_json_epoch_shift(type->id, type->epoch);
        pt_json_epoch_limits(type->id, node->epoch_max);
    }
    if (name) {
        node->name = padded(name, name_len, true);
        node->name_len = name_len;
        if (!node->name) {
            return pt_fail_nomem(err, "a decoder");
        }
    }
    return type->n_fields ? node_children(node, type, vec, err) : PT_OK;
}

static int object_new(size_t n, pt_json_object **out, pt_error *err) {
    pt_json_object *o = calloc(1, sizeof *o);
    *out = o;
    if (!o) {
        return pt_fail_nomem(err, "a decoder");
    }
    size_t table = 8;
    while (table < n * 4) {
        table *= 2;
    }
    o->words = n / 64 + 1;
    o->last_word = n % 64 ? ~(uint64_t)0 >> (64 - n % 64) : 0;
    o->table_mask = table - 1;
    o->nodes = calloc(n + 1, sizeof *o->nodes);
    o->seen = calloc(o->words, sizeof *o->seen);
    o->table = calloc(table, sizeof *o->table);
    o->slots = aligned_alloc(_Alignof(pt_json_slot), (n + 1) * sizeof *o->slots);
    o->names = aligned_alloc(_Alignof(pt_json_slot), (n + 1) * sizeof *o->names);
    o->quick_shift = 63U - (unsigned)__builtin_ctzll(table);
    o->quick = calloc(table * 2, sizeof *o->quick);
    if (!o->nodes || !o->seen || !o->table || !o->slots || !o->names || !o->quick) {
        return pt_fail_nomem(err, "a decoder");
    }
    o->gap[0] = o->gap[1] = o->colon_gap = 1;
    o->n = n;
    return PT_OK;
}

/* Fills the table of guesses for one choice of bytes and factor; returns how many names have their
 * own place. */
static size_t quick_fill(pt_json_object *o, size_t at, uint64_t bytes, uint64_t factor) {
    memset(o->quick, 0, ((size_t)1 << (64 - o->quick_shift)) * sizeof *o->quick);
    o->quick_at = at;
    o->quick_bytes = bytes;
    o->quick_factor = factor;
    size_t placed = 0;
    for (size_t i = 0; i < o->n; i++) {
        uint64_t word;
        memcpy(&word, o->nodes[i].name + at, sizeof word);
        uint32_t *place = &o->quick[(word & bytes) * factor >> o->quick_shift];
        if (*place == 0) {
            *place = (uint32_t)i + 1;
            placed++;
        }
    }
    return placed;
}

/* Looks for up to 8 bytes, all within the shortest name and its quote, that tell most names apart.
 */
static void quick_index(pt_json_object *o) {
    size_t shortest = SIZE_MAX;
    for (size_t i = 0; i < o->n; i++) {
        shortest = o->nodes[i].name_len < shortest ? o->nodes[i].name_len : shortest;
    }
    size_t width = o->n && shortest + 1 < 8 ? shortest + 1 : 8,
           last = o->n ? shortest + 1 - width : 0;
    uint64_t bytes = ~(uint64_t)0 >> (64 - 8 * width), best_factor = 1;
    size_t best = 0, best_at = 0;
    for (size_t at = 0; at <= last && at < 32; at++) {
        uint64_t factor = 0x9E3779B97F4A7C15U;
        for (int i = 0; i < 64;
             i++, factor = factor * 6364136223846793005U + 1442695040888963406U) {
            size_t placed = quick_fill(o, at, bytes, factor | 1);
            if (placed > best) {
                best = placed;
                best_at = at;
                best_factor = factor | 1;
            }
            if (best == o->n) {
                return;
            }
        }
    }
    (void)quick_fill(o, best_at, bytes, best_factor);
}

static void object_index(pt_json_object *o) {
    quick_index(o);
    for (size_t i = 0; i < o->n; i++) {
        const char *name = o->nodes[i].name;
        size_t len = o->nodes[i].name_len;
        pt_json_slot_clear(&o->names[i]);
        pt_json_slot_learn(&o->names[i], name, name, name + len + 1, (uint32_t)i);
        size_t at = pt_json_name_hash(name, len) & o->table_mask;
        while (o->table[at]) {
            at = (at + 1) & o->table_mask;
        }
        o->table[at] = (uint32_t)i + 1;
    }
}

static void node_free(pt_json_node *node) {
    size_t n = node->children ? (node->id == PT_MAP ? 2 : 1) : 0;
    for (size_t i = 0; i < n; i++) {
        node_free(&node->children[i]);
    }
    free(node->children);
    free((char *)(uintptr_t)node->name);
    free((char *)(uintptr_t)node->missing);
    pt_json_plan_free(&node->object);
}

void pt_json_plan_free(pt_json_object **plan) {
    pt_json_object *o = *plan;
    if (!o) {
        return;
    }
    for (size_t i = 0; i < o->n; i++) {
        node_free(&o->nodes[i]);
    }
    free(o->nodes);
    free(o->seen);
    free(o->table);
    free(o->slots);
    free(o->names);
    free(o->quick);
    free(o);
    *plan = NULL;
}

int pt_json_plan_new(const pt_schema *schema, pt_json_object **out, pt_error *err) {
    PT_TRY(object_new(schema->n_columns, out, err));
    uint32_t vec = 0;
    for (size_t i = 0; i < schema->n_columns; i++) {
        const pt_column *column = &schema->columns[i];
        pt_json_node *node = &(*out)->nodes[i];
        PT_TRY(node_init(node, &column->type, column->name, column->name_len, NULL, &vec, err));
        node->not_null = column->not_null;
        if (column->default_json) {
            node->missing_len = strlen(column->default_json);
            node->missing = padded(column->default_json, node->missing_len, false);
            if (!node->missing) {
                return pt_fail_nomem(err, "a decoder");
            }
        }
    }
    return PT_OK;
}

static void node_bind(pt_json_node *node, const pt_json_scanner *scanner) {
    node->read = scanner->reader(node);
    size_t n = node->children ? (node->id == PT_MAP ? 2 : 1) : 0;
    for (size_t i = 0; i < n; i++) {
        node_bind(&node->children[i], scanner);
    }
    if (node->object) {
        pt_json_plan_bind(node->object, scanner);
    }
}

void pt_json_plan_bind(pt_json_object *o, const pt_json_scanner *scanner) {
    memset(o->table, 0, (o->table_mask + 1) * sizeof *o->table);
    object_index(o);
    for (size_t i = 0; i < o->n; i++) {
        node_bind(&o->nodes[i], scanner);
    }
    for (size_t i = 0; i <= o->n; i++) {
        pt_json_slot_clear(&o->slots[i]);
    }
}

void pt_json_slot_clear(pt_json_slot *slot) {
    memset(slot, 0, sizeof *slot);
    slot->want = 1;
}

void pt_json_slot_learn(pt_json_slot *slot, const char *from, const char *key, const char *to,
                        uint32_t column) {
    size_t len = (size_t)(to - from);
    if (len > PT_JSON_SLOT_MAX) {
        slot->mask = 0;
        memset(slot->masks, 0, sizeof slot->masks);
        slot->want = 1;
        return;
    }
    memcpy(
        slot->text, from,
        PT_JSON_SLOT_MAX); /* the record's buffer is padded; what lies behind `to` is masked out */
    for (size_t i = 0; i < 4; i++) {
        size_t bytes = len > i * 8 ? len - i * 8 : 0;
        slot->masks[i] = bytes >= 8 ? ~(uint64_t)0 : ((uint64_t)1 << bytes * 8) - 1;
    }
    slot->mask = len == 32 ? ~(uint32_t)0 : ((uint32_t)1 << len) - 1;
    slot->want = slot->mask;
    slot->column = column;
    slot->len = (uint8_t)len;
    slot->key_at = (uint8_t)(key - from);
}

bool pt_json_null(pt_json *js, const pt_json_node *node, const char *at, size_t row) {
    if (node->not_null) {
        pt_json_fail(js, node, PT_DECODE_NOT_NULL, at, "null, but the column is NOT NULL");
        return false;
    }
    pt_rows_vec_null(js->rows, node->vec, row);
    return true;
}

static bool read_default(pt_json *js, const pt_json_node *node, size_t row) {
    const char *begin = js->begin, *end = js->end;
    js->begin = node->missing;
    js->end = node->missing + node->missing_len;
    bool ok = node->read(js, node, node->missing, row) != NULL;
    js->begin = begin;
    js->end = end;
    return ok;
}

static bool none_seen(const pt_json_object *o) {
    uint64_t any = 0;
    for (size_t i = 0; i < o->words; i++) {
        any |= o->seen[i];
    }
    return any == 0;
}

bool pt_json_object_missing(pt_json *js, pt_json_object *o, const char *at, size_t row) {
    if (o == js->top && js->wants_column && none_seen(o)) {
        js->no_column = true; /* said when it is known that the record is in order */
        return true;
    }
    for (size_t i = 0; i < o->n; i++) {
        const pt_json_node *node = &o->nodes[i];
        if (o->seen[i / 64] >> (i % 64) & 1) {
            continue;
        }
        if (node->missing) {
            if (!read_default(js, node, row)) {
                return false;
            }
        } else if (node->not_null) {
            pt_json_fail(js, node, PT_DECODE_NOT_NULL, at,
                         "missing, but the column is NOT NULL and has no default");
            return false;
        } else {
            pt_rows_vec_null(js->rows, node->vec, row);
        }
    }
    return true;
}
