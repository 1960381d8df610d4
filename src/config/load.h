/* From a YAML file to its values. */
#pragma once

#include "config/config.h"

/* Reads and checks the file. PT_E_USAGE with file and line for a key that is unknown, twice or of
 * the wrong kind, and for a second document. A key without a value is as no key. */
int pt_config_load(const char *path, const pt_config_key *keys, size_t n_keys, pt_config **out,
                   pt_error *err) PT_CHECKED;
