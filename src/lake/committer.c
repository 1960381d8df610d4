#include "lake/committer_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/path.h"
#include "duck/attach_failed.h"
#include "duck/own_retry.h"
#include "duck/transaction.h"
#include "duck/uri.h"
#include "lake/data_path.h"
#include "lake/gate.h"
#include "lake/guard.h"
#include "lake/ledger_form.h"
#include "lake/settings.h"

#define OPEN_TRIES   12  /* of a catalog that others may be making */
#define REOPEN_AFTER 500 /* commits */
#define REOPEN_SOON  2   /* in a test */

/* ---- open, close, open again ---- */

void pt_committer_detach(pt_committer *c) {
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

void pt_committer_tend_guards(pt_committer *c, bool all) {
    uint64_t restored = 0;
    pt_error err = {0};
    if (c->session &&
        pt_keep_tend(&c->keep, c->engine, c->session, all, &restored, &err) != PT_OK) {
        pt_log(PT_LOG_WARN, PT_EVENT("second names of data files stay for longer"),
               PT_STR("error", err.text));
    }
    if (restored) {
        pt_log(PT_LOG_WARN,
               PT_EVENT("data files that somebody removed as orphans are back; do not call "
                        "delete_orphaned_files(cleanup_all => true) beside a writer"),
               PT_INT("files", restored));
    }
}

int64_t pt_committer_tend_at(const pt_committer *c, int64_t latest_us) {
    int64_t due_us = c->session ? pt_keep_due(&c->keep) : INT64_MAX;
    return due_us < latest_us ? due_us : latest_us;
}

void pt_committer_keep_guards(pt_committer *c, pt_flush *flush) {
    pt_keep_add(&c->keep, flush);
    pt_committer_tend_guards(c, false);
}

typedef struct opening {
    pt_committer *committer;
    unsigned attempts;
} opening;

/* PT_E_LAKE_BUSY: worth another try. Of what is not, err->code may still be that. */
static int open_engine(void *arg, pt_error *err) {
    opening *o = arg;
    pt_committer *c = o->committer;
    o->attempts++;
    c->again = *c->options;
    c->again.create = c->options->create && !c->opened;
    int code = pt_engine_open(&c->again, &c->engine, err);
    if (code == PT_E_LAKE && c->opened &&
        strstr(err->text, PT_ATTACH_NO_FILE)) { /* a backup may be on its way */
        err->code = PT_E_LAKE_DOWN;
        return PT_E_LAKE_DOWN;
    }
    /* several processes make the same catalog at once: one wins, the others find it there the next
     * time. A probe that fails for no reason of its own had a lock in its way */
    if (code == PT_E_LAKE && strstr(err->text, PT_ATTACH_RACED)) {
        err->code = PT_E_LAKE_BUSY;
        return o->attempts < OPEN_TRIES ? PT_E_LAKE_BUSY : PT_E_LAKE;
    }
    return code == PT_E_LAKE_BUSY && o->attempts > 1 &&
                   strstr(err->text, "is open in another process")
               ? PT_E_LAKE
               : code;
}

int pt_committer_attach(pt_committer *c, pt_error *err) {
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
        code = pt_settings_begin(c->engine, c->session, err);
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
        pt_committer_detach(c);
    }
    return code;
}

/* Until it is closed, the DuckDB that commits grows by some 10 KB a commit: DuckLake keeps the
 * statistics of all tables for every snapshot that it has seen, and the buffer manager the handles
 * of blocks that are gone. So another one takes its place from time to time; nothing is under way
 * now. */
int pt_committer_renew(pt_committer *c, pt_error *err) {
    if (c->commits < (pt_rule_broken("open-rarely") ? REOPEN_SOON : REOPEN_AFTER)) {
        return PT_OK;
    }
    pt_committer_detach(c);
    int code = pt_failpoint("open.anew")
                   ? pt_fail(err, PT_E_LAKE_DOWN, "failpoint: connection refused")
                   : pt_committer_attach(c, err);
    if (code == PT_E_LAKE_BUSY) { /* another process was quicker to take the catalog file */
        err->code = PT_E_LAKE_DOWN;
        code = PT_E_LAKE_DOWN;
    }
    return code;
}

