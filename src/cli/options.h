/* The commands and their options, one table a command. From it come the flags, the variables
 * PINTAIL_*, the keys of the YAML file, --help, the man page and docs/CLI.md.
 *
 * A value comes from the flag, else from the variable, else from the file, else it is the default
 * (cli/values.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum pt_option_kind {
    PT_OPT_FLAG,     /* bool */
    PT_OPT_STRING,   /* const char *, points into what the value came from */
    PT_OPT_LIST,     /* pt_string_list, repeatable */
    PT_OPT_COUNT,    /* uint64_t */
    PT_OPT_REAL,     /* double, not negative */
    PT_OPT_SIZE,     /* uint64_t bytes */
    PT_OPT_DURATION, /* int64_t microseconds */
    PT_OPT_CHOICE    /* int, index into choices ("a|b|c" in arg) */
} pt_option_kind;

/* How the variable of a PT_OPT_LIST holds several entries. */
typedef enum pt_list_form {
    PT_LIST_LINES, /* one a line; an empty line is none */
    PT_LIST_NAMES, /* names without commas: separated by commas or lines, blanks around them do not
                      count */
    PT_LIST_WHOLE  /* SQL: the whole text is one entry, which may have several statements */
} pt_list_form;

#define PT_LIST_MAX 256

typedef struct pt_string_list {
    const char *items[PT_LIST_MAX];
    size_t n;
} pt_string_list;

/* What else is asked of a value. text: the value, or an entry of a list; field: the option's, where
 * the value is already. The message needs no name of the option. */
typedef int pt_option_check(const char *text, const void *field, pt_error *err);

typedef struct pt_option {
    const char *name; /* without -- */
    char letter;      /* short form, 0 for none */
    pt_option_kind kind;
    size_t offset;    /* of the field in the command's struct */
    const char *arg;  /* what the help shows, such as N or SIZE; the choices of PT_OPT_CHOICE */
    const char *help; /* ends without a full stop */
    const char *key;  /* in the file of --config, such as flush.rows; PT_NO_KEY: it has none */
    const char *topic_key;  /* in each entry of the file's topics; NULL: none */
    const char *variable;   /* NULL: PINTAIL_ and the name, such as PINTAIL_FLUSH_ROWS. Another one
                               where that name has a meaning for another command or for tests. */
    pt_option_check *check; /* NULL: none */
    pt_list_form list;
    bool adds;  /* a list to which file, variable and flags add, in this order, so that the last one
                   wins; other lists are replaced */
    bool pairs; /* in the file the list is a mapping; an entry is prop=value */
    bool null_is_text, may_be_blank; /* in the file: pt_config_key */
} pt_option;

#define PT_NO_KEY NULL

typedef struct pt_command {
    const char *name;
    const char *summary;
    const char *usage; /* what follows "pintail name " */
    const char *notes; /* printed under the options; may be NULL */
    const pt_option *options;
    size_t n_options;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
} pt_command;

#define PT_OPTIONS_MAX 64 /* of a command */

extern const pt_command pt_command_ingest, pt_command_produce, pt_command_check, pt_command_sql,
    pt_command_broker, pt_command_reset;

extern const pt_command *const pt_commands[]; /* NULL at the end */

/* The option of that name; NULL: the command has none. */
const pt_option *pt_option_find(const pt_command *command, const char *name);

typedef struct pt_variable_name {
    char text[64];
} pt_variable_name;

/* PINTAIL_FLUSH_ROWS of flush-rows. */
pt_variable_name pt_option_variable(const pt_option *option);

typedef enum pt_parsed { PT_PARSED, PT_PARSED_HELP } pt_parsed;

/* The flags alone. Fills the fields of args (which already holds the defaults). "--name value",
 * "--name=value", "-n value", "-nvalue"; "--" ends the options. Positional arguments go to files,
 * or are refused when files is NULL. --help sets *parsed and ends the search. given, if not NULL,
 * is an array of n_options flags: which options were named. */
int pt_options_parse(const pt_command *command, int argc, char **argv, void *args,
                     pt_string_list *files, bool *given, pt_parsed *parsed,
                     pt_error *err) PT_CHECKED;

/* Puts a value's text into the option's field of args and checks it; value of a flag: NULL, or true
 * or false. */
int pt_option_store(const pt_option *option, const char *value, void *args,
                    pt_error *err) PT_CHECKED;

/* "pintail ingest: text" on standard error, or a JSON line; returns the exit code of the error. */
int pt_command_failed(const pt_command *command, const pt_error *err);
int pt_command_failed_with(const pt_command *command, const pt_error *err,
                           int exit_code); /* whatever the error's own */
