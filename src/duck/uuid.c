#include "duck/uuid.h"

#include <stdio.h>
#include <string.h>

#include "duck/result.h"
#include "duck/session_internal.h"

static int copy(const char *uuid, char out[PT_UUID_SIZE], pt_error *err) {
    if (!uuid || strlen(uuid) != PT_UUID_SIZE - 1) {
        return pt_fail(err, PT_E_INTERNAL, "DuckDB's uuidv7() gave no UUID");
    }
    memcpy(out, uuid, PT_UUID_SIZE);
    return PT_OK;
}

int pt_uuid_now(pt_session *session, char out[PT_UUID_SIZE], pt_error *err) {
    pt_result made;
    PT_TRY(pt_session_exec(session, &made, err, "SELECT uuidv7() AS id", PT_NO_VALUES));
    int code = copy(made.n_rows ? pt_result_cell(&made, 0, 0) : NULL, out, err);
    pt_result_clear(&made);
    return code;
}

int pt_uuid_any(pt_session *session, char out[PT_UUID_SIZE], pt_error *err) {
    if (session->n_uuids == 0) {
        pt_result made;
        PT_TRY(pt_session_exec(session, &made, err, "SELECT uuidv7() AS id FROM range(?)",
                               PT_VALUES(pt_int(PT_SESSION_UUIDS))));
        int code = PT_OK;
        for (size_t r = 0; code == PT_OK && r < made.n_rows && r < PT_SESSION_UUIDS; r++) {
            code = copy(pt_result_cell(&made, r, 0), session->uuids[r], err);
            session->n_uuids += code == PT_OK;
        }
        pt_result_clear(&made);
        PT_TRY(code);
    }
    return copy(session->n_uuids ? session->uuids[--session->n_uuids] : NULL, out, err);
}
