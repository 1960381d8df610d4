/* A thread that interrupts the session while a statement runs and the user asked for it. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "lake/engine.h"

typedef struct pt_sql_watch pt_sql_watch;

/* cancelled is called from the thread. */
int pt_sql_watch_open(pt_session *session, bool (*cancelled)(void), pt_sql_watch **out, pt_error *err) PT_CHECKED;
void pt_sql_watch_close(pt_sql_watch **watch);
/* Around each statement. */
void pt_sql_watch_begin(pt_sql_watch *watch);
void pt_sql_watch_end(pt_sql_watch *watch);
