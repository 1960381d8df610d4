/* Runs SQL statements one after the other on one session and prints their results. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/result_format.h"
#include "cli/statement_watch.h"
#include "duck/engine.h"

typedef struct pt_sql_runner pt_sql_runner;

typedef struct pt_sql_runner_options {
    pt_writer_options writer;
    bool log_done;           /* print OK or the number of rows for statements without a result */
    bool (*cancelled)(void); /* asked while a statement runs; true: it was interrupted */
    pt_sql_watch *watch;     /* interrupts it; the caller's */
} pt_sql_runner_options;

/* The engine must outlive the runner. */
int pt_sql_runner_open(pt_engine *engine, const pt_sql_runner_options *options, pt_sql_runner **out,
                       pt_error *err) PT_CHECKED;
void pt_sql_runner_close(pt_sql_runner **runner);

pt_writer_options *pt_sql_runner_writer(
    pt_sql_runner *runner); /* may be changed between statements */
pt_session *pt_sql_runner_session(pt_sql_runner *runner);
bool pt_sql_runner_in_transaction(
    const pt_sql_runner *runner); /* BEGIN was run and neither COMMIT nor ROLLBACK */

/* One statement. The error's text is DuckDB's message on one line, without its picture of the
 * statement; PT_E_INTERRUPTED when cancelled. */
int pt_sql_run(pt_sql_runner *runner, const char *sql, pt_error *err) PT_CHECKED;
