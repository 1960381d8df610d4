#include "cli/sql/prompt.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/redact.h"
#include "base/shown.h"
#include "base/signals.h"
#include "base/text.h"
#include "cli/sql/history.h"
#include "cli/sql/split.h"
#include "duck/result.h"

typedef struct pt_prompt {
    pt_sql_runner *runner;
    const char *lake;
    EditLine *edit;
    HistoryW *history;
    pt_text history_path; /* empty: nothing is kept */
    pt_text typed;        /* the statement being typed, for the history */
    pt_sql_splitter splitter;
    bool quit;
} pt_prompt;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

bool pt_sql_prompt_cancelled(void) {
    return interrupted || pt_stop_asked();
}

/* ---- libedit ---- */

static wchar_t *prompt_text(EditLine *edit) {
    static wchar_t first[] = L"pintail> ";
    static wchar_t more[] = L"    ...> ";
    void *data = NULL;
    (void)el_wget(edit, EL_CLIENTDATA, &data);
    const pt_prompt *prompt = data;
    return pt_sql_splitter_open(&prompt->splitter) ? more : first;
}

/* A key, once there is one; -1 when a signal ends the line first. */
static int next_byte(unsigned char *byte) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        if (pt_sql_prompt_cancelled()) {
            return -1;
        }
        int ready = poll(&in, 1, 100); /* a signal just before poll must not wait for a key */
        if (ready < 0 && errno != EINTR) {
            return -1;
        }
        if (ready > 0) {
            ssize_t n = read(STDIN_FILENO, byte, 1);
            return n < 0 ? (errno == EINTR ? -1 : 0) : (int)n;
        }
    }
}

/* libedit's reader, with signals seen and UTF-8 put together. */
static int next_char(EditLine *edit, wchar_t *out) {
    (void)edit;
    unsigned char byte;
    int n = next_byte(&byte);
    if (n <= 0) {
        return n;
    }
    size_t more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
    wchar_t c = (wchar_t)(more == 3   ? byte & 0x07
                          : more == 2 ? byte & 0x0F
                          : more == 1 ? byte & 0x1F
                                      : byte);
    while (more--) {
        n = next_byte(&byte);
        if (n <= 0) {
            return n;
        }
        c = (c << 6) | (byte & 0x3F);
    }
    *out = c;
    return 1;
}

static char *narrow(const wchar_t *wide) {
    size_t size = wcslen(wide) * 4 + 1;
    char *text = malloc(size);
    if (text && wcstombs(text, wide, size) == (size_t)-1) {
        free(text);
        text = NULL;
    }
    return text;
}

static void remember(void *context, const char *statement) {
    pt_prompt *p = context;
    size_t n = strlen(statement) + 1;
    wchar_t *wide = malloc(n * sizeof *wide);
    if (wide && mbstowcs(wide, statement, n) != (size_t)-1) {
        HistEventW event;
        (void)history_w(p->history, &event, H_ENTER, wide);
    }
    free(wide);
}

static void keep(pt_prompt *p, const char *statement) {
    if (pt_history_secret(statement)) {
        return;
    }
    remember(p, statement);
    pt_error err;
    if (p->history_path.len &&
        pt_history_append(pt_text_get(&p->history_path), statement, &err) != PT_OK) {
        (void)fprintf(stderr, "%s; statements are not kept\n", err.text);
        pt_text_clear(&p->history_path);
    }
}

/* ---- statements ---- */

static void tell(const pt_error *err) {
    pt_text redacted = {0}, shown = {0};
    pt_text_add_redacted(&redacted, err->text);
    pt_text_add_shown(&shown, pt_text_get(&redacted), redacted.len, "");
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s\n", pt_text_get(&shown));
    pt_text_free(&redacted);
    pt_text_free(&shown);
}

static void run(pt_prompt *p, const char *sql) {
    pt_error err;
    struct winsize size;
    pt_writer_options *writer = pt_sql_runner_writer(p->runner);
    if (writer->width && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) {
        writer->width = size.ws_col;
    }
    interrupted = 0;
    if (pt_sql_run(p->runner, sql, &err) != PT_OK) {
        tell(&err);
    }
    (void)fflush(stdout);
    interrupted = 0;
}

/* ---- dot commands ---- */

