#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/log_events.h"
#include "decode/codes.h"

#define EXIT_CODES                                                                              \
    "0 done, 1 failed or findings, 2 wrong usage or configuration (check: could not check), 3 " \
    "out of reach or busy, trying again can mend it"

#define SOURCES                                                                                    \
    "A value comes from the flag, else from the variable in [brackets], else from the file of "    \
    "--config (its key stands behind the variable), else it is the default. An empty variable is " \
    "as none. The variable of a repeatable option holds one entry a line; names of topics may be " \
    "separated by commas, too, and SQL is taken whole. A variable says true, false, 1 or 0 for a " \
    "flag."

static void option_head(const pt_option *o, char *out, size_t size) {
    char letter[8] = "    ";
    if (o->letter) {
        (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
    }
    (void)snprintf(out, size, "%s--%s%s%s", letter, o->name, o->kind == PT_OPT_FLAG ? "" : " ",
                   o->kind == PT_OPT_FLAG ? "" : o->arg);
}

/* The option's keys in the file, with `between` between them; "" when it has none. */
static void option_keys(const pt_option *o, const char *between, char *out, size_t size) {
    const char *both = o->key && o->topic_key ? between : "";
    (void)snprintf(out, size, "%s%s%s%s", o->key ? o->key : "", both, o->topic_key ? "topics." : "",
                   o->topic_key ? o->topic_key : "");
}

/* The text and, in brackets, the variable and the keys. */
static void option_text(const pt_option *o, char *out, size_t size) {
    char keys[100];
    option_keys(o, ", ", keys, sizeof keys);
    (void)snprintf(out, size, "%s [%s%s%s]", o->help, pt_option_variable(o).text, *keys ? ", " : "",
                   keys);
}

#define HELP_WIDTH  80
#define HELP_COLUMN 30 /* where the texts of options begin */

/* Words from `column` on, in lines that fit HELP_WIDTH; further lines begin at `indent`. What is at
 * the front of a line keeps its spaces. */
static void print_wrapped(const char *text, size_t column, size_t indent) {
    bool begun = false;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " \n");
        size_t wide = 0;
        for (size_t i = 0; i < n; i++) {
            wide += ((unsigned char)p[i] & 0xC0) != 0x80;
        }
        if (begun && column + 1 + wide > HELP_WIDTH) {
            printf("\n%*s", (int)indent, "");
            column = indent;
            begun = false;
        }
        printf("%s%.*s", begun ? " " : "", (int)n, p);
        column += wide + begun;
        begun = true;
        p += n;
        if (*p == '\n' && p > text &&
            p[-1] == '.') { /* the texts of the notes are broken where their lines are full */
            printf("\n%*s", (int)indent, "");
            column = indent;
            begun = false;
            p++;
        }
        p += strspn(p, " \n");
    }
    printf("\n");
}

void pt_help(const pt_command *command) {
    char usage[100];
    int usage_len = snprintf(usage, sizeof usage, "usage: pintail %s ", command->name);
    printf("pintail %s: ", command->name);
    print_wrapped(command->summary, strlen("pintail : ") + strlen(command->name), 4);
    printf("\n%s", usage);
    print_wrapped(command->usage, (size_t)usage_len, 4);
    printf("\n");
    for (size_t i = 0; i < command->n_options; i++) {
        char head[160];
        char text[1024];
        option_head(&command->options[i], head, sizeof head);
        option_text(&command->options[i], text, sizeof text);
        if (strlen(head) > HELP_COLUMN - 3) {
            printf("  %s\n%*s", head, HELP_COLUMN, "");
        } else {
            printf("  %-*s", HELP_COLUMN - 2, head);
        }
        print_wrapped(text, HELP_COLUMN, HELP_COLUMN);
    }
    printf("  %-*s%s\n", HELP_COLUMN - 2, "-h, --help", "this help");
    if (command->notes) {
        printf("\n");
        print_wrapped(command->notes, 0, 0);
    }
    if (command == &pt_command_ingest) {
        printf("\nerror codes of dead letters:\n");
        for (int code = PT_DECODE_OK + 1; code < PT_DECODE_CODES; code++) {
            printf("  %-*s", HELP_COLUMN - 2, pt_decode_code_name((pt_decode_code)code));
            print_wrapped(pt_decode_code_help((pt_decode_code)code), HELP_COLUMN, HELP_COLUMN);
        }
    }
    printf("\n");
    print_wrapped(SOURCES, 0, 0);
    printf("\n");
    print_wrapped("exit codes: " EXIT_CODES, 0, 4);
}

/* A cell of a Markdown table. */
static void cell(const char *text) {
    for (const char *p = text; *p; p++) {
        printf(*p == '|' ? "\\|" : "%c", *p);
    }
}

