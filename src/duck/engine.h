/* DuckDB in this process, with DuckLake's extensions at hand and one lake attached. Threads may
 * share a pt_engine; each works in a session of its own (duck/session.h). */
#pragma once

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "duck/lake_options.h"

/* Opens DuckDB (in memory), finds the extension files relative to the binary (or in
 * PINTAIL_EXTENSIONS), loads what the lake needs, makes an S3 secret from the environment
 * (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL),
 * attaches. Errors: PT_E_USAGE for a bad lake text, PT_E_LAKE(_BUSY, _DOWN) for a catalog or a data
 * path that cannot be used. */
int pt_engine_open(const pt_lake_options *options, pt_engine **out, pt_error *err) PT_CHECKED;

/* Detaches, then closes. All sessions are closed before. An invalid engine is set aside instead: to
 * close it would abort the process. Then a catalog file cannot be opened again in this process, and
 * only a few engines more: pt_engine_open fails with PT_E_LAKE. */
void pt_engine_close(pt_engine **engine);

/* Whether a session has noticed that DuckDB gave itself up after an internal error: nothing but
 * pt_session_close and pt_engine_close makes sense. */
bool pt_engine_invalid(const pt_engine *engine);

/* The catalog's file has been replaced: pt_engine_close is to touch nothing of that name any more.
 * DuckDB, when it is closed, writes its log into a file that it has open, and then removes the log
 * by name, which is the other one's. */
void pt_engine_disown(pt_engine *engine);

/* 1, 2, ...: tells this engine from all others that the process has had. */
uint64_t pt_engine_number(const pt_engine *engine);

const char *pt_engine_alias(const pt_engine *engine);

pt_catalog_kind pt_engine_catalog(const pt_engine *engine);

/* The attached lake was made with ENCRYPTED: no record may stand in clear anywhere but in its
 * catalog. DuckDB's temporary files are encrypted then, and errors do not cite statements. */
bool pt_engine_encrypted(const pt_engine *engine);
