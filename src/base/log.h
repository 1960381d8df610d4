/* Log lines on standard error: logfmt (default) or JSON, one event a line. Any thread.
 *
 *   pt_log(PT_LOG_INFO, PT_EVENT("committed"), PT_INT("rows", n), PT_STR("table", name));
 *
 * Values are written redacted (base/redact.h). While a progress line is on a terminal, it is taken
 * away before a log line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pt_log_level { PT_LOG_DEBUG, PT_LOG_INFO, PT_LOG_WARN, PT_LOG_ERROR } pt_log_level;
typedef enum pt_log_format { PT_LOG_LOGFMT, PT_LOG_JSON } pt_log_format;

typedef struct pt_log_field {
    const char *key;
    enum { PT_FIELD_INT, PT_FIELD_REAL, PT_FIELD_STR } kind;
    int64_t integer;
    double real;
    const char *string;
} pt_log_field;

#define PT_INT(key_, value_) \
    ((pt_log_field){.key = (key_), .kind = PT_FIELD_INT, .integer = (int64_t)(value_)})
#define PT_REALF(key_, value_) \
    ((pt_log_field){.key = (key_), .kind = PT_FIELD_REAL, .real = (value_)})
#define PT_STR(key_, value_) \
    ((pt_log_field){.key = (key_), .kind = PT_FIELD_STR, .string = (value_)})

void pt_log_setup(pt_log_level lowest, pt_log_format format);

bool pt_log_is_json(void);

/* What ends the process: "pintail COMMAND: text" (COMMAND may be ""), or a JSON line with command
 * and exit_code. Redacted. */
void pt_log_fatal(const char *command, const char *text, int exit_code);

#define PT_EVENT(text_) PT_STR("msg", (text_))

/* The first field is PT_EVENT. */
#define pt_log(level_, ...) \
    pt_log_write((level_), (const pt_log_field[]){__VA_ARGS__, {.key = NULL}})
void pt_log_write(pt_log_level level, const pt_log_field *fields);

/* Shows text as the progress line of a terminal, in place of the one before; NULL takes it away.
 * Does nothing when standard error is no terminal. */
void pt_progress(const char *text);
int pt_progress_wanted(void); /* standard error is a terminal */
