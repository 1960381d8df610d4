/* pintail sql: statements from -c, files, standard input or a prompt, against the lake. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "cli/lake_args.h"
#include "cli/options.h"
#include "cli/result_format.h"
#include "cli/sql/prompt.h"
#include "cli/sql/run.h"
#include "cli/sql/split.h"
#include "cli/statement_watch.h"
#include "duck/session.h"
#include "lake/data_path.h"

#define PT_TERMINAL_ROWS 40

typedef struct pt_sql_args {
    pt_lake_args lake_args;
    pt_string_list commands;
    int format; /* pt_format */
    uint64_t max_rows;
    bool read_only;
    int log_format;
} pt_sql_args;

enum { OPTION_COMMAND = 4, OPTION_FORMAT, OPTION_MAX_ROWS };

static const pt_option options[] = {
    PT_LAKE_OPTIONS(pt_sql_args),
    {"command", 'c', PT_OPT_LIST, offsetof(pt_sql_args, commands), "SQL",
     "statements to run; repeatable, in one row with the files as given"},
    {"format", 'f', PT_OPT_CHOICE, offsetof(pt_sql_args, format), PT_FORMAT_CHOICES,
     "how results are printed (default: box)"},
    {"max-rows", 0, PT_OPT_COUNT, offsetof(pt_sql_args, max_rows), "N",
     "rows of a box that are shown, the first and the last half (default: 40 on a terminal, else "
     "all; 0: all)"},
    {"read-only", 0, PT_OPT_FLAG, offsetof(pt_sql_args, read_only), "",
     "attach the lake read-only"},
    PT_LOG_FORMAT_OPTION(pt_sql_args),
};

static int run(int argc, char **argv);

const pt_command pt_command_sql = {
    .name = "sql",
    .summary = "SQL against the lake, from -c, files, standard input or a prompt",
    .usage =
        "[--lake LAKE [--data-path DIR]] [-c SQL]... [FILE.sql | -]... [--format " PT_FORMAT_CHOICES
        "]",
    .notes =
        "The lake is attached as \"lake\" and is the default database: both lake.orders and orders "
        "name its table. With --data-path a missing\n"
        "lake is made. Without --lake the extensions are at hand and a script attaches what it "
        "wants.\n"
        "Without -c and files, statements come from standard input; on a terminal that is a prompt "
        "(.help shows its commands).\n"
        "The first error ends the run; what a transaction had done until then is rolled back.\n"
        "csv: RFC 4180 with LF; NULL is an empty field, an empty text is \"\". json: an array of "
        "objects for each result.\n"
        "markdown: an empty line between two results. When the reader of the output closes it (| "
        "head), pintail sql ends without a word\n"
        "and runs no more statements, exit 141.",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};

/* ---- input ---- */

typedef struct pt_input {
    char name[300];      /* in error messages */
    const char *command; /* of -c; NULL: a file */
    const char *file;    /* "-": standard input */
    char *failed;        /* the statement that failed; the caller frees it */
} pt_input;