static void markdown_option(const pt_option *o) {
    char head[160];
    char keys[100];
    option_head(o, head, sizeof head);
    option_keys(o, "`, `", keys, sizeof keys);
    printf("| `");
    cell(head + strspn(head, " "));
    printf("` | ");
    cell(o->help);
    printf(" | `%s` | %s%s%s |\n", pt_option_variable(o).text, *keys ? "`" : "", keys,
           *keys ? "`" : "");
}

void pt_help_markdown(void) {
    printf("# Command line\n\nMade by `pintail help --markdown` from the tables that the parser "
           "uses.\n\n");
    print_wrapped("A value comes from the flag, else from the variable, else from the file of "
                  "--config, else it is the default. An empty variable is as none. The variable of "
                  "a repeatable option holds one entry a line; names of topics may be separated by "
                  "commas, too, and SQL is taken whole. A variable says true, false, 1 or 0 for a "
                  "flag. Variables that no option has are ignored.",
                  0, 0);
    for (size_t c = 0; pt_commands[c]; c++) {
        const pt_command *command = pt_commands[c];
        printf("\n## pintail %s\n\n%s\n\n    pintail %s %s\n\n"
               "| option | | variable | key in the file |\n| --- | --- | --- | --- |\n",
               command->name, command->summary, command->name, command->usage);
        for (size_t i = 0; i < command->n_options; i++) {
            markdown_option(&command->options[i]);
        }
        if (command->notes) {
            printf("\n```\n%s\n```\n", command->notes);
        }
    }
    printf("\n## Error codes of dead letters\n\n| error_code | |\n| --- | --- |\n");
    for (int code = PT_DECODE_OK + 1; code < PT_DECODE_CODES; code++) {
        printf("| `%s` | %s |\n", pt_decode_code_name((pt_decode_code)code),
               pt_decode_code_help((pt_decode_code)code));
    }
    printf("\nExit codes: " EXIT_CODES ".\n");
}

static void roff(const char *text) {
    for (const char *p = text; *p; p++) {
        if (*p == '-') {
            printf("\\-");
        } else if (*p == '\\') {
            printf("\\e");
        } else if ((*p == '.' || *p == '\'') && (p == text || p[-1] == '\n')) {
            printf("\\&%c", *p);
        } else {
            putchar(*p);
        }
    }
}

void pt_help_man(void) {
    printf(".TH PINTAIL 1 \"\" \"pintail %s\"\n.SH NAME\npintail \\- Kafka topics into a DuckLake, "
           "each record exactly once\n",
           PT_VERSION);
    printf(".SH SYNOPSIS\n.B pintail\n.I command\n[options]\n.SH DESCRIPTION\n");
    roff(SOURCES);
    printf("\n");
    for (size_t c = 0; pt_commands[c]; c++) {
        const pt_command *command = pt_commands[c];
        printf(".SH PINTAIL %s\n", command->name);
        roff(command->summary);
        printf("\n.PP\n");
        roff(command->usage);
        printf("\n");
        for (size_t i = 0; i < command->n_options; i++) {
            char text[1024];
            option_head(&command->options[i], text, sizeof text);
            printf(".TP\n.B ");
            roff(text + strspn(text, " "));
            printf("\n");
            option_text(&command->options[i], text, sizeof text);
            roff(text);
            printf("\n");
        }
        if (command->notes) {
            printf(".PP\n.nf\n");
            roff(command->notes);
            printf("\n.fi\n");
        }
    }
    printf(".SH ERROR CODES OF DEAD LETTERS\n");
    for (int code = PT_DECODE_OK + 1; code < PT_DECODE_CODES; code++) {
        printf(".TP\n.B %s\n", pt_decode_code_name((pt_decode_code)code));
        roff(pt_decode_code_help((pt_decode_code)code));
        printf("\n");
    }
    printf(".SH EXIT STATUS\n" EXIT_CODES "\n");
}

void pt_help_log_events(void) {
    printf("# Log events\n\nMade by `pintail help --log-events` from the table of events.\n\n");
    print_wrapped("A log line has time (UTC), level, msg and the keys below. msg is the event. The "
                  "form is logfmt, or with --log-format json a JSON object a line. --verbose shows "
                  "debug. Names and keys stay as they are, or CHANGELOG says what is new.",
                  0, 0);
    printf("\n");
    print_wrapped("An error that ends the process is `pintail COMMAND: text`, or with --log-format "
                  "json a line of level error with the text as msg, command and exit_code.",
                  0, 0);
    printf("\n| msg | level | keys | |\n| --- | --- | --- | --- |\n");
    for (const pt_log_event *e = pt_log_events; e->name; e++) {
        printf("| `%s` | %s | %s%s%s | %s |\n", e->name, e->level, *e->keys ? "`" : "", e->keys,
               *e->keys ? "`" : "", e->meaning);
    }
}
