/* SIGTERM and SIGINT set a flag; whoever runs a loop looks at it. SIGPIPE is ignored. */
#pragma once

#include <stdbool.h>

void pt_signals_setup(void); /* once, at the start of main */
bool pt_stop_asked(void);    /* any thread */
void pt_ask_stop(void);      /* as if the signal had come */
