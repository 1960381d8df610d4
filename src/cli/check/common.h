/* What the text and the JSON of `pintail check` share. */
#pragma once

#include <stdbool.h>

#include "audit/findings.h"
#include "base/text.h"

#define PT_CHECK_WIDTH 80

typedef struct pt_check_report {
    const char *lake, *brokers; /* brokers: NULL when not asked */
    const pt_audit *audit;
    bool colour;  /* text for a terminal */
    size_t width; /* columns of the terminal, or PT_CHECK_WIDTH; wider rows of data are cut, wider
                     lines broken */
    bool summary; /* a line for each topic in place of tables, partitions and files */
} pt_check_report;

/* In the text that is being made colours are marks, one byte each; a terminal gets the sequences at
 * the end, and nothing else that steers it. */
#define PT_MARK_BOLD  "\x10"
#define PT_MARK_RED   "\x11"
#define PT_MARK_GREEN "\x12"
#define PT_MARK_DIM   "\x13"
#define PT_MARK_END   "\x14"

/* "sound", "findings" or "not audited" */
const char *pt_check_verdict(const pt_audit *audit);
/* One past the last partition of the pipeline, topic and table of partition `from`. */
size_t pt_check_block_end(const pt_audit *audit, size_t from);
/* Whether line `row` of audit->reasons is of a pipeline and topic that is reported. */
bool pt_check_shows_reason(const pt_audit *audit, size_t row);
/* An empty line, then the text, bold on a terminal. */
void pt_check_heading(const pt_check_report *report, pt_text *out, const char *text);
