/* The statements typed at the prompt, kept in a file:
 * ${XDG_STATE_HOME:-~/.local/state}/pintail/history, mode 0600.
 *
 * One statement a line, a line break in it as \n and a backslash as \\. Each is appended as it is
 * typed, so that two prompts may run at once. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

#define PT_HISTORY_KEPT 1000 /* statements read back */
/* Bytes; a longer file is cut to its newest statements when it is read. */
#define PT_HISTORY_MAX ((size_t)4 << 20)

/* The file's path; empty when there is no home folder. */
int pt_history_path(pt_text *out, pt_error *err) PT_CHECKED;
/* Calls add for the newest statements, oldest first. A missing file is empty. */
int pt_history_load(const char *path, void (*add)(void *context, const char *statement),
                    void *context, pt_error *err) PT_CHECKED;
int pt_history_append(const char *path, const char *statement, pt_error *err) PT_CHECKED;
/* It names a password, a key, a token or a secret: not to be kept. */
bool pt_history_secret(const char *statement);
