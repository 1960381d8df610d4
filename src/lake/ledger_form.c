#include "lake/ledger_form.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duck/query.h"
#include "duck/result.h"
#include "duck/transaction.h"
#include "lake/commit_message.h"
#include "lake/metadata.h"

#define OWN_TABLES 3 /* beside pintail.meta */
#define WRITER     "pintail " PT_VERSION
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define FORM       TEXT(PT_LEDGER_FORM)

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

static int read_meta(pt_session *session, form *f, pt_error *err) {
    pt_result meta = {0};
    int code = pt_session_exec(
        session, &meta, err,
        "SELECT max(CASE WHEN key = 'schema_version' THEN coalesce(try_cast(value AS BIGINT), "
        "999999) END), max(value) FILTER (key = 'made_by') FROM @lake.pintail.meta",
        PT_NO_VALUES);
    if (code == PT_OK) {
        const char *writer = pt_result_cell(&meta, 0, 1);
        f->version = pt_result_int(&meta, 0, 0);
        (void)snprintf(f->made_by, sizeof f->made_by, "%s", writer ? writer : "a newer pintail");
    }
    pt_result_clear(&meta);
    return code;
}

static int read_form(pt_session *session, form *f, pt_error *err) {
    pt_result found = {0};
    *f = (form){0};
    int code = pt_session_exec(
        session, &found, err,
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = ? "
        "AND schema_name = 'pintail' AND (column_index = 1 OR table_name = 'offsets') "
        "ORDER BY table_name, column_index",
        PT_VALUES(pt_str(pt_session_alias(session))));
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
    return code == PT_OK && f->has_meta ? read_meta(session, f, err) : code;
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

int pt_ledger_check_form(pt_session *session, pt_error *err) {
    form f;
    PT_TRY(read_form(session, &f, err));
    return check_version(&f, err);
}

int pt_ledger_renew_form(pt_session *session, pt_error *err) {
    form f;
    PT_TRY(read_form(session, &f, err));
    PT_TRY(check_version(&f, err));
    for (size_t i = 0; i < N_ADDITIONS; i++) {
        if (!f.has[i]) {
            pt_query query = {0};
            pt_query_addf(&query, "ALTER TABLE @lake.pintail.offsets ADD COLUMN %s %s",
                          additions[i].name, additions[i].type);
            PT_TRY(pt_query_run(session, &query, NULL, err));
        }
    }
    if (!f.has_meta) {
        PT_TRY(pt_session_exec(session, NULL, err,
                               "CREATE TABLE @lake.pintail.meta (" PT_META_COLUMNS ")",
                               PT_NO_VALUES));
    }
    if (f.version == PT_LEDGER_FORM) {
        return PT_OK;
    }
    if (f.version) {
        PT_TRY(pt_session_exec(
            session, NULL, err,
            "DELETE FROM @lake.pintail.meta WHERE key IN ('schema_version', 'made_by')",
            PT_NO_VALUES));
    }
    return pt_session_exec(session, NULL, err,
                           "INSERT INTO @lake.pintail.meta (key, value) VALUES ('schema_version', "
                           "?), ('made_by', ?)",
                           PT_VALUES(pt_str(FORM), pt_str(WRITER)));
}

/* ---- the tables themselves ---- */

static int create_tables(void *arg, pt_error *err) {
    pt_session *session = arg;
    static const char *const statements[] = {
        "CREATE SCHEMA IF NOT EXISTS @lake.pintail",
        "CREATE TABLE IF NOT EXISTS @lake.pintail.offsets (" PT_LEDGER_COLUMNS ")",
        "CREATE TABLE IF NOT EXISTS @lake.pintail.epochs (" PT_EPOCH_COLUMNS ")",
        "CREATE TABLE IF NOT EXISTS @lake.pintail.dead_letters (" PT_DEAD_LETTER_COLUMNS ")"};
    PT_TRY(pt_message_table(session, NULL, "makes the tables of", "pintail", err));
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        PT_TRY(pt_session_exec(session, NULL, err, statements[i], PT_NO_VALUES));
    }
    return pt_ledger_renew_form(session, err);
}

/* DuckLake sets no option of a schema that is not committed yet, so a process may have died between
 * the two. */
static int set_inlining(pt_session *session, pt_error *err) {
    int64_t set = 0;
    PT_TRY(pt_metadata_own_inline_limits(session, &set, err));
    return set ? PT_OK
               : pt_session_exec(
                     session, NULL, err,
                     "CALL @lake.set_option('data_inlining_row_limit', ?, schema => 'pintail')",
                     PT_VALUES(pt_int(PT_LEDGER_INSERT_ROWS)));
}

static int create_once(void *arg, pt_error *err) {
    pt_session *session = arg;
    form f;
    PT_TRY(read_form(session, &f, err));
    PT_TRY(check_version(&f, err));
    if (f.tables < OWN_TABLES) {
        PT_TRY(pt_transaction(session, create_tables, session, err));
    }
    return set_inlining(session, err);
}

int pt_ledger_create(pt_session *session, pt_error *err) {
    if (pt_retry_busy(create_once, session, err) != PT_OK) {
        return pt_fail_in(err, "pintail's own tables cannot be made");
    }
    return PT_OK;
}
