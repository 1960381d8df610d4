/* The sections of the text that `pintail check` prints. Each appends to out, in the order of the
 * report. */
#pragma once

#include "cli/check/report.h"

/* An empty line, then the text, bold on a terminal. */
void pt_check_heading(const pt_check_report *report, pt_text *out, const char *text);

/* check/tables.c: what a table holds (latest rows, sales), and the files of all tables. */
void pt_check_add_table(const pt_check_report *report, const pt_audit_table *table, pt_text *out);
void pt_check_add_files(const pt_check_report *report, pt_text *out);

/* check/partitions.c: the partitions of one pipeline, topic and table [from, until); one line for
 * each topic; the reasons of dead letters. */
void pt_check_add_block(const pt_check_report *report, size_t from, size_t until, pt_text *out);
void pt_check_add_summary(const pt_check_report *report, pt_text *out);
void pt_check_add_reasons(const pt_check_report *report, pt_text *out);
