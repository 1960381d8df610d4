#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
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

/* Edit distance, for "did you mean"; names are short. */
static size_t distance(const char *a, const char *b) {
    size_t row[64];
    size_t n = strlen(b);
    if (n >= 63) {
        return 99;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[n];
}

static int unknown_option(const pt_command *command, const char *arg, pt_error *err) {
    char name[64];
    int len = (int)strcspn(arg, "="); /* the value is not shown: it may be a password */
    (void)snprintf(name, sizeof name, "%.*s", len, arg);
    (void)memmove(name, name + strspn(name, "-"), strlen(name + strspn(name, "-")) + 1);
    const pt_option *best = NULL;
    size_t best_distance = 3;
    for (size_t i = 0; i < command->n_options; i++) {
        size_t d = distance(name, command->options[i].name);
        if (d < best_distance) {
            best = &command->options[i];
            best_distance = d;
        }
    }
    if (best) {
        return pt_fail(err, PT_E_USAGE, "unknown option %.*s; did you mean --%s? (pintail %s --help lists them)", len, arg, best->name, command->name);
    }
    return pt_fail(err, PT_E_USAGE, "unknown option %.*s; pintail %s --help lists the options", len, arg, command->name);
}

static int parse_choice(const pt_option *o, const char *value, int *out, pt_error *err) {
    int index = 0;
    for (const char *p = o->arg; *p; index++) {
        size_t n = strcspn(p, "|");
        if (strlen(value) == n && strncmp(p, value, n) == 0) {
            *out = index;
            return PT_OK;
        }
        p += n + (p[n] == '|');
    }
    return pt_fail(err, PT_E_USAGE, "it takes one of %s, not '%s'", o->arg, value);
}

int pt_option_store(const pt_option *o, const char *value, void *target, pt_error *err) {
    char *field = (char *)target + o->offset;
    switch (o->kind) {
    case PT_OPT_FLAG:
        *(bool *)(void *)field = true;
        return value ? pt_parse_flag(value, (bool *)(void *)field, err) : PT_OK;
    case PT_OPT_STRING:
        *(const char **)(void *)field = value;
        return PT_OK;
    case PT_OPT_LIST: {
        pt_string_list *list = (pt_string_list *)(void *)field;
        if (list->n == PT_LIST_MAX) {
            return pt_fail(err, PT_E_USAGE, "given more than %d times", PT_LIST_MAX);
        }
        list->items[list->n++] = value;
        return PT_OK;
    }
    case PT_OPT_COUNT:
        return pt_parse_count(value, (uint64_t *)(void *)field, err);
    case PT_OPT_REAL: {
        char *end;
        double d = strtod(value, &end);
        if (end == value || *end || !(d >= 0)) {
            return pt_fail(err, PT_E_USAGE, "bad number '%s': write a number that is not negative", value);
        }
        *(double *)(void *)field = d;
        return PT_OK;
    }
    case PT_OPT_SIZE:
        return pt_parse_size(value, (uint64_t *)(void *)field, err);
    case PT_OPT_DURATION:
        return pt_parse_duration(value, (int64_t *)(void *)field, err);
    case PT_OPT_CHOICE:
        return parse_choice(o, value, (int *)(void *)field, err);
    }
    return pt_fail(err, PT_E_INTERNAL, "option kind %d", (int)o->kind);
}

/* The value of option o at argv[*i]: behind '=' or the letter, else the next argument. */
static int take_value(const pt_option *o, const char *attached, int argc, char **argv, int *i, const char **value, pt_error *err) {
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

int pt_options_parse(const pt_command *command, int argc, char **argv, void *target, pt_string_list *files, bool *given,
                     pt_parsed *parsed, pt_error *err) {
    bool only_files = false;
    *parsed = PT_PARSED;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const pt_option *o = NULL;
        const char *attached = NULL;
        if (only_files || arg[0] != '-' || arg[1] == '\0') {
            if (!files) {
                return pt_fail(err, PT_E_USAGE, "unexpected argument '%s'; pintail %s --help shows the usage", arg, command->name);
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
        if (pt_option_store(o, value, target, err) != PT_OK) {
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
    (void)snprintf(out, size, "%s--%s%s%s", letter, o->name, o->kind == PT_OPT_FLAG ? "" : " ", o->kind == PT_OPT_FLAG ? "" : o->arg);
}

/* Help text from column 30 on, lines of at most 110 characters. */
static void print_help_text(const char *text) {
    size_t column = 30;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " ");
        if (column > 30 && column + 1 + n > 110) {
            printf("\n%30s", "");
            column = 30;
        }
        printf("%s%.*s", column > 30 ? " " : "", (int)n, p);
        column += n + (column > 30);
        p += n + strspn(p + n, " ");
    }
    printf("\n");
}

void pt_options_help(const pt_command *command) {
    printf("pintail %s: %s\n\nusage: pintail %s %s\n\n", command->name, command->summary, command->name, command->usage);
    for (size_t i = 0; i < command->n_options; i++) {
        char head[160];
        option_head(&command->options[i], head, sizeof head);
        if (strlen(head) > 27) {
            printf("  %s\n%30s", head, "");
        } else {
            printf("  %-28s", head);
        }
        print_help_text(command->options[i].help);
    }
    printf("  %-28s%s\n", "-h, --help", "this help");
    if (command->notes) {
        printf("\n%s\n", command->notes);
    }
    printf("\nexit codes: 0 done, 1 failed or findings, 2 wrong usage or configuration\n");
}

void pt_options_markdown(void) {
    printf("# Command line\n\nMade by `pintail help --markdown` from the tables that the parser uses.\n");
    for (size_t c = 0; pt_commands[c]; c++) {
        const pt_command *command = pt_commands[c];
        printf("\n## pintail %s\n\n%s\n\n    pintail %s %s\n\n| option | |\n| --- | --- |\n", command->name, command->summary, command->name, command->usage);
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
    printf("\nExit codes: 0 done, 1 failed or findings, 2 wrong usage or configuration.\n");
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
    printf(".TH PINTAIL 1 \"\" \"pintail %s\"\n.SH NAME\npintail \\- Kafka topics into a DuckLake, each record exactly once\n", PT_VERSION);
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
    printf(".SH EXIT STATUS\n0 done, 1 failed or findings, 2 wrong usage or configuration\n");
}

int pt_command_failed(const pt_command *command, const pt_error *err) {
    if (err->code == PT_E_READER_GONE) {
        return pt_exit_code((int)err->code);
    }
    pt_text shown = {0};
    pt_text_add_redacted(&shown, err->text);
    pt_progress(NULL);
    (void)fflush(stdout);
    (void)fprintf(stderr, "pintail %s: %s\n", command->name, shown.failed ? "out of memory, also to say for what" : pt_text_get(&shown));
    pt_text_free(&shown);
    return pt_exit_code((int)err->code);
}