int pt_committer_check(const pt_lake_options *options, pt_error *err) {
    pt_lake_uri uri;
    PT_TRY(pt_lake_uri_parse(options->lake, &uri, err));
    if (uri.catalog == PT_CATALOG_MYSQL) {
        return pt_fail(err, PT_E_USAGE,
                       "--lake: nothing can be written into a lake on MySQL or MariaDB yet, since "
                       "DuckLake cannot change rows of such a catalog; use a "
                       "PostgreSQL, SQLite or DuckDB-file catalog (check and sql read this one)");
    }
    return PT_OK;
}

int pt_committer_look(const pt_lake_options *options, bool *there, pt_error *err) {
    pt_lake_options look = *options;
    pt_engine *engine = NULL;
    look.create = false;
    int code = pt_engine_open(&look, &engine, err);
    pt_engine_close(&engine);
    *there = code == PT_OK;
    return code != PT_OK &&
                   (strstr(err->text, PT_ATTACH_NONE) || strstr(err->text, PT_ATTACH_NO_FILE))
               ? PT_OK
               : code;
}

/* The data folder is ours to make, since what DuckLake makes is not fsynced. */
static int look_for_files(void *arg, pt_error *err) {
    pt_committer *c = arg;
    const char *data_path = c->options->data_path;
    PT_TRY(pt_data_path_check(c->engine, c->session, err));
    return c->options->create && data_path && !pt_path_is_remote(data_path)
               ? pt_make_folders(data_path, err)
               : PT_OK;
}

int pt_committer_open(const pt_lake_options *options, const char *pipeline, const char *owner,
                      pt_committer **out, pt_error *err) {
    *out = NULL;
    PT_TRY(pt_committer_check(options, err));
    pt_committer *c = calloc(1, sizeof *c);
    if (!c) {
        return pt_fail_nomem(err, "the committer");
    }
    c->options = options;
    c->last_snapshot = -1;
    c->owner = strdup(owner);
    int code = c->owner ? PT_OK : pt_fail_nomem(err, "the committer");
    if (code == PT_OK && pipeline) {
        code = pt_committer_name(c, pipeline, err);
    }
    if (code == PT_OK) {
        code = pt_committer_attach(c, err);
    }
    if (code == PT_OK) {
        code = pt_retry_busy(look_for_files, c, err);
    }
    if (code == PT_OK) {
        code = pt_ledger_create(c->engine, c->session, err);
    }
    if (code == PT_OK) {
        code = pt_table_open_own(c->engine, c->session, "offsets",
                                 NULL /* of an older form before the first claim */, &c->ledger,
                                 err);
    }
    if (code != PT_OK) {
        pt_committer_close(&c);
    }
    *out = c;
    return code;
}

int pt_committer_name(pt_committer *c, const char *pipeline, pt_error *err) {
    free(c->pipeline);
    c->pipeline = strdup(pipeline);
    return c->pipeline ? PT_OK : pt_fail_nomem(err, "a pipeline's name");
}

void pt_committer_close(pt_committer **committer) {
    pt_committer *c = *committer;
    if (c) {
        pt_committer_tend_guards(c, true);
        pt_keep_clear(&c->keep);
        pt_committer_detach(c);
        for (size_t i = 0; i < c->n_claims; i++) {
            free((char *)(uintptr_t)c->claims[i].topic);
        }
        pt_table_free(&c->ledger);
        free(c->claims);
        free(c->pipeline);
        free(c->owner);
        free(c);
        *committer = NULL;
    }
}

pt_engine *pt_committer_engine(pt_committer *committer) {
    return committer->engine;
}

