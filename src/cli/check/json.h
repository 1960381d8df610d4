/* What `pintail check --json` prints: one object.
 *
 *   {"lake", "snapshot", "brokers", "verdict": "sound" | "findings" | "not audited",
 *    "tables": [{"table", "rows", "rows_without_offset", "latest_by", "latest": [row, ...],
 *                "sales": [{"product", "count", "revenue"}, ...] or null,
 *                "files": {"count", "bytes", "small", "missing"}}],
 *    "pipelines": [{"pipeline", "topic", "table", "rows", "dead_letters", "gaps", "duplicates",
 *                   "lag", "behind_seconds",
 *                   "partitions": [{"partition", "rows", "dead_letters", "ledger_rows",
 *                                   "ledger_dead_letters", "first_offset", "next_offset", "gaps",
 *                                   "duplicates", "not_exposed", "skipped", "lag",
 *                                   "behind_seconds"}]}],
 *    "dead_letters": [{"pipeline", "topic", "error_code", "count", "before_reset"}],
 *    "findings": [{"kind", "pipeline", "topic", "table", "partition", "count", "text",
 *                  "offsets": [...]}],
 *    "notes": ["..."]}
 *
 * What is unknown or does not apply is null. */
#pragma once

#include "cli/check/common.h"

void pt_check_json(const pt_check_report *report, pt_text *out);
