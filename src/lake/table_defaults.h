/* The DEFAULT of a column: pintail evaluates it once, when it opens the table. So it has to be the
 * same for every record. */
#pragma once

#include "base/error.h"
#include "columns/schema.h"
#include "duck/engine.h"

/* Fills default_json of each column that has a default. PT_E_USAGE, naming the column: it cannot be
 * evaluated, or is not the same for every record (now(), uuid()). */
int pt_table_evaluate_defaults(pt_session *session, const char *label, pt_schema *schema,
                               pt_error *err) PT_CHECKED;
