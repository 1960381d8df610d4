/* The options of a command in one table: parser, --help, man page and docs/CLI.md all come from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum pt_option_kind {
    PT_OPT_FLAG,     /* bool */
    PT_OPT_STRING,   /* const char *, points into argv */
    PT_OPT_LIST,     /* pt_string_list, repeatable */
    PT_OPT_COUNT,    /* uint64_t */
    PT_OPT_REAL,     /* double, not negative */
    PT_OPT_SIZE,     /* uint64_t bytes */
    PT_OPT_DURATION, /* int64_t microseconds */
    PT_OPT_CHOICE    /* int, index into choices ("a|b|c" in arg) */
} pt_option_kind;

#define PT_LIST_MAX 256

typedef struct pt_string_list {
    const char *items[PT_LIST_MAX];
    size_t n;
} pt_string_list;

typedef struct pt_option {
    const char *name; /* without -- */
    char letter;      /* short form, 0 for none */
    pt_option_kind kind;
    size_t offset;   /* of the field in the command's struct */
    const char *arg; /* what the help shows, such as N or SIZE; the choices of PT_OPT_CHOICE */
    const char *help;
} pt_option;

/* What every command that opens a lake has; the first fields of its struct. */
typedef struct pt_command {
    const char *name;
    const char *summary;
    const char *usage; /* what follows "pintail name " */
    const char *notes; /* printed under the options; may be NULL */
    const pt_option *options;
    size_t n_options;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
} pt_command;

extern const pt_command pt_command_ingest, pt_command_produce, pt_command_check, pt_command_sql,
    pt_command_broker, pt_command_reset;

extern const pt_command *const pt_commands[]; /* NULL at the end */

typedef enum pt_parsed { PT_PARSED, PT_PARSED_HELP } pt_parsed;

/* Fills the fields of target (which already holds the defaults). "--name value", "--name=value",
 * "-n value", "-nvalue"; "--" ends the options. Positional arguments go to files, or are refused
 * when files is NULL. --help prints the help and sets *parsed. given, if not NULL, is an array of
 * n_options flags: which options were named. */
int pt_options_parse(const pt_command *command, int argc, char **argv, void *table,
                     pt_string_list *files, bool *given, pt_parsed *parsed,
                     pt_error *err) PT_CHECKED;

/* Puts a value's text into the option's field of target; value of a flag: NULL, or true or false.
 */
int pt_option_store(const pt_option *option, const char *value, void *table,
                    pt_error *err) PT_CHECKED;

void pt_options_help(const pt_command *command);
void pt_options_man(void);      /* pintail(1) in roff, all commands */
void pt_options_markdown(void); /* docs/CLI.md */

#define PT_EXIT_CODES                                                                           \
    "0 done, 1 failed or findings, 2 wrong usage or configuration (check: could not check), 3 " \
    "out of reach or busy, trying again can mend it"

/* --log-format of every command that has no other use for it: how errors are written. */
#define PT_LOG_FORMAT_OPTION(struct_)              \
    {"log-format",  0,                             \
     PT_OPT_CHOICE, offsetof(struct_, log_format), \
     "logfmt|json", "form of the log lines and of a fatal error on standard error"}

/* At the start of main: with --log-format json among the arguments all that goes to standard error
 * is JSON, wrong usage too. */
bool pt_options_take_log_format(int argc, char **argv);

/* "pintail ingest: text" on standard error, or a JSON line; returns the exit code of the error. */
int pt_command_failed(const pt_command *command, const pt_error *err);
int pt_command_failed_with(const pt_command *command, const pt_error *err,
                           int exit_code); /* whatever the error's own */
