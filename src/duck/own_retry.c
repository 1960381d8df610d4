#include "duck/own_retry.h"

#include <stdlib.h>
#include <string.h>

#include "duck/result.h"

/* The DuckLake in whose 1.0 a count of 0 is no retry (so is 1 there, but in 1.1 it is one). */
#define KNOWN   "d8a1881e"
#define SCRATCH "pintail_scratch"

static int overlap(pt_session *first, pt_session *second, bool *retries, pt_error *err) {
    pt_error refused;
    PT_TRY(pt_session_run(first, "BEGIN; INSERT INTO " SCRATCH ".t VALUES (1)", err));
    PT_TRY(pt_session_run(second, "INSERT INTO " SCRATCH ".t VALUES (2)", err));
    *retries = pt_session_run(first, "COMMIT", &refused) == PT_OK;
    if (!*retries) {
        int ignored = pt_session_run(first, "ROLLBACK", NULL);
        (void)ignored; /* there may be no transaction any more */
    }
    return PT_OK;
}

int pt_own_retry_probe(pt_engine *engine, pt_session *session, bool *retries, pt_error *err) {
    pt_session *other = NULL;
    *retries = true;
    PT_TRY(pt_session_run(
        session,
        "ATTACH 'ducklake::memory:' AS " SCRATCH
        " (DATA_PATH '/nonexistent', DATA_INLINING_ROW_LIMIT 10); CREATE TABLE " SCRATCH
        ".t (a INTEGER)",
        err));
    int code = pt_session_open(engine, &other, err);
    if (code == PT_OK) {
        code = overlap(session, other, retries, err);
    }
    pt_session_close(&other);
    int ignored = pt_session_run(session, "DETACH " SCRATCH, NULL);
    (void)ignored;
    return code;
}

static int is_known(pt_session *session, bool *known, pt_error *err) {
    char *version = NULL;
    PT_TRY(pt_session_text(
        session,
        "SELECT extension_version FROM duckdb_extensions() WHERE extension_name = 'ducklake'",
        &version, err));
    *known = version && strcmp(version, KNOWN) == 0;
    free(version);
    return PT_OK;
}

int pt_own_retry_off(pt_engine *engine, pt_session *session, pt_error *err) {
    int64_t count = -1;
    bool known = false;
    bool retries = false;
    PT_TRY(pt_session_run(session, "SET GLOBAL ducklake_max_retry_count = 0", err));
    PT_TRY(pt_session_int(session, "SELECT current_setting('ducklake_max_retry_count')::BIGINT",
                          &count, err));
    PT_TRY(is_known(session, &known, err));
    if (!known) {
        PT_TRY(pt_own_retry_probe(engine, session, &retries, err));
    }
    return count == 0 && !retries
               ? PT_OK
               : pt_fail(err, PT_E_LAKE,
                         "DuckLake's own retry cannot be switched off (ducklake_max_retry_count), "
                         "and it can commit rows twice: use the DuckLake that pintail brings");
}
