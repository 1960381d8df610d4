#include "lake/table_make.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "duck/result.h"
#include "duck/transaction.h"
#include "lake/commit_message.h"
#include "lake/metadata.h"
#include "lake/table_columns.h"
#include "lake/table_defaults.h"
#include "lake/table_name.h"

/* ---- names that the catalog does not take ---- */

#define FOLDER_NAME_MAX 255 /* bytes, on every file system in use */
/* A table of PostgreSQL has 1600; three of an inlined one are DuckLake's. */
#define POSTGRES_COLUMNS 1597
#define SQLITE_COLUMNS   1997 /* likewise of 2000 */

static bool is_one_of(const char *name, const char *const *list) {
    for (; *list; list++) {
        if (strcasecmp(name, *list) == 0) {
            return true;
        }
    }
    return false;
}

/* DuckLake keeps few rows in a table of the catalog that has the same columns, unless the limit is
 * 0: as it will be for this table, whose schema may be new, too. */
static int has_inlining(pt_session *session, const pt_table *t, bool *out, pt_error *err) {
    int64_t limit = 0;
    int code = pt_metadata_inline_limit(session, t->schema_name, &limit, err);
    *out = limit > 0;
    return code;
}

#define NO_INLINING \
    "or CALL lake.set_option('data_inlining_row_limit', 0) first, by pintail sql or DuckDB"

static int check_column(pt_catalog_kind catalog, bool inlining, const char *label, const char *name,
                        pt_error *err) {
    static const char *const ducklakes[] = {"row_id", "begin_snapshot", "end_snapshot", NULL};
    static const char *const postgres[] = {"tableoid", "xmin", "cmin", "xmax",
                                           "cmax",     "ctid", NULL};
    if (strncasecmp(name, "_ducklake_", strlen("_ducklake_")) == 0) {
        return pt_fail(err, PT_E_USAGE,
                       "table %s, column %s: names that begin with _ducklake_ are DuckLake's own; "
                       "give it another name",
                       label, name);
    }
    if (inlining && is_one_of(name, ducklakes)) {
        return pt_fail(err, PT_E_USAGE,
                       "table %s, column %s: DuckLake keeps that name for itself where small "
                       "flushes stay in the catalog; give it another name, " NO_INLINING,
                       label, name);
    }
    if (inlining && catalog == PT_CATALOG_POSTGRES && is_one_of(name, postgres)) {
        return pt_fail(err, PT_E_USAGE,
                       "table %s, column %s: PostgreSQL, which keeps the catalog, has a column of "
                       "that name in each table; give it another name, " NO_INLINING,
                       label, name);
    }
    return PT_OK;
}

/* A name of these characters alone becomes a folder's name as it is. */
static int check_folder(const char *label, const char *name, pt_error *err) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return n > FOLDER_NAME_MAX && !name[n] ? pt_fail(err, PT_E_USAGE,
                                                     "table %.60s...: a name of %zu characters "
                                                     "cannot be a folder's; the longest has %d",
                                                     label, n, FOLDER_NAME_MAX)
                                           : PT_OK;
}

static int check_names(pt_catalog_kind catalog, bool inlining, const pt_table *t,
                       const pt_schema *asked, pt_error *err) {
    PT_TRY(check_folder(t->label, t->schema_name, err));
    PT_TRY(check_folder(t->label, t->name, err));
    for (size_t i = 0; i < asked->n_columns; i++) {
        PT_TRY(check_column(catalog, inlining, t->label, asked->columns[i].name, err));
    }
    size_t n = asked->n_columns + PT_META_COUNT; /* about */
    size_t most = catalog == PT_CATALOG_POSTGRES ? POSTGRES_COLUMNS
                  : catalog == PT_CATALOG_SQLITE ? SQLITE_COLUMNS
                                                 : SIZE_MAX;
    if (inlining && n > most) {
        return pt_fail(err, PT_E_USAGE,
                       "table %s: %zu columns are more than a table of the catalog can have (%zu "
                       "with pintail's own); leave some out, " NO_INLINING,
                       t->label, asked->n_columns, most);
    }
    return PT_OK;
}

