#include "config/config.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/nearest.h"

#define TEXT_MAX (16 << 20) /* a schema of many thousand columns fits */

#define MAY_LACK \
    (CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL) /* "key:" without a value is as no key */

#define TEXT(key_, struct_, field_) \
    CYAML_FIELD_STRING_PTR(key_, MAY_LACK, struct_, field_, 0, TEXT_MAX)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, TEXT_MAX)};

static const cyaml_schema_field_t topic_fields[] = {
    CYAML_FIELD_STRING_PTR("topic", CYAML_FLAG_POINTER, pt_config_topic, topic, 1, 249),
    TEXT("table", pt_config_topic, table),
    TEXT("schema", pt_config_topic, schema),
    TEXT("topic_column", pt_config_topic, topic_column),
    TEXT("key_column", pt_config_topic, key_column),
    TEXT("headers_column", pt_config_topic, headers_column),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t topic_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, pt_config_topic, topic_fields)};

static const cyaml_schema_field_t flush_fields[] = {
    TEXT("rows", pt_config_flush, rows),
    TEXT("bytes", pt_config_flush, bytes),
    TEXT("interval", pt_config_flush, interval),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
    TEXT("brokers", pt_config, brokers),
    TEXT("group", pt_config, group),
    TEXT("lake", pt_config, lake),
    TEXT("data_path", pt_config, data_path),
    TEXT("alias", pt_config, alias),
    CYAML_FIELD_SEQUENCE("init_sql", MAY_LACK, pt_config, init_sql, &text_entry, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_MAPPING_PTR("flush", MAY_LACK, pt_config, flush, flush_fields),
    TEXT("start", pt_config, start),
    TEXT("on_error", pt_config, on_error),
    CYAML_FIELD_STRING_PTR("on_no_column", CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL, pt_config,
                           on_no_column, 0, TEXT_MAX), /* `null` is its value */
    TEXT("on_missing_data", pt_config, on_missing_data),
    TEXT("max_dead_letters", pt_config, max_dead_letters),
    TEXT("inline_rows", pt_config, inline_rows),
    TEXT("fold_interval", pt_config, fold_interval),
    TEXT("memory", pt_config, memory),
    TEXT("threads", pt_config, threads),
    TEXT("queue_bytes", pt_config, queue_bytes),
    TEXT("topic_column", pt_config, topic_column),
    TEXT("key_column", pt_config, key_column),
    TEXT("headers_column", pt_config, headers_column),
    TEXT("timeout", pt_config, timeout),
    TEXT("stop_timeout", pt_config, stop_timeout),
    TEXT("commit_timeout", pt_config, commit_timeout),
    TEXT("leftover_age", pt_config, leftover_age),
    TEXT("log_format", pt_config, log_format),
    CYAML_FIELD_IGNORE("kafka", CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_SEQUENCE("topics", CYAML_FLAG_POINTER, pt_config, topics, &topic_entry, 1,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, pt_config, config_fields)};

static const cyaml_config_t cyaml = {.log_level = CYAML_LOG_ERROR,
                                     .mem_fn = cyaml_mem,
                                     .log_fn = NULL};

/* ---- checking against the schema, with line numbers that hold (libcyaml's are a line early, and
 * only in its log) ---- */

typedef struct check {
    const char *path;
    yaml_document_t *document;
    pt_error *err;
} check;

static int check_node(const check *c, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                      const char *name);

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const char *key) {
    for (; fields->key; fields++) {
        if (strcmp(fields->key, key) == 0) {
            return fields;
        }
    }
    return NULL;
}

static int wrong(const check *c, const yaml_node_t *node, const char *what, const char *name) {
    return pt_fail(c->err, PT_E_USAGE, "config %s line %zu: %s%s%s%s", c->path,
                   node->start_mark.line + 1, what, name ? " '" : "", name ? name : "",
                   name ? "'" : "");
}

static int unknown_key(const check *c, const yaml_node_t *key, const cyaml_schema_field_t *fields) {
    char known[1024] = "";
    size_t at = 0;
    pt_nearest nearest;
    pt_nearest_begin(&nearest, (const char *)key->data.scalar.value);
    for (; fields->key && at < sizeof known; fields++) {
        pt_nearest_offer(&nearest, fields->key);
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", fields->key);
    }
    return pt_fail(c->err, PT_E_USAGE, "config %s line %zu: unknown key '%.100s'%s; known here: %s",
                   c->path, key->start_mark.line + 1, (const char *)key->data.scalar.value,
                   pt_nearest_hint(&nearest, "").text, known);
}

static int check_mapping(const check *c, const yaml_node_t *node,
                         const cyaml_schema_field_t *fields, const char *name) {
    if (node->type != YAML_MAPPING_NODE) {
        return wrong(c, node, "keys and values are wanted for", name);
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(c->document, pair->key);
        if (key->type != YAML_SCALAR_NODE) {
            return wrong(c, key, "a key must be a plain word", NULL);
        }
        const char *text = (const char *)key->data.scalar.value;
        const cyaml_schema_field_t *field = find_field(fields, text);
        if (!field) {
            return unknown_key(c, key, fields);
        }
        for (const yaml_node_pair_t *other = node->data.mapping.pairs.start; other < pair;
             other++) {
            if (strcmp((const char *)yaml_document_get_node(c->document, other->key)
                           ->data.scalar.value,
                       text) == 0) {
                return wrong(c, key, "key is there twice:", text);
            }
        }
        PT_TRY(
            check_node(c, yaml_document_get_node(c->document, pair->value), &field->value, text));
    }
    for (const cyaml_schema_field_t *field = fields; field->key; field++) {
        bool there = (field->value.flags & CYAML_FLAG_OPTIONAL) != 0;
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             !there && pair < node->data.mapping.pairs.top; pair++) {
            there = strcmp((const char *)yaml_document_get_node(c->document, pair->key)
                               ->data.scalar.value,
                           field->key) == 0;
        }
        if (!there) {
            return wrong(c, node, "missing key", field->key);
        }
    }
    return PT_OK;
}

