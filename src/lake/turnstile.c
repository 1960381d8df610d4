#include "lake/turnstile.h"

#include "duck/session.h"

#include <stdio.h>
#include <stdlib.h>

/* Of the database; "pintail" in ASCII, so that it meets nobody else's lock by chance. */
#define LOCK_KEY  "31639398052260204"
#define LOCK_WAIT "2s"

struct pt_turnstile {
    pt_session *session; /* its transaction holds the lock; the committer's own is another
                            connection to the server */
    char *enter;         /* the statement */
    bool inside;
};

int pt_turnstile_open(pt_engine *engine, pt_turnstile **out, pt_error *err) {
    *out = NULL;
    if (pt_engine_catalog(engine) != PT_CATALOG_POSTGRES) {
        return PT_OK;
    }
    pt_turnstile *t = calloc(1, sizeof *t);
    if (!t) {
        return pt_fail_nomem(err, "the turnstile");
    }
    int code = PT_OK;
    if (asprintf(
            &t->enter,
            "CALL postgres_execute('__ducklake_metadata_%s', 'SET LOCAL lock_timeout = ''" LOCK_WAIT
            "''; SELECT pg_advisory_xact_lock(" LOCK_KEY ")')",
            pt_engine_alias(engine)) < 0) {
        t->enter = NULL;
        code = pt_fail_nomem(err, "the turnstile");
    }
    if (code == PT_OK) {
        code = pt_session_open(engine, &t->session, err);
    }
    if (code != PT_OK) {
        pt_turnstile_close(&t);
    }
    *out = t;
    return code;
}

void pt_turnstile_close(pt_turnstile **turnstile) {
    pt_turnstile *t = *turnstile;
    if (t) {
        pt_session_close(&t->session);
        free(t->enter);
        free(t);
        *turnstile = NULL;
    }
}

static bool run(pt_turnstile *t, const char *sql) {
    pt_error ignored;
    return pt_session_run(t->session, sql, &ignored) == PT_OK;
}

void pt_turnstile_enter(pt_turnstile *t) {
    if (t && run(t, "BEGIN")) {
        t->inside = run(t, t->enter);
        if (!t->inside) {
            (void)run(t, "ROLLBACK");
        }
    }
}

void pt_turnstile_leave(pt_turnstile *t) {
    if (t && t->inside) {
        (void)run(t, "ROLLBACK"); /* it has written nothing */
        t->inside = false;
    }
}
