/* What a table holds (latest rows, sales), and the files of all tables; a part of the report. */
#pragma once

#include "cli/check/common.h"

void pt_check_add_table(const pt_check_report *report, const pt_audit_table *table, pt_text *out);
void pt_check_add_files(const pt_check_report *report, pt_text *out);