static bool is_null(const yaml_node_t *node) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; node->type == YAML_SCALAR_NODE && i < sizeof nulls / sizeof *nulls; i++) {
        bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        if (plain && strcmp((const char *)node->data.scalar.value, nulls[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_empty_text(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE &&
           node->data.scalar.value[strspn((const char *)node->data.scalar.value, " \t\r\n")] ==
               '\0';
}

/* A NUL ("\0" in quotes) would end the text for everybody who reads it. */
static bool has_nul(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE &&
           strlen((const char *)node->data.scalar.value) != node->data.scalar.length;
}

static int check_node(const check *c, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                      const char *name) {
    if (has_nul(node)) {
        return wrong(c, node, "a NUL character has no place in", name);
    }
    if ((schema->flags & CYAML_FLAG_OPTIONAL) && is_null(node)) {
        return PT_OK;
    }
    switch (schema->type) {
    case CYAML_MAPPING: return check_mapping(c, node, schema->mapping.fields, name);
    case CYAML_SEQUENCE:
        if (node->type != YAML_SEQUENCE_NODE) {
            return wrong(c, node, "a list (- ...) is wanted for", name);
        }
        if (node->data.sequence.items.start == node->data.sequence.items.top &&
            schema->sequence.min > 0) {
            return wrong(c, node, "at least one entry is wanted for", name);
        }
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++) {
            PT_TRY(check_node(c, yaml_document_get_node(c->document, *item), schema->sequence.entry,
                              name));
        }
        return PT_OK;
    case CYAML_STRING:
        if (node->type != YAML_SCALAR_NODE) {
            return wrong(c, node, "a plain value is wanted for", name);
        }
        if (is_empty_text(node) && strcmp(name, "schema") != 0) {
            return wrong(c, node, "a value is wanted for", name);
        }
        if (node->data.scalar.length > schema->string.max) {
            return wrong(c, node, "the value is too long for", name);
        }
        return PT_OK;
    default: return PT_OK;
    }
}

/* ---- kafka: any property, which libcyaml has no schema for ---- */

static int add_property(const check *c, pt_config *config, const yaml_node_t *key,
                        const yaml_node_t *value) {
    if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE) {
        return wrong(c, value, "kafka takes property: value pairs", NULL);
    }
    if (has_nul(key) || has_nul(value)) {
        return wrong(c, value, "a NUL character has no place in", "kafka");
    }
    char **grown = realloc(config->properties, (config->n_properties + 1) * sizeof *grown);
    if (!grown) {
        return pt_fail_nomem(c->err, "the config");
    }
    config->properties = grown;
    if (asprintf(&grown[config->n_properties], "%s=%s", (const char *)key->data.scalar.value,
                 (const char *)value->data.scalar.value) < 0) {
        return pt_fail_nomem(c->err, "the config");
    }
    config->n_properties++;
    return PT_OK;
}

static int read_properties(const check *c, const yaml_node_t *root, pt_config *config) {
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(c->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(c->document, pair->value);
        if (strcmp((const char *)key->data.scalar.value, "kafka") != 0) {
            continue;
        }
        if (is_null(value)) {
            continue;
        }
        if (value->type != YAML_MAPPING_NODE) {
            return wrong(c, value, "kafka takes property: value pairs", NULL);
        }
        for (const yaml_node_pair_t *p = value->data.mapping.pairs.start;
             p < value->data.mapping.pairs.top; p++) {
            PT_TRY(add_property(c, config, yaml_document_get_node(c->document, p->key),
                                yaml_document_get_node(c->document, p->value)));
        }
    }
    return PT_OK;
}

/* ---- the lines of values, for what only the command line's rules can find wrong ---- */

static int add_line(const check *c, pt_config *config, const char *key, const yaml_node_t *node) {
    pt_config_line *grown = realloc(config->lines, (config->n_lines + 1) * sizeof *grown);
    if (!grown) {
        return pt_fail_nomem(c->err, "the config");
    }
    config->lines = grown;
    grown[config->n_lines].line = node->start_mark.line + 1;
    grown[config->n_lines].key = strdup(key);
    return grown[config->n_lines++].key ? PT_OK : pt_fail_nomem(c->err, "the config");
}

/* Keys of keys: flush.rows, topics.0.schema, kafka.linger.ms. The file has been checked, so it is
 * not deep. */
static int add_lines(const check *c, pt_config *config, const char *prefix,
                     const yaml_node_t *node) {
    char key[300];
    if (*prefix) {
        PT_TRY(add_line(c, config, prefix, node));
    }
    const char *dot = *prefix ? "." : "";
    if (node->type == YAML_MAPPING_NODE) {
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            const yaml_node_t *name = yaml_document_get_node(c->document, pair->key);
            (void)snprintf(key, sizeof key, "%s%s%s", prefix, dot,
                           (const char *)name->data.scalar.value);
            PT_TRY(add_lines(c, config, key, yaml_document_get_node(c->document, pair->value)));
        }
    } else if (node->type == YAML_SEQUENCE_NODE) {
        size_t i = 0;
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++) {
            (void)snprintf(key, sizeof key, "%s%s%zu", prefix, dot, i++);
            PT_TRY(add_lines(c, config, key, yaml_document_get_node(c->document, *item)));
        }
    }
    return PT_OK;
}

