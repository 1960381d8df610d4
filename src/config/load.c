#include "config/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config/aliases.h"
#include "config/walk.h"

static int by_key(const void *left, const void *right, void *config) {
    const pt_config_value *values = ((const pt_config *)config)->values;
    size_t l = *(const size_t *)left, r = *(const size_t *)right;
    int order = strcmp(values[l].key, values[r].key);
    return order ? order : (l > r) - (l < r);
}

/* What a walk cannot see without comparing all with all: a property that is there twice. */
static int sort(pt_config *c, pt_error *err) {
    c->by_key = calloc(c->n_values + 1, sizeof *c->by_key);
    if (!c->by_key) {
        return pt_fail_nomem(err, "the config");
    }
    for (size_t i = 0; i < c->n_values; i++) {
        c->by_key[i] = i;
    }
    qsort_r(c->by_key, c->n_values, sizeof *c->by_key, by_key, c);
    for (size_t i = 1; i < c->n_values; i++) {
        const pt_config_value *value = &c->values[c->by_key[i]];
        if (strcmp(c->values[c->by_key[i - 1]].key, value->key) == 0) {
            return pt_fail(err, PT_E_USAGE, "config %s line %zu: key is there twice: '%.200s'",
                           c->path, value->line, value->key);
        }
    }
    return PT_OK;
}

static int not_yaml(const yaml_parser_t *parser, const char *path, pt_error *err) {
    return pt_fail(err, PT_E_USAGE, "config %s line %zu: %s", path, parser->problem_mark.line + 1,
                   parser->problem ? parser->problem : "not YAML");
}

/* What stands behind a second --- would be ignored. */
static int check_end(yaml_parser_t *parser, const char *path, pt_error *err) {
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) {
        return not_yaml(parser, path, err);
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

static int load_document(yaml_document_t *document, const pt_config_key *keys, size_t n_keys,
                         pt_config *out, pt_error *err) {
    if (!yaml_document_get_root_node(document)) {
        return pt_fail(err, PT_E_USAGE, "config %s is empty", out->path);
    }
    PT_TRY(pt_config_check_aliases(document, out->path, err));
    PT_TRY(pt_config_walk(document, keys, n_keys, out, err));
    return sort(out, err);
}

static int load_file(FILE *file, const pt_config_key *keys, size_t n_keys, pt_config *out,
                     pt_error *err) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser)) {
        return pt_fail_nomem(err, "the config");
    }
    yaml_parser_set_input_file(&parser, file);
    int code;
    if (yaml_parser_load(&parser, &document)) {
        code = load_document(&document, keys, n_keys, out, err);
        yaml_document_delete(&document);
        code = code == PT_OK ? check_end(&parser, out->path, err) : code;
    } else {
        code = not_yaml(&parser, out->path, err);
    }
    yaml_parser_delete(&parser);
    return code;
}

int pt_config_load(const char *path, const pt_config_key *keys, size_t n_keys, pt_config **out,
                   pt_error *err) {
    *out = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) {
        return pt_fail(err, PT_E_USAGE, "config %s: %s", path, strerror(errno));
    }
    *out = calloc(1, sizeof **out);
    int code = *out && ((*out)->path = strdup(path)) ? load_file(file, keys, n_keys, *out, err)
                                                     : pt_fail_nomem(err, "the config");
    (void)fclose(file);
    if (code != PT_OK) {
        pt_config_free(out);
    }
    return code;
}
