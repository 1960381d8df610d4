/* Where the statements of pintail sql come from: -c, files, standard input. */
#pragma once

#include "cli/options.h"
#include "cli/sql/run.h"

typedef struct pt_sql_input {
    char name[300];      /* in error messages */
    const char *command; /* of -c; NULL: a file */
    const char *file;    /* "-": standard input */
    char *failed;        /* the statement that failed; the caller frees it */
} pt_sql_input;

/* Finds a misspelt file before anything runs. */
int pt_sql_inputs_check(const pt_string_list *files, pt_error *err) PT_CHECKED;
/* Commands and files in the order of argv; out has room for all of them. How many they are. */
size_t pt_sql_inputs_collect(int argc, char **argv, const pt_string_list *commands,
                             const pt_string_list *files, pt_sql_input *out);
/* Runs the statements as they arrive, so that a pipe can be talked to. */
int pt_sql_input_run(pt_sql_input *input, pt_sql_runner *runner, pt_error *err) PT_CHECKED;
