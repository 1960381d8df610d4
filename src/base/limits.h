/* What the system grants the process, looked at before anything is started: DuckDB ends the process
 * by an exception when a thread, a file or memory is refused. */
#pragma once

#include "base/error.h"

/* Raises the soft limit of open files where the hard one allows. PT_E_USAGE: a limit is too low to
 * work at all, with what it is and what it should be. */
int pt_limits_check(pt_error *err) PT_CHECKED;
