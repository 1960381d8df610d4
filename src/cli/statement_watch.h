/* A thread through which a signal ends any statement: it interrupts the session while one runs and
 * the user asked for it. What does not end by that (a server that does not answer, a reader of the
 * output that does not read) ends with the process, PT_WATCH_WAIT after the signal. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "duck/engine.h"

#define PT_WATCH_WAIT (5 * PT_SECOND) /* from SIGTERM, SIGINT or SIGHUP on */

typedef struct pt_sql_watch pt_sql_watch;

typedef struct pt_sql_watch_options {
    const char *command;     /* for the message, such as "sql" */
    bool (*cancelled)(void); /* called from the thread: true interrupts the statement */
    int exit_code;           /* when the process has to end */
} pt_sql_watch_options;

/* The options are kept. */
int pt_sql_watch_open(const pt_sql_watch_options *options, pt_sql_watch **out,
                      pt_error *err) PT_CHECKED;
void pt_sql_watch_close(pt_sql_watch **watch);
/* Around what may take long; session: what is interrupted, NULL for nothing (attaching a lake). The
 * session must live until the next begin or end. */
void pt_sql_watch_begin(pt_sql_watch *watch, pt_session *session);
void pt_sql_watch_end(pt_sql_watch *watch);
