#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "base/redact.h"
#include "base/text.h"
#include "base/units.h"

static const pt_option *find_long(const pt_command *command, const char *name, size_t len) {
    for (size_t i = 0; i < command->n_options; i++) {
        const pt_option *o = &command->options[i];
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

static const pt_option *find_short(const pt_command *command, char letter) {
    for (size_t i = 0; i < command->n_options; i++) {
        if (command->options[i].letter == letter) {
            return &command->options[i];
        }
    }
    return NULL;
}

static int unknown_option(const pt_command *command, const char *arg, pt_error *err) {
    char name[64];
    pt_nearest nearest;
    int len = (int)strcspn(arg, "="); /* the value is not shown: it may be a password */
    (void)snprintf(name, sizeof name, "%.*s", len, arg);
    (void)memmove(name, name + strspn(name, "-"), strlen(name + strspn(name, "-")) + 1);
    pt_nearest_begin(&nearest, name);
    for (size_t i = 0; i < command->n_options; i++) {
        pt_nearest_offer(&nearest, command->options[i].name);
    }
    return pt_fail(err, PT_E_USAGE, "unknown option %.*s%s; pintail %s --help lists the options",
                   len, arg, pt_nearest_hint(&nearest, "--").text, command->name);
}

static int parse_choice(const pt_option *o, const char *value, int *out, pt_error *err) {
    int index = 0;
    pt_nearest nearest;
    pt_nearest_begin(&nearest, value);
    for (const char *p = o->arg; *p; index++) {
        char choice[64];
        size_t n = strcspn(p, "|");
        (void)snprintf(choice, sizeof choice, "%.*s", (int)n, p);
        pt_nearest_offer(&nearest, choice);
        if (strlen(value) == n && strncmp(p, value, n) == 0) {
            *out = index;
            return PT_OK;
        }
        p += n + (p[n] == '|');
    }
    return pt_fail(err, PT_E_USAGE, "it takes one of %s, not '%s'%s", o->arg, value,
                   pt_nearest_hint(&nearest, "").text);
}

int pt_option_store(const pt_option *o, const char *value, void *table, pt_error *err) {
    char *field = (char *)table + o->offset;
    switch (o->kind) {
    case PT_OPT_FLAG:
        *(bool *)(void *)field = true;
        return value ? pt_parse_flag(value, (bool *)(void *)field, err) : PT_OK;
    case PT_OPT_STRING: *(const char **)(void *)field = value; return PT_OK;
    case PT_OPT_LIST: {
        pt_string_list *list = (pt_string_list *)(void *)field;
        if (list->n == PT_LIST_MAX) {
            return pt_fail(err, PT_E_USAGE, "given more than %d times", PT_LIST_MAX);
        }
        list->items[list->n++] = value;
        return PT_OK;
    }
    case PT_OPT_COUNT: return pt_parse_count(value, (uint64_t *)(void *)field, err);
    case PT_OPT_REAL: {
        char *end;
        double d = strtod(value, &end);
        if (end == value || *end || !(d >= 0)) {
            return pt_fail(err, PT_E_USAGE, "bad number '%s': write a number that is not negative",
                           value);
        }
        *(double *)(void *)field = d;
        return PT_OK;
    }
    case PT_OPT_SIZE: return pt_parse_size(value, (uint64_t *)(void *)field, err);
    case PT_OPT_DURATION: return pt_parse_duration(value, (int64_t *)(void *)field, err);
    case PT_OPT_CHOICE: return parse_choice(o, value, (int *)(void *)field, err);
    }
    return pt_fail(err, PT_E_INTERNAL, "option kind %d", (int)o->kind);
}

/* The value of option o at argv[*i]: behind '=' or the letter, else the next argument. */
static int take_value(const pt_option *o, const char *attached, int argc, char **argv, int *i,
                      const char **value, pt_error *err) {
    if (o->kind == PT_OPT_FLAG) {
        if (attached) {
            return pt_fail(err, PT_E_USAGE, "--%s takes no value", o->name);
        }
        *value = NULL;
    } else if (attached) {
        *value = attached;
    } else if (*i + 1 < argc) {
        *value = argv[++*i];
    } else {
        return pt_fail(err, PT_E_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
    }
    return PT_OK;
}

int pt_options_parse(const pt_command *command, int argc, char **argv, void *table,
                     pt_string_list *files, bool *given, pt_parsed *parsed, pt_error *err) {
    bool only_files = false;
    *parsed = PT_PARSED;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const pt_option *o = NULL;
        const char *attached = NULL;
        if (only_files || arg[0] != '-' || arg[1] == '\0') {
            if (!files) {
                return pt_fail(err, PT_E_USAGE,
                               "unexpected argument '%s'; pintail %s --help shows the usage", arg,
                               command->name);
            }
            if (files->n == PT_LIST_MAX) {
                return pt_fail(err, PT_E_USAGE, "more than %d files", PT_LIST_MAX);
            }
            files->items[files->n++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_files = true;
            continue;
        }
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            pt_options_help(command);
            *parsed = PT_PARSED_HELP;
            return PT_OK;
        }
        if (arg[1] == '-') {
            size_t len = strcspn(arg + 2, "=");
            o = find_long(command, arg + 2, len);
            attached = arg[2 + len] == '=' ? arg + 3 + len : NULL;
        } else {
            o = find_short(command, arg[1]);
            attached = arg[2] ? arg + 2 : NULL;
        }
        if (!o) {
            return unknown_option(command, arg, err);
        }
        const char *value = NULL;
        PT_TRY(take_value(o, attached, argc, argv, &i, &value, err));
        if (pt_option_store(o, value, table, err) != PT_OK) {
            return pt_fail_in(err, "--%s", o->name);
        }
        if (given) {
            given[o - command->options] = true;
        }
    }
    return PT_OK;
}

static void option_head(const pt_option *o, char *out, size_t size) {
    char letter[8] = "    ";
    if (o->letter) {
        (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
    }
    (void)snprintf(out, size, "%s--%s%s%s", letter, o->name, o->kind == PT_OPT_FLAG ? "" : " ",
                   o->kind == PT_OPT_FLAG ? "" : o->arg);
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

void pt_options_help(const pt_command *command) {
    char usage[100];
    int usage_len = snprintf(usage, sizeof usage, "usage: pintail %s ", command->name);
    printf("pintail %s: ", command->name);
    print_wrapped(command->summary, strlen("pintail : ") + strlen(command->name), 4);
    printf("\n%s", usage);
    print_wrapped(command->usage, (size_t)usage_len, 4);
    printf("\n");
    for (size_t i = 0; i < command->n_options; i++) {
        char head[160];
        option_head(&command->options[i], head, sizeof head);
        if (strlen(head) > HELP_COLUMN - 3) {
            printf("  %s\n%*s", head, HELP_COLUMN, "");
        } else {
            printf("  %-*s", HELP_COLUMN - 2, head);
        }
        print_wrapped(command->options[i].help, HELP_COLUMN, HELP_COLUMN);
    }
    printf("  %-*s%s\n", HELP_COLUMN - 2, "-h, --help", "this help");
    if (command->notes) {
        printf("\n");
        print_wrapped(command->notes, 0, 0);
    }
    printf("\n");
    print_wrapped("exit codes: " PT_EXIT_CODES, 0, 4);
}

void pt_options_markdown(void) {
    printf("# Command line\n\nMade by `pintail help --markdown` from the tables that the parser "
           "uses.\n");
    for (size_t c = 0; pt_commands[c]; c++) {
        const pt_command *command = pt_commands[c];
        printf("\n## pintail %s\n\n%s\n\n    pintail %s %s\n\n| option | |\n| --- | --- |\n",
               command->name, command->summary, command->name, command->usage);
        for (size_t i = 0; i < command->n_options; i++) {
            char head[160];
            option_head(&command->options[i], head, sizeof head);
            printf("| `");
            for (const char *p = head + strspn(head, " "); *p; p++) {
                printf(*p == '|' ? "\\|" : "%c", *p);
            }
            printf("` | ");
            for (const char *p = command->options[i].help; *p; p++) {
                printf(*p == '|' ? "\\|" : "%c", *p);
            }
            printf(" |\n");
        }
        if (command->notes) {
            printf("\n```\n%s\n```\n", command->notes);
        }
    }
    printf("\nExit codes: " PT_EXIT_CODES ".\n");
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

void pt_options_man(void) {
    printf(".TH PINTAIL 1 \"\" \"pintail %s\"\n.SH NAME\npintail \\- Kafka topics into a DuckLake, "
           "each record exactly once\n",
           PT_VERSION);
    printf(".SH SYNOPSIS\n.B pintail\n.I command\n[options]\n");
    for (size_t c = 0; pt_commands[c]; c++) {
        const pt_command *command = pt_commands[c];
        printf(".SH PINTAIL %s\n", command->name);
        roff(command->summary);
        printf("\n.PP\n");
        roff(command->usage);
        printf("\n");
        for (size_t i = 0; i < command->n_options; i++) {
            char head[160];
            option_head(&command->options[i], head, sizeof head);
            printf(".TP\n.B ");
            roff(head + strspn(head, " "));
            printf("\n");
            roff(command->options[i].help);
            printf("\n");
        }
        if (command->notes) {
            printf(".PP\n.nf\n");
            roff(command->notes);
            printf("\n.fi\n");
        }
    }
    printf(".SH EXIT STATUS\n" PT_EXIT_CODES "\n");
}

bool pt_options_take_log_format(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *value = strncmp(argv[i], "--log-format=", 13) == 0             ? argv[i] + 13
                            : strcmp(argv[i], "--log-format") == 0 && i + 1 < argc ? argv[i + 1]
                                                                                   : "";
        if (strcmp(value, "json") == 0) {
            pt_log_setup(PT_LOG_INFO, PT_LOG_JSON);
            return true;
        }
    }
    return false;
}

int pt_command_failed_with(const pt_command *command, const pt_error *err, int exit_code) {
    pt_progress(NULL);
    (void)fflush(stdout);
    pt_log_fatal(command->name, err->text, exit_code);
    return exit_code;
}

int pt_command_failed(const pt_command *command, const pt_error *err) {
    int exit_code = pt_exit_code((int)err->code);
    return err->code == PT_E_READER_GONE ? exit_code
                                         : pt_command_failed_with(command, err, exit_code);
}
