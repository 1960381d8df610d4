/* pintail sql: statements from -c, files, standard input or a prompt, against the lake. */
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
#include "cli/result_format.h"
#include "cli/sql/input.h"
#include "cli/sql/prompt.h"
#include "cli/sql/run.h"
#include "cli/sql/statement_error.h"
#include "cli/statement_watch.h"
#include "duck/session.h"
#include "lake/data_path.h"

#define PT_TERMINAL_ROWS 40

typedef struct pt_sql_args {
    pt_lake_args lake_args;
    pt_string_list commands;
    const char *config;
    int format; /* pt_format */
    uint64_t max_rows;
    bool read_only;
    int log_format;
} pt_sql_args;

static const pt_option options[] = {
    PT_LAKE_OPTIONS(pt_sql_args),
    {"command", 'c', PT_OPT_LIST, offsetof(pt_sql_args, commands), "SQL",
     "statements to run; repeatable, in one row with the files as given; the variable counts where "
     "there is neither -c nor FILE",
     .key = PT_NO_KEY, .list = PT_LIST_WHOLE},
    {"format", 'f', PT_OPT_CHOICE, offsetof(pt_sql_args, format), PT_FORMAT_CHOICES,
     "how results are printed (default: box)", .key = PT_NO_KEY},
    {"max-rows", 0, PT_OPT_COUNT, offsetof(pt_sql_args, max_rows), "N",
     "rows of a box that are shown, the first and the last half (default: 40 on a terminal, else "
     "all; 0: all)",
     .key = PT_NO_KEY},
    {"read-only", 0, PT_OPT_FLAG, offsetof(pt_sql_args, read_only), "", "attach the lake read-only",
     .key = PT_NO_KEY},
    PT_CONFIG_OPTION(pt_sql_args, 0, PT_CONFIG_HELP),
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

static int run_inputs(pt_sql_runner *runner, pt_sql_input *inputs, size_t n, char **failed,
                      pt_error *err) {
    for (size_t i = 0; i < n; i++) {
        int code = pt_sql_input_run(&inputs[i], runner, err);
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
static int refuse_adrift(pt_sql_runner *runner, pt_error *err) {
    pt_error why;
    if (pt_data_path_check(pt_sql_runner_session(runner), &why) != PT_E_USAGE) {
        return PT_OK;
    }
    *err = why;
    return PT_E_USAGE;
}

static int run_watched(const pt_sql_args *args, const pt_writer_options *writer,
                       pt_sql_watch *watch, pt_sql_input *inputs, size_t n_inputs, char **failed,
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
        code = refuse_adrift(runner, err);
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

static int run_all(const pt_sql_args *args, const pt_writer_options *writer, pt_sql_input *inputs,
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

static int run_parsed(int argc, char **argv, pt_sql_args *args, const pt_option_values *s,
                      pt_string_list *files, char **failed, pt_error *err) {
    if (!args->lake_args.lake && (args->lake_args.data_path || args->read_only)) {
        const char *needs = args->read_only ? "read-only" : "data-path";
        return pt_fail(err, PT_E_USAGE, "%s needs --lake", pt_values_place(s, needs).text);
    }
    if (files->n && pt_values_source(s, "command") != PT_FROM_FLAG) {
        args->commands.n = 0;
    }
    bool prompt = args->commands.n + files->n == 0 && isatty(STDIN_FILENO) == 1 &&
                  isatty(STDOUT_FILENO) == 1;
    if (args->commands.n + files->n == 0 && !prompt) {
        files->items[files->n++] = "-";
    }
    PT_TRY(pt_sql_inputs_check(files, err));
    pt_sql_input *inputs = calloc(args->commands.n + files->n + 1, sizeof *inputs);
    if (!inputs) {
        return pt_fail_nomem(err, "the inputs");
    }
    pt_writer_options writer = writer_options(args, pt_values_given(s, "max-rows"));
    int code = run_all(args, &writer, inputs,
                       pt_sql_inputs_collect(argc, argv, &args->commands, files, inputs), failed,
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
    static pt_sql_args args;
    static pt_string_list files;
    pt_option_values values;
    pt_parsed parsed;
    pt_error err = {0};
    char *failed = NULL;
    take_locale();
    int code = pt_values_take(&pt_command_sql, argc, argv, &args, &files, &values, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        code = run_parsed(argc, argv, &args, &values, &files, &failed, &err);
    }
    pt_values_clear(&values);
    if (code != PT_OK) {
        code = pt_command_failed(&pt_command_sql, &err);
        if (failed && !pt_log_is_json()) {
            pt_sql_show_statement(stderr, failed);
        }
    }
    free(failed);
    return code;
}