size_t pt_config_line_of(const pt_config *config, const char *key) {
    for (size_t i = 0; i < config->n_lines; i++) {
        if (strcmp(config->lines[i].key, key) == 0) {
            return config->lines[i].line;
        }
    }
    return 0;
}

/* ---- aliases ---- */

#define VALUES_MAX                                                                               \
    100000 /* of a file, what aliases (*name) stand for counted each time; a topic takes about a \
              dozen */
#define DEPTH_MAX 32

/* How many values stand at and below the node; more than VALUES_MAX count as one more than that.
 * counts: of each node, 0 for not known yet. */
static int count_values(const check *c, int id, size_t *counts, unsigned depth) {
    const yaml_node_t *node = yaml_document_get_node(c->document, id);
    size_t sum = 1;
    if (counts[id]) {
        return PT_OK;
    }
    if (depth > DEPTH_MAX) { /* an alias inside of what it stands for has no end */
        return wrong(c, node, "lists and mappings go deeper than a configuration does", NULL);
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top && sum <= VALUES_MAX; item++) {
            PT_TRY(count_values(c, *item, counts, depth + 1));
            sum += counts[*item];
        }
    } else if (node->type == YAML_MAPPING_NODE) {
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top && sum <= VALUES_MAX; pair++) {
            PT_TRY(count_values(c, pair->key, counts, depth + 1));
            PT_TRY(count_values(c, pair->value, counts, depth + 1));
            sum += counts[pair->key] + counts[pair->value];
        }
    }
    counts[id] = sum;
    return sum > VALUES_MAX
               ? wrong(c, node, "aliases (*name) make more than 100,000 values of this file", NULL)
               : PT_OK;
}

static int check_aliases(const check *c) {
    size_t n = (size_t)(c->document->nodes.top - c->document->nodes.start);
    size_t *counts = calloc(n + 1, sizeof *counts);
    if (!counts) {
        return pt_fail_nomem(c->err, "the config");
    }
    int code = n ? count_values(c, 1, counts, 0) : PT_OK;
    free(counts);
    return code;
}