pt_session *pt_committer_session(pt_committer *committer) {
    return committer->session;
}

const pt_table *pt_committer_ledger(const pt_committer *committer) {
    return committer->ledger;
}

uint64_t pt_committer_conflicts(const pt_committer *committer) {
    return committer->conflicts;
}

/* ---- what is owned ---- */

pt_claim *pt_committer_find(const pt_committer *c, const char *topic, int32_t partition) {
    for (size_t i = 0; i < c->n_claims; i++) {
        if (c->claims[i].partition == partition && strcmp(c->claims[i].topic, topic) == 0) {
            return &c->claims[i];
        }
    }
    return NULL;
}

static int keep_claim(pt_committer *c, const pt_claim *claim, pt_error *err) {
    pt_claim *known = pt_committer_find(c, claim->topic, claim->partition);
    const char *topic = known ? known->topic : NULL;
    if (!known) {
        pt_claim *grown = realloc(c->claims, (c->n_claims + 1) * sizeof *grown);
        if (!grown) {
            return pt_fail_nomem(err, "a claim");
        }
        c->claims = grown;
        topic = strdup(claim->topic);
        if (!topic) {
            return pt_fail_nomem(err, "a claim");
        }
        known = &c->claims[c->n_claims++];
    }
    *known = *claim;
    known->topic = topic;
    return PT_OK;
}

/* Fence first, then read. A file of the ledger may be gone since the answer to the COMMIT of a fold
 * was lost: only now it is clear what the catalog holds. */
int pt_committer_raise_and_read(pt_committer *c, pt_claim *claims, size_t n_claims,
                                const pt_ledger_starts *starts, const pt_identities *tables,
                                pt_error *err) {
    PT_TRY(pt_ledger_raise(c->engine, c->session, c->turnstile, c->pipeline, c->owner, claims,
                           n_claims, starts, tables, err));
    int code = pt_ledger_read(c->engine, c->session, c->pipeline, claims, n_claims, err);
    uint64_t restored = 0;
    pt_error ignored;
    if (code != PT_OK &&
        pt_guards_restore_table(c->engine, c->session, c->ledger, &restored, &ignored) == PT_OK &&
        restored) {
        pt_log(PT_LOG_WARN, PT_EVENT("data files that a commit of unknown outcome lost are back"),
               PT_STR("table", c->ledger->label), PT_INT("files", restored));
        code = pt_ledger_read(c->engine, c->session, c->pipeline, claims, n_claims, err);
    }
    return code;
}

void pt_committer_begin_at(pt_committer *c, const pt_ledger_starts *starts) {
    c->starts = starts;
}

void pt_committer_note_tables(pt_committer *c, const pt_identities *tables) {
    c->tables = tables;
}

int pt_committer_claim(pt_committer *c, pt_claim *claims, size_t n_claims, pt_error *err) {
    if (!c->session) {
        PT_TRY(pt_committer_attach(c, err));
    }
    int code = pt_committer_raise_and_read(c, claims, n_claims, c->starts, c->tables, err);
    if (code != PT_OK &&
        code != PT_E_LAKE_BUSY) { /* a connection that failed, or a DuckDB that has given up its
                                     catalog file, is not used again */
        pt_committer_detach(c);
    }
    PT_TRY(code);
    c->tables = n_claims ? NULL : c->tables;
    for (size_t i = 0; i < n_claims; i++) {
        PT_TRY(keep_claim(c, &claims[i], err));
    }
    return PT_OK;
}

void pt_committer_release(pt_committer *c, const char *topic, int32_t partition) {
    pt_claim *claim = pt_committer_find(c, topic, partition);
    if (claim) {
        free((char *)(uintptr_t)claim->topic);
        *claim = c->claims[--c->n_claims];
        c->last_snapshot = c->n_claims ? c->last_snapshot
                                       : -1; /* claims to come are newer than it */
    }
}

bool pt_committer_owns(const pt_committer *c) {
    return c->n_claims > 0;
}
