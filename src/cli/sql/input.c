#include "cli/sql/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/signals.h"
#include "cli/sql/split.h"

static int run_statement(pt_sql_runner *runner, pt_sql_input *input,
                         const pt_sql_statement *statement, pt_error *err) {
    if (pt_stop_asked()) {
        return pt_fail(err, PT_E_INTERRUPTED, "interrupted before %s:%zu", input->name,
                       statement->line);
    }
    if (pt_sql_run(runner, statement->text, err) != PT_OK) {
        input->failed = err->code == PT_E_IO || err->code == PT_E_READER_GONE
                            ? NULL
                            : strdup(
                                  statement->text); /* the output is at fault, not the statement */
        return pt_fail_in(err, "%s:%zu", input->name, statement->line);
    }
    return PT_OK;
}

static int run_whole(pt_sql_runner *runner, pt_sql_splitter *splitter, pt_sql_input *input,
                     bool end, pt_error *err) {
    bool found = true;
    while (found) {
        pt_sql_statement statement;
        PT_TRY(pt_sql_splitter_next(splitter, end, &found, &statement, err));
        if (found) {
            PT_TRY(run_statement(runner, input, &statement, err));
        }
    }
    return PT_OK;
}

static int add(pt_sql_splitter *splitter, const pt_sql_input *input, const char *data, size_t len,
               pt_error *err) {
    if (pt_sql_splitter_add(splitter, data, len, err) != PT_OK) {
        return pt_fail_in(err, "%s:%zu", input->name, splitter->line);
    }
    return PT_OK;
}

/* Statements run as they arrive, so that a pipe can be talked to. */
static int run_file(pt_sql_runner *runner, pt_sql_splitter *splitter, pt_sql_input *input, int fd,
                    pt_error *err) {
    static char buffer[65536];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR && !pt_stop_asked()) {
            continue;
        }
        if (n < 0 && errno == EINTR) {
            return pt_fail(err, PT_E_INTERRUPTED, "interrupted while reading %s", input->name);
        }
        if (n < 0) {
            return pt_fail(err, PT_E_IO, "%s cannot be read: %s", input->name, strerror(errno));
        }
        if (n == 0) {
            return run_whole(runner, splitter, input, true, err);
        }
        PT_TRY(add(splitter, input, buffer, (size_t)n, err));
        PT_TRY(run_whole(runner, splitter, input, false, err));
    }
}

int pt_sql_input_run(pt_sql_input *input, pt_sql_runner *runner, pt_error *err) {
    pt_sql_splitter splitter;
    pt_sql_splitter_init(&splitter);
    int code;
    if (input->command) {
        code = add(&splitter, input, input->command, strlen(input->command), err);
        code = code == PT_OK ? run_whole(runner, &splitter, input, true, err) : code;
    } else {
        bool standard = strcmp(input->file, "-") == 0;
        int fd = standard ? STDIN_FILENO : open(input->file, O_RDONLY | O_CLOEXEC);
        code = fd >= 0
                   ? run_file(runner, &splitter, input, fd, err)
                   : pt_fail(err, PT_E_IO, "%s cannot be opened: %s", input->file, strerror(errno));
        if (fd >= 0 && !standard) {
            (void)close(fd);
        }
    }
    pt_sql_splitter_clear(&splitter);
    return code;
}

/* Index of the argument that text points into: -c and files are run in the order of the command
 * line. */
static int place(int argc, char **argv, const char *text) {
    for (int i = 1; i < argc; i++) {
        if (text >= argv[i] && text <= argv[i] + strlen(argv[i])) {
            return i;
        }
    }
    return argc;
}

size_t pt_sql_inputs_collect(int argc, char **argv, const pt_string_list *commands,
                             const pt_string_list *files, pt_sql_input *out) {
    size_t c = 0;
    size_t f = 0;
    while (c < commands->n || f < files->n) {
        pt_sql_input *input = &out[c + f];
        *input = (pt_sql_input){0};
        if (f == files->n || (c < commands->n && place(argc, argv, commands->items[c]) <
                                                     place(argc, argv, files->items[f]))) {
            input->command = commands->items[c++];
            if (commands->n > 1) {
                (void)snprintf(input->name, sizeof input->name, "-c (%zu)", c);
            } else {
                (void)snprintf(input->name, sizeof input->name, "-c");
            }
        } else {
            input->file = files->items[f++];
            (void)snprintf(input->name, sizeof input->name, "%s",
                           strcmp(input->file, "-") == 0 ? "standard input" : input->file);
        }
    }
    return c + f;
}

int pt_sql_inputs_check(const pt_string_list *files, pt_error *err) {
    for (size_t i = 0; i < files->n; i++) {
        if (strcmp(files->items[i], "-") != 0 && access(files->items[i], R_OK) != 0) {
            return pt_fail(err, PT_E_IO, "%s cannot be read: %s; nothing was run", files->items[i],
                           strerror(errno));
        }
    }
    return PT_OK;
}
