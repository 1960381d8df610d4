/* What the files of the auditor share.
 *
 * Each run makes these temporary tables again; they belong to the session:
 *
 *   audit_ledger   pintail.offsets:
 *                    g pipeline, topic, p partition, [a, b) offsets, n rows, d dead letters, kind,
 *                    t table, gen how many resets came before,
 *                    moves whether its kind is one of those that move the position
 *   audit_spans    g, topic, p, [a, b): what a pipeline committed; ranges that touch are one
 *   audit_dead     pintail.dead_letters:
 *                    g, topic, p, o offset, t, code,
 *                    old whether a reset that came after it goes back to it or behind it
 *   audit_ranges   topic, p, [a, b): what all pipelines committed for the table at hand
 *   audit_windows  topic, p, w, n rows, d offsets, known:
 *                    the rows of the table at hand, by windows of 65536 offsets */
#pragma once

#include "audit/findings.h"
#include "duck/query.h"

typedef struct pt_auditor {
    pt_engine *engine;
    pt_session *session;
    const pt_audit_options *options;
    pt_audit *audit;
    char **tables; /* [n_tables] those that the options ask for, as the ledger spells them */
    size_t n_tables;
    char *adrift; /* the data path when it is relative and not there from this working directory;
                     else NULL */
} pt_auditor;

/* Runs the statement and empties it. */
int pt_auditor_run(pt_auditor *a, pt_query *sql, pt_error *err) PT_CHECKED;
int pt_auditor_table(pt_auditor *a, pt_query *sql, pt_result *out, pt_error *err) PT_CHECKED;
int pt_auditor_int(pt_auditor *a, pt_query *sql, int64_t *out, pt_error *err) PT_CHECKED;
/* The first column of the rows of sql as the examples of finding (which may be NULL). */
int pt_auditor_examples(pt_auditor *a, pt_query *sql, pt_finding *finding,
                        pt_error *err) PT_CHECKED;

/* Whether the list has the text, or is empty. */
bool pt_is_one_of(const char *text, const char *const *list, size_t n);
/* Whether the options ask for it. NULL: not of one. */
bool pt_auditor_wants(const pt_auditor *a, const char *pipeline, const char *topic,
                      const char *table);

/* Merges the ranges of audit_ledger where they touch: SELECT key..., a, b with key such as "g,
 * topic, p". table: of this table alone; NULL: of all. */
void pt_auditor_add_merged(pt_query *sql, const char *key, const char *table);

/* audit/ledger.c: fills the temporary tables of the ledger, and the audit's partitions. */
int pt_audit_ledger_load(pt_auditor *a, pt_error *err) PT_CHECKED;
/* audit/ranges.c: the ranges follow one another; there are as many dead letters as the ledger
 * counts. */
int pt_audit_ledger_check(pt_auditor *a, pt_error *err) PT_CHECKED;

/* audit/table.c: a table as it is in the lake. */
typedef struct pt_audit_name {
    char *schema, *table, *label;
    pt_text sql; /* "lake"."schema"."table" */
} pt_audit_name;

/* label: as in the ledger, or as a user writes it (lake/table_name.h); out->label: as in the
 * ledger. *exists tells. Released with pt_audit_name_clear. */
int pt_audit_name_find(pt_auditor *a, const char *label, pt_audit_name *out, bool *exists,
                       pt_error *err) PT_CHECKED;
void pt_audit_name_clear(pt_audit_name *name);
int pt_audit_table_has(pt_auditor *a, const pt_audit_name *name, const char *column, bool *has,
                       pt_error *err) PT_CHECKED;
int pt_audit_table_files(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                         pt_error *err) PT_CHECKED;
int pt_audit_table_report(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                          pt_error *err) PT_CHECKED;

/* audit/identity.c: the table is the one that the rows went to. */
int pt_audit_identity_check(pt_auditor *a, const pt_audit_name *name, pt_error *err) PT_CHECKED;

/* audit/last_records.c: the last record of each partition whose next record goes to this table. */
int pt_audit_last_records(pt_auditor *a, const pt_audit_name *name, const pt_audit_table *t,
                          pt_error *err) PT_CHECKED;

/* audit/rows.c: the rows of the table against the ledger. */
int pt_audit_rows_check(pt_auditor *a, const pt_audit_name *name, pt_audit_table *t,
                        pt_error *err) PT_CHECKED;
