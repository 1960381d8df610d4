#include "audit/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/auditor.h"
#include "base/path.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "duck/uri.h"
#include "lake/ledger_form.h"
#include "lake/metadata.h"
#include "lake/table_name.h"

static pt_audit_table *add_table(pt_audit *audit, const char *label) {
    pt_audit_table *grown = realloc(audit->tables, (audit->n_tables + 1) * sizeof *grown);
    if (!grown) {
        return NULL;
    }
    audit->tables = grown;
    pt_audit_table *t = &grown[audit->n_tables];
    *t = (pt_audit_table){.name = strdup(label), .rows = -1};
    audit->n_tables += t->name != NULL;
    return t->name ? t : NULL;
}

static void forget_names(pt_auditor *a) {
    for (size_t i = 0; i < a->n_tables; i++) {
        free(a->tables[i]);
    }
    free(a->tables);
    a->tables = NULL;
    a->n_tables = 0;
}

/* A table that is asked for is the ledger's however it is written: T, main.t, "t". */
static int name_asked(pt_auditor *a, pt_error *err) {
    const pt_audit_options *o = a->options;
    forget_names(a); /* of the attempt before */
    if (o->n_tables && !(a->tables = calloc(o->n_tables, sizeof *a->tables))) {
        return pt_fail_nomem(err, "table names");
    }
    for (size_t i = 0; i < o->n_tables; i++) {
        pt_audit_name name;
        bool exists;
        int code = pt_audit_name_find(a, o->tables[i], &name, &exists, err);
        char *label = code == PT_OK ? strdup(exists ? name.label : o->tables[i]) : NULL;
        pt_audit_name_clear(&name);
        if (code != PT_OK) {
            return code;
        }
        if (!label) {
            return pt_fail_nomem(err, "a table name");
        }
        if (a->n_tables && pt_is_one_of(label, (const char *const *)a->tables, a->n_tables)) {
            free(label);
        } else {
            a->tables[a->n_tables++] = label;
        }
    }
    return PT_OK;
}

/* pintail's own tables: there, and with all their files? Only then the ledger is read. */
static int look_at_own(pt_auditor *a, bool *readable, pt_error *err) {
    static const char *const own[] = {"pintail.offsets", "pintail.epochs", "pintail.dead_letters"};
    bool all = true;
    *readable = true;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        pt_audit_name name;
        pt_audit_table t = {.name = (char *)(uintptr_t)own[i]};
        bool exists;
        int code = pt_audit_name_find(a, own[i], &name, &exists, err);
        if (code == PT_OK && exists) {
            code = pt_audit_table_files(a, &name, &t, err);
        }
        pt_audit_name_clear(&name);
        PT_TRY(code);
        all = all && exists;
        *readable = *readable && t.missing_files == 0;
    }
    a->audit->has_ledger = all;
    *readable = *readable && all;
    PT_TRY(pt_ledger_check_form(a->session, err));
    return PT_OK;
}

static int list_tables(pt_auditor *a, pt_error *err) {
    pt_audit *audit = a->audit;
    for (size_t i = 0; i < a->n_tables; i++) {
        if (!add_table(audit, a->tables[i])) {
            return pt_fail_nomem(err, "a table");
        }
    }
    for (size_t i = 0; a->n_tables == 0 && i < audit->n_partitions; i++) {
        const char *label = audit->partitions[i].table;
        bool known = *label == '\0';
        for (size_t k = 0; k < audit->n_tables; k++) {
            known = known || strcmp(audit->tables[k].name, label) == 0;
        }
        if (!known && !add_table(audit, label)) {
            return pt_fail_nomem(err, "a table");
        }
    }
    return PT_OK;
}

/* A table of the ledger that is gone: a finding as soon as rows were committed to it. */
static int table_is_gone(pt_auditor *a, const char *label, pt_error *err) {
    int64_t rows = 0;
    bool known = false;
    for (size_t i = 0; i < a->audit->n_partitions; i++) {
        if (strcmp(a->audit->partitions[i].table, label) == 0) {
            rows += a->audit->partitions[i].ledger_rows;
            known = true;
        }
    }
    if (!known) {
        return pt_fail(
            err, PT_E_LAKE,
            "there is no table %s in the lake%s; pintail sql -c 'SHOW ALL TABLES' lists them",
            label, pt_table_name_hint(a->session, label).text);
    }
    if (rows && !pt_audit_find(a->audit, "missing_table", NULL, NULL, label, -1, rows,
                               "the table is gone, and with it %" PRId64 " committed rows", rows)) {
        return pt_fail_nomem(err, "a finding");
    }
    return PT_OK;
}

