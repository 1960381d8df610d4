/* SIGTERM, SIGINT and SIGHUP (a terminal that goes away; not under nohup) set a flag; whoever runs
 * a loop looks at it. SIGPIPE is ignored. Another signal a second or more after the first ends the
 * process at once: what it waits for may not end (a COMMIT without answer), and nothing of
 * pintail's needs an orderly end. */
#pragma once

#include <stdbool.h>

void pt_signals_setup(void); /* once, at the start of main */
bool pt_stop_asked(void);    /* any thread */
