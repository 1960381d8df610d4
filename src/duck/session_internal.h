/* What the files of a session share: session.c and session_exec.c. */
#pragma once

#include "duck/session.h"

#define PT_SESSION_UUIDS 64

struct pt_session {
    duckdb_connection connection;
    pt_engine *engine;
    char uuids[PT_SESSION_UUIDS][PT_UUID_SIZE]; /* not given out yet (duck/uuid.h) */
    size_t n_uuids;
};

/* Fills err with what a message of DuckDB (NULL: none) about a statement with these values means;
 * returns the code. Notes that the engine gave itself up. */
int pt_session_failed(pt_session *session, const char *message, pt_params values,
                      pt_error *err) PT_CHECKED;

/* A watchdog reads when the statement under way began. */
void pt_session_beat(pt_session *session, bool begins);