static int run_statement(pt_sql_runner *runner, pt_input *input, const pt_sql_statement *statement,
                         pt_error *err) {
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

static int run_whole(pt_sql_runner *runner, pt_sql_splitter *splitter, pt_input *input, bool end,
                     pt_error *err) {
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

static int add(pt_sql_splitter *splitter, const pt_input *input, const char *data, size_t len,
               pt_error *err) {
    if (pt_sql_splitter_add(splitter, data, len, err) != PT_OK) {
        return pt_fail_in(err, "%s:%zu", input->name, splitter->line);
    }
    return PT_OK;
}

/* Statements run as they arrive, so that a pipe can be talked to. */
static int run_file(pt_sql_runner *runner, pt_sql_splitter *splitter, pt_input *input, int fd,
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

static int run_input(pt_sql_runner *runner, pt_input *input, pt_error *err) {
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

static size_t collect(int argc, char **argv, const pt_sql_args *args, const pt_string_list *files,
                      pt_input *out) {
    size_t c = 0;
    size_t f = 0;
    while (c < args->commands.n || f < files->n) {
        pt_input *input = &out[c + f];
        *input = (pt_input){0};
        if (f == files->n || (c < args->commands.n && place(argc, argv, args->commands.items[c]) <
                                                          place(argc, argv, files->items[f]))) {
            input->command = args->commands.items[c++];
            if (args->commands.n > 1) {
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

/* A misspelt file is told before anything runs. */
static int check_files(const pt_string_list *files, pt_error *err) {
    for (size_t i = 0; i < files->n; i++) {
        if (strcmp(files->items[i], "-") != 0 && access(files->items[i], R_OK) != 0) {
            return pt_fail(err, PT_E_IO, "%s cannot be read: %s; nothing was run", files->items[i],
                           strerror(errno));
        }
    }
    return PT_OK;
}

/* ---- the command ---- */

static pt_writer_options writer_options(const pt_sql_args *args, bool max_rows_given) {
    bool terminal = isatty(STDOUT_FILENO) == 1;
    struct winsize size = {0};
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col == 0) {
        size.ws_col = 80;
    }
    return (pt_writer_options){
        .format = (pt_format)args->format,
        .out = stdout,
        .max_rows = max_rows_given ? (size_t)args->max_rows
                    : terminal     ? PT_TERMINAL_ROWS
                                   : 0,
        .width = terminal ? size.ws_col : 0,
        .utf8 = true,
    };
}

static int run_inputs(pt_sql_runner *runner, pt_input *inputs, size_t n, char **failed,
                      pt_error *err) {
    for (size_t i = 0; i < n; i++) {
        int code = run_input(runner, &inputs[i], err);
        *failed = inputs[i].failed;
        PT_TRY(code);
    }
    if (pt_sql_runner_in_transaction(runner)) {
        return pt_fail(
            err, PT_E_DATA,
            "the input ended inside a transaction, which was rolled back; end it with COMMIT");
    }
    return PT_OK;
}

static int use_lake(pt_sql_runner *runner, const pt_engine *engine, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "USE ");
    pt_text_add_sql_name(&sql, pt_engine_alias(engine));
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_run(pt_sql_runner_session(runner), pt_text_get(&sql), err);
    }
    pt_text_free(&sql);
    return code;
}

/* Statements may write: --read-only opens such a lake all the same. What cannot be told is not held
 * against it. */
static int refuse_adrift(pt_engine *engine, pt_sql_runner *runner, pt_error *err) {
    pt_error why;
    if (pt_data_path_check(engine, pt_sql_runner_session(runner), &why) != PT_E_USAGE) {
        return PT_OK;
    }
    *err = why;
    return PT_E_USAGE;
}

static int run_watched(const pt_sql_args *args, const pt_writer_options *writer,
                       pt_sql_watch *watch, pt_input *inputs, size_t n_inputs, char **failed,
                       pt_error *err) {
    pt_engine *engine = NULL;
    pt_sql_runner *runner = NULL;
    pt_lake_options lake = pt_lake_args_options(&args->lake_args);
    lake.local_time = true;
    lake.create = args->lake_args.data_path != NULL && !args->read_only;
    lake.read_only = args->read_only;
    pt_sql_watch_begin(watch, NULL);
    PT_TRY(pt_engine_open(&lake, &engine, err));
    pt_sql_runner_options o = {.writer = *writer,
                               .log_done = writer->format == PT_FORMAT_BOX &&
                                           isatty(STDOUT_FILENO) == 1,
                               .cancelled = n_inputs ? pt_stop_asked : pt_sql_prompt_cancelled,
                               .watch = watch};
    int code = pt_sql_runner_open(engine, &o, &runner, err);
    if (code == PT_OK && lake.lake) {
        code = use_lake(runner, engine, err);
    }
    if (code == PT_OK && lake.lake && !lake.read_only) {
        code = refuse_adrift(engine, runner, err);
    }
    pt_sql_watch_end(watch);
    if (code == PT_OK) {
        code = n_inputs ? run_inputs(runner, inputs, n_inputs, failed, err)
                        : pt_sql_prompt(runner, lake.lake ? pt_engine_alias(engine) : NULL, err);
    }
    pt_sql_watch_begin(watch, NULL);
    pt_sql_runner_close(&runner);
    pt_engine_close(&engine);
    return code;
}

static int run_all(const pt_sql_args *args, const pt_writer_options *writer, pt_input *inputs,
                   size_t n_inputs, char **failed, pt_error *err) {
    const pt_sql_watch_options o = {.command = "sql",
                                    .cancelled = n_inputs ? pt_stop_asked : pt_sql_prompt_cancelled,
                                    .exit_code = pt_exit_code(PT_E_INTERRUPTED)};
    pt_sql_watch *watch = NULL;
    PT_TRY(pt_sql_watch_open(&o, &watch, err));
    int code = run_watched(args, writer, watch, inputs, n_inputs, failed, err);
    pt_sql_watch_close(&watch);
    return code;
}

static int run_parsed(int argc, char **argv, const pt_sql_args *args, pt_string_list *files,
                      bool max_rows_given, char **failed, pt_error *err) {
    if (!args->lake_args.lake && (args->lake_args.data_path || args->read_only)) {
        return pt_fail(err, PT_E_USAGE, "--data-path and --read-only need --lake");
    }
    bool prompt = args->commands.n + files->n == 0 && isatty(STDIN_FILENO) == 1 &&
                  isatty(STDOUT_FILENO) == 1;
    if (args->commands.n + files->n == 0 && !prompt) {
        files->items[files->n++] = "-";
    }
    PT_TRY(check_files(files, err));
    pt_input *inputs = calloc(args->commands.n + files->n + 1, sizeof *inputs);
    if (!inputs) {
        return pt_fail_nomem(err, "the inputs");
    }
    pt_writer_options writer = writer_options(args, max_rows_given);
    int code = run_all(args, &writer, inputs, collect(argc, argv, args, files, inputs), failed,
                       err);
    free(inputs);
    return code;
}

/* Widths of characters need a UTF-8 locale, whatever the environment says. */
static void take_locale(void) {
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
}

static int run(int argc, char **argv) {
    pt_sql_args args = {0};
    pt_string_list files = {0};
    bool given[sizeof options / sizeof *options] = {false};
    pt_parsed parsed;
    pt_error err = {0};
    char *failed = NULL;
    take_locale();
    int code = pt_options_parse(&pt_command_sql, argc, argv, &args, &files, given, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        code = run_parsed(argc, argv, &args, &files, given[OPTION_MAX_ROWS], &failed, &err);
    }
    if (code != PT_OK) {
        code = pt_command_failed(&pt_command_sql, &err);
        if (failed && !pt_log_is_json()) {
            pt_sql_show_statement(stderr, failed);
        }
    }
    free(failed);
    return code;
}
