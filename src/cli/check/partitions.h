/* Partitions and their dead letters; a part of the report. */
#pragma once

#include "cli/check/common.h"

/* The partitions [from, until) of one pipeline, topic and table. */
void pt_check_add_block(const pt_check_report *report, size_t from, size_t until, pt_text *out);
/* --summary: a line for each topic. */
void pt_check_add_summary(const pt_check_report *report, pt_text *out);
/* The reasons of dead letters, with their counts. */
void pt_check_add_reasons(const pt_check_report *report, pt_text *out);
