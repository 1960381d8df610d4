/* The DuckDB to which the lake is attached: opened, given up, opened again. */
#include <string.h>

#include "base/failpoint.h"
#include "duck/own_retry.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "lake/catalog_ducklake.h"
#include "lake/gate.h"
#include "lake/settings.h"

#define OPEN_TRIES   12  /* of a catalog that others may be making */
#define REOPEN_AFTER 500 /* commits */
#define REOPEN_SOON  2   /* in a test */

void pt_ducklake_detach(pt_ducklake *c) {
    c->schema_version = -1;
    c->all_stood = false;
    memset(c->inlines, 0, sizeof c->inlines);
    pt_turnstile_close(&c->turnstile);
    if (c->engine && pt_engine_catalog(c->engine) == PT_CATALOG_DUCKDB &&
        pt_gate_file_replaced(c)) {
        pt_engine_disown(c->engine);
    }
    pt_session_close(&c->session);
    pt_engine_close(&c->engine);
    pt_scan_free(&c->scan);
}

typedef struct opening {
    pt_ducklake *committer;
    unsigned attempts;
} opening;

/* PT_E_LAKE_BUSY: worth another try. Of what is not, err->code may still be that. */
static int open_engine(void *arg, pt_error *err) {
    opening *o = arg;
    pt_ducklake *c = o->committer;
    o->attempts++;
    c->again = *c->options;
    c->again.create = c->options->create && !c->opened;
    int code = pt_engine_open(&c->again, &c->engine, err);
    if (code == PT_E_LAKE && c->opened &&
        pt_error_is(err, PT_WHY_NO_CATALOG_FILE)) { /* a backup may be on its way */
        err->code = PT_E_LAKE_DOWN;
        return PT_E_LAKE_DOWN;
    }
    /* several processes make the same catalog at once: one wins, the others find it there the next
     * time. A probe that fails for no reason of its own had a lock in its way */
    if (code == PT_E_LAKE && pt_error_is(err, PT_WHY_CATALOG_RACED)) {
        err->code = PT_E_LAKE_BUSY;
        return o->attempts < OPEN_TRIES ? PT_E_LAKE_BUSY : PT_E_LAKE;
    }
    return code == PT_E_LAKE_BUSY && o->attempts > 1 && pt_error_is(err, PT_WHY_CATALOG_HELD)
               ? PT_E_LAKE
               : code;
}

int pt_ducklake_attach(pt_ducklake *c, pt_error *err) {
    opening o = {c, 0};
    c->commits = 0;
    int code = pt_retry_busy(open_engine, &o, err) == PT_OK ? PT_OK : (int)err->code;
    if (code == PT_OK) {
        code = pt_session_open(c->engine, &c->session, err);
    }
    if (code == PT_OK) {
        code = pt_rule_broken("own-retry")
                   ? pt_session_run(c->session, "SET GLOBAL ducklake_max_retry_count = 10", err)
                   : pt_own_retry_off(c->engine, c->session, err);
    }
    if (code == PT_OK) {
        code = pt_session_runf(c->session, err,
                               "SET GLOBAL ducklake_default_data_inlining_row_limit = %zu",
                               c->options->inline_rows);
    }
    if (code == PT_OK) { /* each registered file is read once, for its footer: keeping it would cost
                            memory with every commit */
        code = pt_session_run(c->session, "SET GLOBAL enable_external_file_cache = false", err);
    }
    if (code == PT_OK) { /* an upload takes a buffer of a ten-thousandth of that; 800 GB by default,
                            which is more than this DuckDB's memory */
        code = pt_session_run(c->session, "SET GLOBAL s3_uploader_max_filesize = '50GB'", err);
    }
    if (code == PT_OK) {
        code = pt_settings_begin(c->session, err);
    }
    if (code == PT_OK) {
        code = pt_scan_new(c->session, &c->scan, err);
    }
    if (code == PT_OK) {
        code = pt_turnstile_open(c->engine, &c->turnstile, err);
    }
    pt_gate_note_file(c);
    c->opened |= code == PT_OK;
    if (code != PT_OK) {
        pt_ducklake_detach(c);
    }
    return code;
}

/* Until it is closed, the DuckDB that commits grows by some 10 KB a commit: DuckLake keeps the
 * statistics of all tables for every snapshot that it has seen, and the buffer manager the handles
 * of blocks that are gone. So another one takes its place from time to time; nothing is under way
 * now. */
int pt_ducklake_renew(pt_ducklake *c, pt_error *err) {
    if (c->commits < (pt_rule_broken("open-rarely") ? REOPEN_SOON : REOPEN_AFTER)) {
        return PT_OK;
    }
    pt_ducklake_detach(c);
    int code = pt_failpoint("open.anew")
                   ? pt_fail(err, PT_E_LAKE_DOWN, "failpoint: connection refused")
                   : pt_ducklake_attach(c, err);
    if (code == PT_E_LAKE_BUSY) { /* another process was quicker to take the catalog file */
        err->code = PT_E_LAKE_DOWN;
        code = PT_E_LAKE_DOWN;
    }
    return code;
}
