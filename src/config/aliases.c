#include "config/aliases.h"

#include <stdlib.h>

#define VALUES_MAX 100000 /* a topic takes about a dozen */
#define DEPTH_MAX  32

typedef struct counting {
    yaml_document_t *document;
    const char *path;
    size_t *counts; /* of each node: how many values stand at and below it; 0: not known yet */
    pt_error *err;
} counting;

static int refuse(const counting *c, const yaml_node_t *node, const char *why) {
    return pt_fail(c->err, PT_E_USAGE, "config %s line %zu: %s", c->path, node->start_mark.line + 1,
                   why);
}

/* More than VALUES_MAX count as one more than that. */
static int count(const counting *c, int id, unsigned depth) {
    const yaml_node_t *node = yaml_document_get_node(c->document, id);
    size_t sum = 1;
    if (c->counts[id]) {
        return PT_OK;
    }
    if (depth > DEPTH_MAX) { /* an alias inside of what it stands for has no end */
        return refuse(c, node, "lists and mappings go deeper than a configuration does");
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top && sum <= VALUES_MAX; item++) {
            PT_TRY(count(c, *item, depth + 1));
            sum += c->counts[*item];
        }
    } else if (node->type == YAML_MAPPING_NODE) {
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top && sum <= VALUES_MAX; pair++) {
            PT_TRY(count(c, pair->key, depth + 1));
            PT_TRY(count(c, pair->value, depth + 1));
            sum += c->counts[pair->key] + c->counts[pair->value];
        }
    }
    c->counts[id] = sum;
    return sum > VALUES_MAX
               ? refuse(c, node, "aliases (*name) make more than 100,000 values of this file")
               : PT_OK;
}

int pt_config_check_aliases(yaml_document_t *document, const char *path, pt_error *err) {
    size_t n = (size_t)(document->nodes.top - document->nodes.start);
    counting c = {document, path, calloc(n + 1, sizeof *c.counts), err};
    if (!c.counts) {
        return pt_fail_nomem(err, "the config");
    }
    int code = n ? count(&c, 1, 0) : PT_OK;
    free(c.counts);
    return code;
}
