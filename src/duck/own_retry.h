/* DuckLake's own retry of a COMMIT. It goes by the error's text, and was made to commit a batch
 * twice: it has to be off. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "duck/lake_options.h"

/* Switches it off for the engine, and makes sure: by reading the setting back, and with a DuckLake
 * that this version of pintail has not been tried with, by its effect. */
int pt_own_retry_off(pt_engine *engine, pt_session *session, pt_error *err) PT_CHECKED;

/* Two overlapping INSERTs into a lake in memory: *retries when DuckLake made both of them pass. The
 * session has no transaction. */
int pt_own_retry_probe(pt_engine *engine, pt_session *session, bool *retries,
                       pt_error *err) PT_CHECKED;
