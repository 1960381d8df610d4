/* How much a YAML document holds when every alias (*name) counts as what it stands for. */
#pragma once

#include <yaml.h>

#include "base/error.h"

/* Refuses more than 100,000 values, and nesting without an end. path is for the error. */
int pt_config_check_aliases(yaml_document_t *document, const char *path, pt_error *err) PT_CHECKED;
