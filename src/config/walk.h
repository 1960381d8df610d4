/* One walk over a YAML document: it checks the keys and gathers the values. */
#pragma once

#include <yaml.h>

#include "config/config.h"

/* Puts the document's values into *out, whose path is set. The errors name path and line. */
int pt_config_walk(yaml_document_t *document, const pt_config_key *keys, size_t n_keys,
                   pt_config *out, pt_error *err) PT_CHECKED;
