#include "kafka/client.h"

#include <string.h>

const char *pt_kafka_property(const pt_kafka_options *o, const char *name) {
    size_t n = strlen(name);
    for (size_t i = o->n_properties; i > 0; i--) {
        if (strncmp(o->properties[i - 1], name, n) == 0 && o->properties[i - 1][n] == '=') {
            return o->properties[i - 1] + n + 1;
        }
    }
    return NULL;
}