/* ---- loading ---- */

static int load_checked(const check *c, pt_config **out) {
    const yaml_node_t *root = yaml_document_get_root_node(c->document);
    if (!root) {
        return pt_fail(c->err, PT_E_USAGE, "config %s is empty", c->path);
    }
    PT_TRY(check_aliases(c));
    PT_TRY(check_mapping(c, root, config_fields, "the file"));
    cyaml_err_t loaded = cyaml_load_file(c->path, &cyaml, &config_schema, (cyaml_data_t **)out,
                                         NULL);
    if (loaded != CYAML_OK) {
        return pt_fail(c->err, PT_E_USAGE, "config %s: %s", c->path, cyaml_strerror(loaded));
    }
    for (unsigned i = 0; i < (*out)->topics_count; i++) {
        pt_config_topic *t = &(*out)->topics[i];
        if (t->schema && t->schema[strspn(t->schema, " \t\r\n")] == '\0') {
            free(t->schema); /* libcyaml took it from realloc */
            t->schema = NULL;
        }
    }
    PT_TRY(read_properties(c, root, *out));
    return add_lines(c, *out, "", root);
}

/* What is behind a second --- would be ignored. */
static int check_end(yaml_parser_t *parser, const char *path, pt_error *err) {
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) {
        return pt_fail(err, PT_E_USAGE, "config %s line %zu: %s", path,
                       parser->problem_mark.line + 1,
                       parser->problem ? parser->problem : "not YAML");
    }
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    int code =
        root ? pt_fail(
                   err, PT_E_USAGE,
                   "config %s line %zu: a second document (---) begins before it; a file holds one",
                   path, root->start_mark.line + 1)
             : PT_OK;
    yaml_document_delete(&second);
    return code;
}

int pt_config_load(const char *path, pt_config **out, pt_error *err) {
    *out = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) {
        return pt_fail(err, PT_E_USAGE, "config %s: %s", path, strerror(errno));
    }
    yaml_parser_t parser;
    yaml_document_t document;
    int code = PT_OK;
    if (!yaml_parser_initialize(&parser)) {
        (void)fclose(file);
        return pt_fail_nomem(err, "the config");
    }
    yaml_parser_set_input_file(&parser, file);
    if (yaml_parser_load(&parser, &document)) {
        check c = {path, &document, err};
        code = load_checked(&c, out);
        if (code == PT_OK) {
            code = check_end(&parser, path, err);
        }
        yaml_document_delete(&document);
    } else {
        code = pt_fail(err, PT_E_USAGE, "config %s line %zu: %s", path,
                       parser.problem_mark.line + 1, parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    (void)fclose(file);
    if (code != PT_OK) {
        pt_config_free(out);
    }
    return code;
}

/* ---- values by key ---- */

/* *inner: the field of the mapping above it, NULL for a key of the file itself. */
static const cyaml_schema_field_t *find_path(const char *key, const cyaml_schema_field_t **inner) {
    const char *dot = strchr(key, '.');
    *inner = NULL;
    if (!dot) {
        return find_field(config_fields, key);
    }
    bool topics = strncmp(key, "topics.", 7) == 0;
    if (!topics && strncmp(key, "flush.", 6) != 0) {
        return NULL;
    }
    *inner = find_field(config_fields, topics ? "topics" : "flush");
    return find_field(topics ? topic_fields : flush_fields, dot + 1);
}

bool pt_config_knows(const char *key) {
    const cyaml_schema_field_t *inner;
    return find_path(key, &inner) != NULL;
}

const char *pt_config_get(const pt_config *config, const char *key) {
    const cyaml_schema_field_t *inner;
    const cyaml_schema_field_t *field = find_path(key, &inner);
    const char *in = (const char *)(inner ? (const void *)config->flush : (const void *)config);
    if (!field || field->value.type != CYAML_STRING || !in ||
        (inner && inner->value.type != CYAML_MAPPING)) {
        return NULL;
    }
    return *(char *const *)(const void *)(in + field->data_offset);
}

void pt_config_free(pt_config **config) {
    pt_config *c = *config;
    if (c) {
        for (size_t i = 0; i < c->n_properties; i++) {
            free(c->properties[i]);
        }
        free(c->properties);
        c->properties = NULL;
        for (size_t i = 0; i < c->n_lines; i++) {
            free(c->lines[i].key);
        }
        free(c->lines);
        c->lines = NULL;
        (void)cyaml_free(&cyaml, &config_schema, c, 0);
        *config = NULL;
    }
}