static int audit_table(pt_auditor *a, pt_audit_table *t, bool ledger, pt_error *err) {
    pt_audit_name name;
    int code = pt_audit_name_find(a, t->name, &name, &t->exists, err);
    if (code == PT_OK && !t->exists) {
        code = table_is_gone(a, t->name, err);
    } else if (code == PT_OK) {
        code = pt_audit_table_files(a, &name, t, err);
        t->readable = t->missing_files == 0;
        if (code == PT_OK && t->readable) {
            code = pt_audit_table_report(a, &name, t, err);
        } else if (code == PT_OK) {
            code = pt_audit_note(
                a->audit, err,
                "the rows of %s were not audited: it cannot be read without its missing files",
                t->name);
        }
        if (code == PT_OK && t->readable && ledger) {
            code = pt_audit_identity_check(a, &name, err);
            if (code == PT_OK) {
                code = pt_audit_rows_check(a, &name, t, err);
            }
            if (code == PT_OK && a->options->last_records) {
                code = pt_audit_last_records(a, &name, t, err);
            }
        }
    }
    pt_audit_name_clear(&name);
    return code;
}

static int known_topics(pt_auditor *a, pt_error *err) {
    pt_audit *audit = a->audit;
    if (audit->n_partitions || !audit->has_ledger ||
        (a->options->n_topics == 0 && !a->options->pipeline)) {
        return PT_OK;
    }
    char *known = NULL;
    bool topic = a->options->n_topics > 0;
    pt_nearest nearest;
    pt_result names = {0};
    pt_nearest_begin(&nearest, topic ? a->options->topics[0] : a->options->pipeline);
    PT_TRY(pt_session_result(a->session,
                             topic ? "SELECT DISTINCT topic FROM audit_ledger"
                                   : "SELECT DISTINCT g FROM audit_ledger",
                             &names, err));
    for (size_t i = 0; i < names.n_rows; i++) {
        pt_nearest_offer(&nearest, pt_result_cell(&names, i, 0));
    }
    pt_result_clear(&names);
    int code = pt_session_exec_text(
        a->session, &known, err,
        "SELECT string_agg(DISTINCT topic || ' (' || g || ')', ', ' ORDER BY topic || ' (' || g || "
        "')') FROM audit_ledger",
        PT_NO_VALUES);
    if (code == PT_OK) {
        code = pt_fail(err, PT_E_LAKE, "the ledger knows nothing of %s%s%s%s; it has: %s",
                       topic ? "topic " : "pipeline ",
                       topic ? a->options->topics[0] : a->options->pipeline,
                       topic && a->options->pipeline ? " in that pipeline" : "",
                       pt_nearest_hint(&nearest, "").text, known ? known : "nothing yet");
    }
    free(known);
    return code;
}

/* A relative data path counts from the working directory: from elsewhere every file would seem to
 * be missing. */
static int find_adrift(pt_auditor *a, pt_error *err) {
    char *path = NULL;
    free(a->adrift);
    a->adrift = NULL;
    int code = pt_metadata_data_path(a->session, &path, err);
    if (code == PT_OK && path && *path != '/' && !pt_path_is_remote(path) &&
        !pt_path_exists(path)) {
        a->adrift = path;
        path = NULL;
    }
    free(path);
    return code;
}

static int audit_lake(void *arg, pt_error *err) {
    pt_auditor *a = arg;
    pt_audit *audit = a->audit;
    bool readable = false;
    pt_audit_clear(audit); /* of the attempt before */
    PT_TRY(pt_session_exec_int(a->session, &audit->snapshot, err,
                               "SELECT id FROM ducklake_current_snapshot(?) AS s(id)",
                               PT_VALUES(pt_str(pt_session_alias(a->session)))));
    PT_TRY(find_adrift(a, err));
    PT_TRY(name_asked(a, err));
    PT_TRY(look_at_own(a, &readable, err));
    if (!audit->has_ledger && a->n_tables == 0) {
        return pt_fail(err, PT_E_LAKE,
                       "the lake has no ledger (pintail.offsets): pintail never wrote to it; "
                       "--table NAME reports a table all the same");
    }
    if (readable) {
        PT_TRY(pt_audit_ledger_load(a, err));
        PT_TRY(known_topics(a, err));
    } else if (audit->has_ledger) {
        PT_TRY(pt_audit_note(audit, err, "the ledger could not be read, so no rows were audited"));
    }
    PT_TRY(list_tables(a, err));
    for (size_t i = 0; i < audit->n_tables; i++) {
        PT_TRY(audit_table(a, &audit->tables[i], readable, err));
    }
    return readable ? pt_audit_ledger_check(a, err) : PT_OK;
}

static int one_snapshot(void *arg, pt_error *err) {
    pt_auditor *a = arg;
    return pt_transaction(a->session, audit_lake, a, err);
}

int pt_audit_run(pt_engine *engine, pt_session *session, const pt_audit_options *options,
                 pt_audit *out, pt_error *err) {
    pt_auditor a = {.engine = engine, .session = session, .options = options, .audit = out};
    *out = (pt_audit){.snapshot = -1};
    int code = pt_retry_busy(one_snapshot, &a, err);
    free(a.adrift);
    forget_names(&a);
    return code;
}