static void help(void) {
    (void)fputs("SQL ends with a semicolon and may take several lines. Ctrl-C drops the line or "
                "stops the statement, Ctrl-D ends.\n"
                "  .tables            the tables\n"
                "  .schema [TABLE]    CREATE statements\n"
                "  .snapshots         the lake's newest snapshots\n"
                "  .format box|csv|json|markdown\n"
                "  .quit              end\n",
                stdout);
}

static void schema(pt_prompt *p, const char *table) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT sql FROM duckdb_tables() WHERE NOT internal AND database_name NOT "
                      "LIKE '\\_\\_ducklake%' ESCAPE '\\'");
    if (*table) {
        pt_text_add(&sql, " AND table_name = ");
        pt_text_add_sql_string(&sql, table);
    }
    pt_text_add(&sql, " ORDER BY database_name, schema_name, table_name");
    pt_result found;
    pt_error err;
    if (pt_text_check(&sql, &err) != PT_OK ||
        pt_session_result(pt_sql_runner_session(p->runner), pt_text_get(&sql), &found, &err) !=
            PT_OK) {
        tell(&err);
    } else {
        for (size_t i = 0; i < found.n_rows; i++) {
            const char *text = pt_result_cell(&found, i, 0);
            (void)puts(text ? text : "");
        }
        pt_result_clear(&found);
    }
    pt_text_free(&sql);
}

static void set_format(pt_prompt *p, const char *name) {
    static const char *const names[] = {"box", "csv", "json", "markdown"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            pt_sql_runner_writer(p->runner)->format = (pt_format)i;
            return;
        }
    }
    (void)fprintf(stderr, ".format takes one of " PT_FORMAT_CHOICES "\n");
}

