/* Where the value of each option comes from: its flag, else its variable PINTAIL_*, else the file
 * of
 * --config, else the default. An empty variable is as none, and no command minds variables that it
 * has no option for. An error about a value begins with the place that the value came from. */
#pragma once

#include "cli/options.h"
#include "config/config.h"

typedef enum pt_source { PT_FROM_DEFAULT, PT_FROM_FILE, PT_FROM_VARIABLE, PT_FROM_FLAG } pt_source;

typedef struct pt_option_values {
    const pt_command *command;
    pt_source sources[PT_OPTIONS_MAX]; /* of each option; of a list that adds: the strongest */
    size_t lines[PT_OPTIONS_MAX];      /* in the file */
    pt_config *file;                   /* NULL: none */
    char **texts;                      /* what args points into, apart from argv and the file */
    size_t n_texts;
} pt_option_values;

/* Fills args, which holds the defaults. files as in pt_options_parse. Needs pt_values_clear, also
 * after an error; args points into the values. With log-format json, also that of the file, an
 * error in what follows is a JSON line. */
int pt_values_take(const pt_command *command, int argc, char **argv, void *args,
                   pt_string_list *files, pt_option_values *out, pt_parsed *parsed,
                   pt_error *err) PT_CHECKED;
void pt_values_clear(pt_option_values *values);

/* Whether b's value comes from a weaker source than a's: where two options do not go together, the
 * stronger one counts. */
bool pt_values_weaker(const pt_option_values *values, const char *b, const char *a);

/* Of an option of the command, by its name. */
pt_source pt_values_source(const pt_option_values *values, const char *option);
bool pt_values_given(const pt_option_values *values, const char *option); /* not the default */

typedef struct pt_value_place {
    char text[512];
} pt_value_place;

/* For messages: "--flush-rows", "PINTAIL_FLUSH_ROWS", "config FILE line 12: flush.rows". The
 * default goes by the flag. */
pt_value_place pt_values_place(const pt_option_values *values, const char *option);
/* The place of a key of the file: "config FILE line 12". */
pt_value_place pt_values_line(const pt_option_values *values, const char *key);

/* --log-format, also the variable's: at the start of main, so that wrong usage is JSON, too. */
void pt_values_take_log_format(int argc, char **argv);

typedef struct pt_file_keys {
    pt_config_key keys[PT_OPTIONS_MAX], topic_keys[PT_OPTIONS_MAX];
    size_t n, n_topic_keys;
} pt_file_keys;

/* The keys that a file of --config may have: those of every command that takes one, so that one
 * file serves all of them. needs_topics: a file without topics is refused. keys point to one
 * another: *out must stay where it is. */
void pt_values_keys(pt_file_keys *out, bool needs_topics);

/* --log-format of every command: how errors are written. */
#define PT_LOG_FORMAT_OPTION(struct_)                                                        \
    {                                                                                        \
        "log-format",        0,                                                              \
        PT_OPT_CHOICE,       offsetof(struct_, log_format),                                  \
        "logfmt|json",       "form of the log lines and of a fatal error on standard error", \
        .key = "log_format",                                                                 \
    }

#define PT_CONFIG_HELP                                                                           \
    "YAML file, such as that of ingest: what this command has no option for is left alone; the " \
    "options given here win"

/* --config; letter 0 where -c is another option's. */
#define PT_CONFIG_OPTION(struct_, letter_, help_) \
    {"config", letter_, PT_OPT_STRING, offsetof(struct_, config), "FILE", help_, .key = PT_NO_KEY}