int pt_table_check_names(const char *table, const char *schema_text, pt_catalog_kind catalog,
                         bool inlining, pt_error *err) {
    pt_table t = {0};
    pt_schema *asked = NULL;
    int code = pt_table_name_split(table, &t.schema_name, &t.name, err);
    if (code == PT_OK && !schema_text) {
        code = pt_fail(err, PT_E_USAGE, PT_TABLE_MISSING, table, "");
    }
    if (code == PT_OK) {
        code = pt_schema_parse(schema_text, &asked, err);
    }
    if (code == PT_OK && !(t.label = pt_table_name_label(t.schema_name, t.name))) {
        code = pt_fail_nomem(err, "a table's name");
    }
    if (code == PT_OK) {
        code = check_names(catalog, inlining, &t, asked, err);
    }
    pt_schema_free(&asked);
    free(t.label);
    free(t.schema_name);
    free(t.name);
    return code;
}

int pt_table_check_new(pt_session *session, const pt_table *t, pt_schema *asked, pt_error *err) {
    for (size_t i = 0; i < asked->n_columns;
         i++) { /* DuckDB's own refusal comes from the whole CREATE TABLE and names no column */
        const pt_column *c = &asked->columns[i];
        if (c->default_sql && c->type.n_fields) {
            return pt_fail(err, PT_E_USAGE,
                           "table %s, column %s: DuckLake has no DEFAULT for LIST, STRUCT and MAP; "
                           "leave it out, or make the column JSON",
                           t->label, c->name);
        }
    }
    bool inlining;
    PT_TRY(has_inlining(session, t, &inlining, err));
    PT_TRY(check_names(pt_engine_catalog(pt_session_engine(session)), inlining, t, asked, err));
    return pt_table_evaluate_defaults(session, t->label, asked, err);
}

/* ---- statements ---- */

static void add_column(pt_text *sql, const char *separator, const char *name, const char *type,
                       const char *rest) {
    pt_text_add(sql, separator);
    pt_text_add_sql_name(sql, name);
    pt_text_addf(sql, " %s%s", type, rest);
}

void pt_table_add_create(const pt_session *session, const pt_table *t, const pt_schema *schema,
                         pt_metas metas, pt_text *sql) {
    pt_text_add(sql, "CREATE SCHEMA IF NOT EXISTS ");
    pt_text_add_sql_name(sql, pt_session_alias(session));
    pt_text_add(sql, ".");
    pt_text_add_sql_name(sql, t->schema_name);
    pt_text_add(sql, "; CREATE TABLE IF NOT EXISTS ");
    pt_table_add_sql_name(t, session, sql);
    const char *separator = " (";
    for (size_t i = 0; i < schema->n_columns; i++) {
        const pt_column *c = &schema->columns[i];
        char *type = pt_type_sql(&c->type);
        add_column(sql, separator, c->name, type ? type : "?", c->not_null ? " NOT NULL" : "");
        sql->failed |= !type;
        free(type);
        if (c->default_sql) {
            pt_text_addf(sql, " DEFAULT %s", c->default_sql);
        }
        separator = ", ";
    }
    for (size_t m = 0; m < PT_META_COUNT; m++) {
        if (metas & (1U << m)) {
            add_column(sql, separator, pt_meta_columns[m].name, pt_meta_columns[m].sql, "");
            separator = ", ";
        }
    }
    pt_text_add(sql, "); ");
}

typedef struct make_job {
    pt_session *session;
    const char *what, *sql;
} make_job;

static int run_statements(void *arg, pt_error *err) {
    const make_job *job = arg;
    PT_TRY(pt_message_table(job->session, NULL, "makes table", job->what, err));
    return pt_session_run(job->session, job->sql, err);
}

int pt_tables_make(pt_session *session, const char *what, pt_text *sql, pt_error *err) {
    PT_TRY(pt_text_check(sql, err));
    make_job job = {session, what, pt_text_get(sql)};
    if (sql->len && pt_transaction(session, run_statements, &job, err) != PT_OK) {
        if (pt_error_is(err, PT_WHY_BAD_DEFAULT)) { /* such as a subquery */
            err->code = PT_E_USAGE;
        }
        return pt_fail_in(err, "table %s cannot be made", what);
    }
    return PT_OK;
}
