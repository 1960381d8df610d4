/* UUIDs of version 7 (RFC 9562), by DuckDB's uuidv7(): they sort by time. */
#pragma once

#include "duck/session.h"

/* For a name whose time counts, such as a file's (lake/orphans.h): it says now. One statement. */
int pt_uuid_now(pt_session *session, char out[PT_UUID_SIZE], pt_error *err) PT_CHECKED;

/* For a name that has to be nobody else's, such as a commit's. The session asks for many at once,
 * so that a small flush does not pay for a statement; the time in it may be that of an earlier one.
 */
int pt_uuid_any(pt_session *session, char out[PT_UUID_SIZE], pt_error *err) PT_CHECKED;
