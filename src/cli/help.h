/* What the tables say to a reader: --help, the man page, docs/CLI.md, docs/LOG.md. */
#pragma once

#include "cli/options.h"

void pt_help(const pt_command *command);
void pt_help_man(void);        /* pintail(1) in roff, all commands */
void pt_help_markdown(void);   /* docs/CLI.md */
void pt_help_log_events(void); /* docs/LOG.md */
