/* What `pintail check` prints for people. */
#pragma once

#include "cli/check/common.h"

void pt_check_text(const pt_check_report *report, pt_text *out);
