#include "config/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

#define TEXT_MAX     (16 << 20) /* a schema of many thousand columns fits */
#define PATH_MAX_LEN 320        /* kafka. and a property's name, or topics.N.key */

typedef struct walk {
    yaml_document_t *document;
    pt_config *out;
    pt_error *err;
} walk;

/* The keys that a mapping may have: those of `keys` whose name begins with scope, which is "" or
 * "flush.". path: what goes before them in the keys of values, such as "topics.0.". */
typedef struct level {
    const pt_config_key *keys;
    size_t n_keys;
    const char *scope, *path;
} level;

static int wrong(const walk *w, const yaml_node_t *node, const char *what, const char *name) {
    return pt_fail(w->err, PT_E_USAGE, "config %s line %zu: %s%s%s%s", w->out->path,
                   node->start_mark.line + 1, what, name ? " '" : "", name ? name : "",
                   name ? "'" : "");
}

static const yaml_node_t *node_of(const walk *w, int id) {
    return yaml_document_get_node(w->document, id);
}

static const char *text_of(const yaml_node_t *node) {
    return (const char *)node->data.scalar.value;
}

static bool is_scalar(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE;
}

static bool is_plain(const yaml_node_t *node, const char *text) {
    return is_scalar(node) && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp(text_of(node), text) == 0;
}

static bool is_null(const yaml_node_t *node) {
    return is_plain(node, "") || is_plain(node, "~") || is_plain(node, "null") ||
           is_plain(node, "Null") || is_plain(node, "NULL");
}

static bool is_blank(const yaml_node_t *node) {
    return text_of(node)[strspn(text_of(node), " \t\r\n")] == '\0';
}

/* A NUL ("\0" in quotes) would end the text for everybody who reads it. */
static bool has_nul(const yaml_node_t *node) {
    return is_scalar(node) && strlen(text_of(node)) != node->data.scalar.length;
}

/* ---- what is gathered ---- */

/* text NULL: a list of n. */
static int add(const walk *w, const yaml_node_t *node, const char *key, const char *text,
               size_t n) {
    pt_config *c = w->out;
    if ((c->n_values & (c->n_values + 1)) == 0) { /* room for 1, 3, 7, 15, ... */
        pt_config_value *grown = realloc(c->values, (2 * c->n_values + 1) * sizeof *grown);
        if (!grown) {
            return pt_fail_nomem(w->err, "the config");
        }
        c->values = grown;
    }
    pt_config_value value = {strdup(key), text ? strdup(text) : NULL, n, node->start_mark.line + 1};
    if (!value.key || (text && !value.text)) {
        free(value.key);
        free(value.text);
        return pt_fail_nomem(w->err, "the config");
    }
    c->values[c->n_values++] = value;
    return PT_OK;
}

/* ---- the kinds of values ---- */

static int walk_text(const walk *w, const yaml_node_t *node, const pt_config_key *key,
                     const char *name, const char *path) {
    if (has_nul(node)) {
        return wrong(w, node, "a NUL character has no place in", name);
    }
    if (!key->required && (key->null_is_text ? is_plain(node, "") : is_null(node))) {
        return PT_OK;
    }
    if (!is_scalar(node)) {
        return wrong(w, node, "a plain value is wanted for", name);
    }
    if (is_blank(node)) {
        return key->may_be_blank ? PT_OK : wrong(w, node, "a value is wanted for", name);
    }
    if (node->data.scalar.length > TEXT_MAX) {
        return wrong(w, node, "the value is too long for", name);
    }
    return add(w, node, path, text_of(node), 0);
}

static int walk_list(const walk *w, const yaml_node_t *node, const char *name, const char *path) {
    static const pt_config_key item_key = {.required = true};
    char item_path[PATH_MAX_LEN + 24];
    size_t n = 0;
    if (is_null(node)) {
        return PT_OK;
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        return wrong(w, node, "a list (- ...) is wanted for", name);
    }
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        (void)snprintf(item_path, sizeof item_path, "%s.%zu", path, n++);
        PT_TRY(walk_text(w, node_of(w, *item), &item_key, name, item_path));
    }
    return add(w, node, path, NULL, n);
}

static int walk_pairs(const walk *w, const yaml_node_t *node, const char *name, const char *path) {
    char pair_path[PATH_MAX_LEN];
    size_t n = 0;
    if (is_null(node)) {
        return PT_OK;
    }
    if (node->type != YAML_MAPPING_NODE) {
        return wrong(w, node, "property: value pairs are wanted for", name);
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++, n++) {
        const yaml_node_t *key = node_of(w, pair->key);
        const yaml_node_t *value = node_of(w, pair->value);
        if (!is_scalar(key) || !is_scalar(value)) {
            return wrong(w, value, "property: value pairs are wanted for", name);
        }
        if (has_nul(key) || has_nul(value)) {
            return wrong(w, value, "a NUL character has no place in", name);
        }
        if (snprintf(pair_path, sizeof pair_path, "%s.%s", path, text_of(key)) >=
            (int)sizeof pair_path) {
            return wrong(w, key, "a name is too long in", name);
        }
        PT_TRY(add(w, value, pair_path, text_of(value), 0));
    }
    return add(w, node, path, NULL, n);
}

static int walk_mapping(const walk *w, const yaml_node_t *node, const level *at, const char *name);

