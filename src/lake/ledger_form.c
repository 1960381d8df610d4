#include "lake/ledger_form.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "duck/transaction.h"
#include "lake/commit_message.h"
#include "lake/metadata.h"

#define OWN_TABLES 3 /* beside pintail.meta */
#define WRITER     "pintail " PT_VERSION

/* What later forms added to pintail.offsets. */
static const struct {
    const char *name, *type;
} additions[] = {{"leader_epoch", "INTEGER"},
                 {"commit_id", "UUID"},
                 {"lake_snapshot", "BIGINT"},
                 {"detail", "VARCHAR"}};

#define N_ADDITIONS (sizeof additions / sizeof *additions)

typedef struct form {
    int64_t tables; /* of OWN_TABLES */
    bool has_meta;
    bool has[N_ADDITIONS];
    int64_t version; /* 0: pintail.meta does not say */
    char made_by[64];
} form;

static int read_meta(pt_engine *engine, pt_session *session, form *f, pt_error *err) {
    pt_text sql = {0};
    pt_result meta = {0};
    pt_text_addf(
        &sql,
        "SELECT max(CASE WHEN key = 'schema_version' THEN coalesce(try_cast(value AS BIGINT), "
        "999999) END), max(value) FILTER (key = 'made_by') FROM \"%s\".pintail.meta",
        pt_engine_alias(engine));
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), &meta, err);
    }
    if (code == PT_OK) {
        const char *writer = pt_result_cell(&meta, 0, 1);
        f->version = pt_result_int(&meta, 0, 0);
        (void)snprintf(f->made_by, sizeof f->made_by, "%s", writer ? writer : "a newer pintail");
    }
    pt_result_clear(&meta);
    pt_text_free(&sql);
    return code;
}

static int read_form(pt_engine *engine, pt_session *session, form *f, pt_error *err) {
    pt_text sql = {0};
    pt_result found = {0};
    *f = (form){0};
    pt_text_addf(&sql,
                 "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = '%s' "
                 "AND schema_name = 'pintail' AND (column_index = 1 OR table_name = 'offsets') "
                 "ORDER BY table_name, column_index",
                 pt_engine_alias(engine));
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_result(session, pt_text_get(&sql), &found, err);
    }
    for (size_t r = 0; code == PT_OK && r < found.n_rows; r++) {
        const char *table = pt_result_cell(&found, r, 0);
        const char *column = pt_result_cell(&found, r, 1);
        bool ledger = strcmp(table, "offsets") == 0;
        bool begins = r == 0 || strcmp(table, pt_result_cell(&found, r - 1, 0)) != 0;
        f->has_meta |= strcmp(table, "meta") == 0;
        f->tables += begins &&
                     (ledger || strcmp(table, "epochs") == 0 || strcmp(table, "dead_letters") == 0);
        for (size_t i = 0; ledger && i < N_ADDITIONS; i++) {
            f->has[i] |= strcmp(column, additions[i].name) == 0;
        }
    }
    pt_result_clear(&found);
    pt_text_free(&sql);
    return code == PT_OK && f->has_meta ? read_meta(engine, session, f, err) : code;
}

static int check_version(const form *f, pt_error *err) {
    if (f->version > PT_LEDGER_FORM) {
        return pt_fail(err, PT_E_LAKE,
                       "pintail's own tables in this lake have form %" PRId64
                       ", which %s made; this is " WRITER
                       ", which knows form %d: use %s or a newer one",
                       f->version, f->made_by, PT_LEDGER_FORM, f->made_by);
    }
    return PT_OK;
}

int pt_ledger_check_form(pt_engine *engine, pt_session *session, pt_error *err) {
    form f;
    PT_TRY(read_form(engine, session, &f, err));
    return check_version(&f, err);
}

int pt_ledger_renew_form(pt_engine *engine, pt_session *session, pt_error *err) {
    const char *a = pt_engine_alias(engine);
    form f;
    PT_TRY(read_form(engine, session, &f, err));
    PT_TRY(check_version(&f, err));
    for (size_t i = 0; i < N_ADDITIONS; i++) {
        if (!f.has[i]) {
            PT_TRY(pt_session_runf(session, err,
                                   "ALTER TABLE \"%s\".pintail.offsets ADD COLUMN %s %s", a,
                                   additions[i].name, additions[i].type));
        }
    }
    if (!f.has_meta) {
        PT_TRY(pt_session_runf(session, err, "CREATE TABLE \"%s\".pintail.meta (%s)", a,
                               PT_META_COLUMNS));
    }
    if (f.version == PT_LEDGER_FORM) {
        return PT_OK;
    }
    if (f.version) {
        PT_TRY(pt_session_runf(
            session, err,
            "DELETE FROM \"%s\".pintail.meta WHERE key IN ('schema_version', 'made_by')", a));
    }
    return pt_session_runf(session, err,
                           "INSERT INTO \"%s\".pintail.meta (key, value) VALUES ('schema_version', "
                           "'%d'), ('made_by', '" WRITER "')",
                           a, PT_LEDGER_FORM);
}

/* ---- the tables themselves ---- */

typedef struct lake {
    pt_engine *engine;
    pt_session *session;
} lake;

static int create_tables(void *arg, pt_error *err) {
    const lake *l = arg;
    const char *a = pt_engine_alias(l->engine);
    PT_TRY(pt_message_table(l->engine, l->session, NULL, "makes the tables of", "pintail", err));
    PT_TRY(pt_session_runf(l->session, err, "CREATE SCHEMA IF NOT EXISTS \"%s\".pintail", a));
    PT_TRY(pt_session_runf(l->session, err,
                           "CREATE TABLE IF NOT EXISTS \"%s\".pintail.offsets (%s)", a,
                           PT_LEDGER_COLUMNS));
    PT_TRY(pt_session_runf(l->session, err, "CREATE TABLE IF NOT EXISTS \"%s\".pintail.epochs (%s)",
                           a, PT_EPOCH_COLUMNS));
    PT_TRY(pt_session_runf(l->session, err,
                           "CREATE TABLE IF NOT EXISTS \"%s\".pintail.dead_letters (%s)", a,
                           PT_DEAD_LETTER_COLUMNS));
    return pt_ledger_renew_form(l->engine, l->session, err);
}

/* DuckLake sets no option of a schema that is not committed yet, so a process may have died between
 * the two. */
static int set_inlining(const lake *l, pt_error *err) {
    int64_t set = 0;
    PT_TRY(pt_metadata_own_inline_limits(l->session, &set, err));
    return set ? PT_OK
               : pt_session_exec(
                     l->session, NULL, err,
                     "CALL @lake.set_option('data_inlining_row_limit', ?, schema => 'pintail')",
                     PT_VALUES(pt_int(PT_LEDGER_INSERT_ROWS)));
}

static int create_once(void *arg, pt_error *err) {
    lake *l = arg;
    form f;
    PT_TRY(read_form(l->engine, l->session, &f, err));
    PT_TRY(check_version(&f, err));
    if (f.tables < OWN_TABLES) {
        PT_TRY(pt_transaction(l->session, create_tables, l, err));
    }
    return set_inlining(l, err);
}

int pt_ledger_create(pt_engine *engine, pt_session *session, pt_error *err) {
    lake l = {engine, session};
    if (pt_retry_busy(create_once, &l, err) != PT_OK) {
        return pt_fail_in(err, "pintail's own tables cannot be made");
    }
    return PT_OK;
}