static void snapshots(pt_prompt *p) {
    if (!p->lake) {
        (void)fprintf(stderr, "no lake is attached; start with --lake\n");
        return;
    }
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT snapshot_id, snapshot_time, changes FROM ducklake_snapshots(");
    pt_text_add_sql_string(&sql, p->lake);
    pt_text_add(&sql, ") ORDER BY snapshot_id DESC LIMIT 20");
    run(p, pt_text_get(&sql));
    pt_text_free(&sql);
}

static void dot_command(pt_prompt *p, char *line) {
    line[strcspn(line, "\r\n")] = '\0';
    size_t n = strcspn(line, " \t");
    char *argument = line + n + strspn(line + n, " \t");
    size_t end = strlen(argument);
    while (end && (argument[end - 1] == ' ' || argument[end - 1] == ';')) {
        argument[--end] = '\0';
    }
    line[n] = '\0';
    if (strcmp(line, ".quit") == 0 || strcmp(line, ".exit") == 0) {
        p->quit = true;
    } else if (strcmp(line, ".help") == 0) {
        help();
    } else if (strcmp(line, ".tables") == 0) {
        run(p, "SELECT database_name AS \"database\", schema_name AS \"schema\", table_name AS "
               "\"table\" FROM duckdb_tables() "
               "WHERE NOT internal AND database_name NOT LIKE '\\_\\_ducklake%' ESCAPE '\\' ORDER "
               "BY ALL");
    } else if (strcmp(line, ".schema") == 0) {
        schema(p, argument);
    } else if (strcmp(line, ".snapshots") == 0) {
        snapshots(p);
    } else if (strcmp(line, ".format") == 0) {
        set_format(p, argument);
    } else {
        pt_error err;
        int ignored = pt_fail(&err, PT_E_USAGE, "unknown command %s; .help lists them", line);
        (void)ignored;
        tell(&err);
    }
}

/* ---- the loop ---- */

static void drop_typed(pt_prompt *p) {
    pt_sql_splitter_reset(&p->splitter);
    pt_text_clear(&p->typed);
}

static void take_line(pt_prompt *p, char *line) {
    pt_error err;
    bool found = true;
    if (line[0] == '.' && !pt_sql_splitter_open(&p->splitter)) {
        dot_command(p, line);
        return;
    }
    pt_text_add(&p->typed, line);
    int code = pt_sql_splitter_add(&p->splitter, line, strlen(line), &err);
    if (code != PT_OK) {
        tell(&err);
        drop_typed(p);
        return;
    }
    for (bool kept = false; found;) {
        pt_sql_statement statement;
        code = pt_sql_splitter_next(&p->splitter, false, &found, &statement, &err);
        if (code != PT_OK) {
            tell(&err);
            drop_typed(p);
            return;
        }
        if (found && !kept &&
            !pt_sql_splitter_open(&p->splitter)) { /* all that was typed is whole: one entry */
            p->typed.data[p->typed.len - (p->typed.data[p->typed.len - 1] == '\n')] = '\0';
            keep(p, pt_text_get(&p->typed));
            pt_text_clear(&p->typed);
            kept = true;
        }
        if (found) {
            run(p, statement.text);
        }
    }
    if (!pt_sql_splitter_open(&p->splitter)) {
        drop_typed(p);
    }
}

/* libedit shows its prompt before it switches the terminal's line mode off; a Ctrl-D typed in
 * between would be lost. */
static void leave_line_mode(void) {
    struct termios mode;
    if (tcgetattr(STDIN_FILENO, &mode) == 0) {
        mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        mode.c_cc[VMIN] = 1;
        mode.c_cc[VTIME] = 0;
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    }
}

static void loop(pt_prompt *p) {
    while (!p->quit && !pt_stop_asked()) {
        int n = 0;
        interrupted = 0;
        leave_line_mode();
        const wchar_t *wide = el_wgets(p->edit, &n);
        if (interrupted && !pt_stop_asked()) { /* Ctrl-C: a new line, as in a shell */
            (void)fputs("^C\n", stdout);
            (void)fflush(stdout);
            drop_typed(p);
            el_reset(p->edit);
            continue;
        }
        char *line = wide && n > 0 ? narrow(wide) : NULL;
        if (!line) { /* Ctrl-D, a closed terminal, or SIGTERM */
            (void)fputs("\n", stdout);
            break;
        }
        take_line(p, line);
        free(line);
    }
}

static int open_edit(pt_prompt *p, pt_error *err) {
    HistEventW event;
    p->edit = el_init("pintail", stdin, stdout, stderr);
    p->history = history_winit();
    if (!p->edit || !p->history) {
        return pt_fail_nomem(err, "the prompt");
    }
    (void)history_w(p->history, &event, H_SETSIZE, PT_HISTORY_KEPT);
    (void)history_w(p->history, &event, H_SETUNIQUE, 1);
    (void)el_wset(p->edit, EL_CLIENTDATA, p);
    (void)el_wset(p->edit, EL_PROMPT, prompt_text);
    (void)el_wset(p->edit, EL_EDITOR, L"emacs");
    (void)el_wset(p->edit, EL_SIGNAL, 0);
    (void)el_wset(p->edit, EL_GETCFN, next_char);
    (void)el_wset(p->edit, EL_HIST, history_w, p->history);
    (void)el_wset(p->edit, EL_BIND, L"^R", L"em-inc-search-prev", NULL);
    (void)el_source(p->edit, NULL); /* ~/.editrc */
    return PT_OK;
}

int pt_sql_prompt(pt_sql_runner *runner, const char *lake, pt_error *err) {
    pt_prompt p = {.runner = runner, .lake = lake};
    struct sigaction action = {.sa_handler = on_interrupt};
    struct sigaction before;
    pt_sql_splitter_init(&p.splitter);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, &before);
    int code = pt_history_path(&p.history_path, err);
    if (code == PT_OK) {
        code = open_edit(&p, err);
    }
    if (code == PT_OK) {
        pt_error why;
        if (p.history_path.len &&
            pt_history_load(pt_text_get(&p.history_path), remember, &p, &why) != PT_OK) {
            (void)fprintf(stderr, "%s\n", why.text);
        }
        (void)printf("pintail %s, DuckDB %s%s%s; .help shows the commands\n", PT_VERSION,
                     duckdb_library_version(), lake ? ", lake attached as " : "", lake ? lake : "");
        loop(&p);
    }
    if (p.edit) {
        el_end(p.edit);
    }
    if (p.history) {
        history_wend(p.history);
    }
    (void)sigaction(SIGINT, &before, NULL);
    pt_sql_splitter_clear(&p.splitter);
    pt_text_free(&p.history_path);
    pt_text_free(&p.typed);
    return code;
}