static int walk_entries(const walk *w, const yaml_node_t *node, const pt_config_key *key,
                        const char *name, const char *path) {
    char entry_path[PATH_MAX_LEN + 24];
    size_t n = 0;
    if (!key->required && is_null(node)) {
        return PT_OK;
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        return wrong(w, node, "a list (- ...) is wanted for", name);
    }
    if (node->data.sequence.items.start == node->data.sequence.items.top) {
        return wrong(w, node, "at least one entry is wanted for", name);
    }
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        (void)snprintf(entry_path, sizeof entry_path, "%s.%zu.", path, n++);
        const level below = {key->entry, key->n_entry, "", entry_path};
        PT_TRY(walk_mapping(w, node_of(w, *item), &below, name));
    }
    return add(w, node, path, NULL, n);
}

/* ---- mappings ---- */

/* Whether the level has the key, alone (*found) or as the name of a mapping (*found NULL). */
static bool find_key(const level *at, const char *text, const pt_config_key **found) {
    size_t scope = strlen(at->scope);
    size_t len = strlen(text);
    bool is_mapping = false;
    *found = NULL;
    for (size_t i = 0; !*found && !strchr(text, '.') && i < at->n_keys; i++) {
        const char *name = at->keys[i].name;
        if (strncmp(name, at->scope, scope) == 0 && strncmp(name + scope, text, len) == 0) {
            *found = name[scope + len] == '\0' ? &at->keys[i] : NULL;
            is_mapping |= name[scope + len] == '.';
        }
    }
    return *found || is_mapping;
}

static int unknown_key(const walk *w, const yaml_node_t *key, const level *at) {
    char known[1024] = "";
    char before[64] = "";
    size_t used = 0;
    size_t scope = strlen(at->scope);
    pt_nearest nearest;
    pt_nearest_begin(&nearest, text_of(key));
    for (size_t i = 0; i < at->n_keys && used < sizeof known; i++) {
        char word[64];
        const char *name = at->keys[i].name;
        if (strncmp(name, at->scope, scope) != 0) {
            continue;
        }
        (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(name + scope, "."), name + scope);
        if (strcmp(word, before) != 0) { /* the keys of a mapping stand together */
            pt_nearest_offer(&nearest, word);
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                     word);
            memcpy(before, word, sizeof before);
        }
    }
    return pt_fail(w->err, PT_E_USAGE, "config %s line %zu: unknown key '%.100s'%s; known here: %s",
                   w->out->path, key->start_mark.line + 1, text_of(key),
                   pt_nearest_hint(&nearest, "").text, known);
}

static int walk_value(const walk *w, const yaml_node_t *node, const level *at,
                      const pt_config_key *key, const char *name) {
    char path[PATH_MAX_LEN];
    (void)snprintf(path, sizeof path, "%s%s", at->path, name);
    if (key) {
        switch (key->kind) {
        case PT_CONFIG_VALUE: return walk_text(w, node, key, name, path);
        case PT_CONFIG_LIST: return walk_list(w, node, name, path);
        case PT_CONFIG_PAIRS: return walk_pairs(w, node, name, path);
        case PT_CONFIG_ENTRIES: return walk_entries(w, node, key, name, path);
        }
    }
    char scope[64];
    (void)snprintf(scope, sizeof scope, "%s%s.", at->scope, name);
    (void)snprintf(path, sizeof path, "%s%s.", at->path, name);
    const level below = {at->keys, at->n_keys, scope, path};
    return is_null(node) ? PT_OK : walk_mapping(w, node, &below, name);
}

static bool has_key(const walk *w, const yaml_node_t *node, const yaml_node_pair_t *end,
                    const char *text) {
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < end; pair++) {
        if (strcmp(text_of(node_of(w, pair->key)), text) == 0) {
            return true;
        }
    }
    return false;
}

static int walk_mapping(const walk *w, const yaml_node_t *node, const level *at, const char *name) {
    if (node->type != YAML_MAPPING_NODE) {
        return wrong(w, node, "keys and values are wanted for", name);
    }
    const yaml_node_pair_t *end = node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < end; pair++) {
        const yaml_node_t *key = node_of(w, pair->key);
        const pt_config_key *found;
        if (!is_scalar(key) || has_nul(key)) {
            return wrong(w, key, "a key must be a plain word", NULL);
        }
        if (!find_key(at, text_of(key), &found)) {
            return unknown_key(w, key, at);
        }
        if (has_key(w, node, pair, text_of(key))) {
            return wrong(w, key, "key is there twice:", text_of(key));
        }
        PT_TRY(walk_value(w, node_of(w, pair->value), at, found, text_of(key)));
    }
    size_t scope = strlen(at->scope);
    for (size_t i = 0; i < at->n_keys; i++) {
        const char *wanted = at->keys[i].name + scope;
        if (at->keys[i].required && strncmp(at->keys[i].name, at->scope, scope) == 0 &&
            !strchr(wanted, '.') && !has_key(w, node, end, wanted)) {
            return wrong(w, node, "missing key", wanted);
        }
    }
    return PT_OK;
}

int pt_config_walk(yaml_document_t *document, const pt_config_key *keys, size_t n_keys,
                   pt_config *out, pt_error *err) {
    const walk w = {document, out, err};
    const level top = {keys, n_keys, "", ""};
    return walk_mapping(&w, yaml_document_get_root_node(document), &top, "the file");
}
