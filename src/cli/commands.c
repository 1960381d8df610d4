/* The commands, in the order in which help shows them. */
#include "cli/options.h"

const pt_command *const pt_commands[] = {&pt_command_ingest,
                                         &pt_command_produce,
                                         &pt_command_check,
                                         &pt_command_sql,
                                         &pt_command_reset,
                                         &pt_command_broker,
                                         NULL};
