/* What the ledger tells of earlier runs, for a start. */
#pragma once

#include <stdbool.h>

#include "lake/engine.h"

/* Another topic than this one of which rows went into the table (pt_target's label), by whatever pipeline; malloc'd, NULL: none. */
int pt_history_other_topic(pt_engine *engine, pt_session *session, const char *table, const char *topic, char **out, pt_error *err) PT_CHECKED;

/* Whether the pipeline has ever recorded anything of the topic. */
int pt_history_knows(pt_engine *engine, pt_session *session, const char *pipeline, const char *topic, bool *out, pt_error *err) PT_CHECKED;
