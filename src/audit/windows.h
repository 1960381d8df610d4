/* The rows of a table by windows of offsets: what rows.c compares with the ledger.
 *
 * One scan of two columns groups the rows into windows of 65536 offsets, and in each window a
 * bitmap tells how many different offsets there are. That is exact, takes 8 KiB a window whatever
 * the number of rows, and is several times faster than DISTINCT. */
#pragma once

#include "audit/auditor.h"

#define PT_WINDOW_BITS 16

typedef struct pt_rows_audit {
    pt_auditor *a;
    const pt_audit_name *name;
    const pt_audit_table *t;
    bool has_topic; /* column _kafka_topic */
    bool merged;    /* several topics and no such column: they are audited as one, named '*' */
    char *topic;    /* without the column: the only topic, or "*" */
} pt_rows_audit;

/* Pieces of statements: the ledger's rows of the table; "(SELECT ... AS topic, p, o FROM the
 * table)"; the rows of a partition. */
void pt_rows_add_table_is(pt_query *sql, const pt_rows_audit *j);
void pt_rows_add_from(pt_query *sql, const pt_rows_audit *j);
void pt_rows_add_is_partition(pt_query *sql, const char *alias, const char *topic, int32_t p);

/* The topic of a ledger row, as audit_ranges names it. */
const char *pt_rows_ledger_topic(const pt_rows_audit *j);

/* Fills has_topic, merged and topic (malloc'd). *n: topics that the ledger knows in the table. */
int pt_rows_find_topics(pt_rows_audit *j, int64_t *n, pt_error *err) PT_CHECKED;
/* Makes audit_ranges and audit_windows. */
int pt_rows_scan(pt_rows_audit *j, pt_error *err) PT_CHECKED;
