#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"

static const pt_option *find_short(const pt_command *command, char letter) {
    for (size_t i = 0; i < command->n_options; i++) {
        if (command->options[i].letter == letter) {
            return &command->options[i];
        }
    }
    return NULL;
}

/* --X is -X, too. */
static const pt_option *find_long(const pt_command *command, const char *name, size_t len) {
    for (size_t i = 0; i < command->n_options; i++) {
        const pt_option *o = &command->options[i];
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return len == 1 ? find_short(command, *name) : NULL;
}

const pt_option *pt_option_find(const pt_command *command, const char *name) {
    return strlen(name) > 1 ? find_long(command, name, strlen(name)) : NULL;
}

pt_variable_name pt_option_variable(const pt_option *o) {
    pt_variable_name name;
    (void)snprintf(name.text, sizeof name.text, "%s%s", o->variable ? "" : "PINTAIL_",
                   o->variable ? o->variable : o->name);
    for (char *p = name.text; *p; p++) {
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    }
    return name;
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

static int take_file(const pt_command *command, const char *arg, pt_string_list *files,
                     pt_error *err) {
    if (!files) {
        return pt_fail(err, PT_E_USAGE,
                       "unexpected argument '%s'; pintail %s --help shows the usage", arg,
                       command->name);
    }
    if (files->n == PT_LIST_MAX) {
        return pt_fail(err, PT_E_USAGE, "more than %d files", PT_LIST_MAX);
    }
    files->items[files->n++] = arg;
    return PT_OK;
}

/* The option at argv[*i], with its value. */
static int take_option(const pt_command *command, int argc, char **argv, int *i, void *args,
                       bool *given, pt_error *err) {
    const char *arg = argv[*i];
    const pt_option *o;
    const char *attached;
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
    PT_TRY(take_value(o, attached, argc, argv, i, &value, err));
    if (pt_option_store(o, value, args, err) != PT_OK) {
        return pt_fail_in(err, "--%s", o->name);
    }
    if (given) {
        given[o - command->options] = true;
    }
    return PT_OK;
}

int pt_options_parse(const pt_command *command, int argc, char **argv, void *args,
                     pt_string_list *files, bool *given, pt_parsed *parsed, pt_error *err) {
    bool only_files = false;
    *parsed = PT_PARSED;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (only_files || arg[0] != '-' || arg[1] == '\0') {
            PT_TRY(take_file(command, arg, files, err));
        } else if (strcmp(arg, "--") == 0) {
            only_files = true;
        } else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            *parsed = PT_PARSED_HELP;
            return PT_OK;
        } else {
            PT_TRY(take_option(command, argc, argv, &i, args, given, err));
        }
    }
    return PT_OK;
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
