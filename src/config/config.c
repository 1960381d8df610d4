#include "config/config.h"

#include <stdlib.h>
#include <string.h>

const pt_config_value *pt_config_find(const pt_config *c, const char *key) {
    size_t low = 0;
    for (size_t high = c->n_values; low < high;) {
        size_t middle = low + (high - low) / 2;
        const pt_config_value *value = &c->values[c->by_key[middle]];
        int order = strcmp(value->key, key);
        if (order == 0) {
            return value;
        }
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return NULL;
}

const char *pt_config_text(const pt_config *c, const char *key) {
    const pt_config_value *value = pt_config_find(c, key);
    return value ? value->text : NULL;
}

size_t pt_config_line_of(const pt_config *c, const char *key) {
    const pt_config_value *value = pt_config_find(c, key);
    return value ? value->line : 0;
}

size_t pt_config_count(const pt_config *c, const char *list_key) {
    const pt_config_value *value = pt_config_find(c, list_key);
    return value ? value->n : 0;
}

void pt_config_free(pt_config **config) {
    pt_config *c = *config;
    if (c) {
        for (size_t i = 0; i < c->n_values; i++) {
            free(c->values[i].key);
            free(c->values[i].text);
        }
        free(c->values);
        free(c->by_key);
        free(c->path);
        free(c);
        *config = NULL;
    }
}
