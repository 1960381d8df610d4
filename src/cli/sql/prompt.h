/* The interactive prompt of pintail sql: line editing and history by libedit. */
#pragma once

#include "base/error.h"
#include "cli/sql/run.h"

/* For pt_sql_runner_options.cancelled: Ctrl-C since the statement began, or SIGTERM. */
bool pt_sql_prompt_cancelled(void);

/* Until .quit, Ctrl-D or SIGTERM. A failed statement is told and does not end it. lake: what is
 * attached, NULL for none. */
int pt_sql_prompt(pt_sql_runner *runner, const char *lake, pt_error *err) PT_CHECKED;
