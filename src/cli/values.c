#include "cli/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/help.h"
#include "config/load.h"

static const pt_option *option_named(const pt_option_values *s, const char *name) {
    return pt_option_find(s->command, name);
}

static size_t index_of(const pt_option_values *s, const pt_option *o) {
    return (size_t)(o - s->command->options);
}

static pt_string_list *list_of(const pt_option *o, void *args) {
    return (pt_string_list *)(void *)((char *)args + o->offset);
}

/* ---- places in messages ---- */

pt_source pt_values_source(const pt_option_values *s, const char *name) {
    const pt_option *o = option_named(s, name);
    return o ? s->sources[index_of(s, o)] : PT_FROM_DEFAULT;
}

bool pt_values_given(const pt_option_values *s, const char *name) {
    return pt_values_source(s, name) != PT_FROM_DEFAULT;
}

bool pt_values_weaker(const pt_option_values *s, const char *b, const char *a) {
    return pt_values_source(s, b) < pt_values_source(s, a);
}

pt_value_place pt_values_line(const pt_option_values *s, const char *key) {
    pt_value_place place;
    (void)snprintf(place.text, sizeof place.text, "config %.400s line %zu", s->file->path,
                   pt_config_line_of(s->file, key));
    return place;
}

pt_value_place pt_values_place(const pt_option_values *s, const char *name) {
    const pt_option *o = option_named(s, name);
    pt_value_place place;
    pt_source source = o ? s->sources[index_of(s, o)] : PT_FROM_DEFAULT;
    if (source == PT_FROM_FILE) {
        (void)snprintf(place.text, sizeof place.text, "config %.400s line %zu: %.60s",
                       s->file->path, s->lines[index_of(s, o)], o->key);
    } else if (source == PT_FROM_VARIABLE) {
        (void)snprintf(place.text, sizeof place.text, "%s", pt_option_variable(o).text);
    } else {
        (void)snprintf(place.text, sizeof place.text, "--%s", name);
    }
    return place;
}

/* ---- lists ---- */

/* A copy that lives as long as the values. */
static const char *keep(pt_option_values *s, char *text) {
    char **grown = text ? realloc(s->texts, (s->n_texts + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(text);
        return NULL;
    }
    s->texts = grown;
    return s->texts[s->n_texts++] = text;
}

static int add_entry(pt_option_values *s, const pt_option *o, char *entry, pt_string_list *list,
                     pt_error *err) {
    const char *kept = keep(s, entry);
    if (!kept) {
        return pt_fail_nomem(err, "a list");
    }
    if (list->n == PT_LIST_MAX) {
        return pt_fail(err, PT_E_USAGE, "more than %d entries", PT_LIST_MAX);
    }
    list->items[list->n++] = kept;
    return o->check ? o->check(kept, list, err) : PT_OK;
}

/* The entries of a variable. */
static int split(pt_option_values *s, const pt_option *o, const char *text, pt_string_list *list,
                 pt_error *err) {
    if (o->list == PT_LIST_WHOLE) {
        return add_entry(s, o, strdup(text), list, err);
    }
    bool names = o->list == PT_LIST_NAMES;
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, names ? ",\n\r" : "\n\r");
        const char *next = at + len + (at[len] != '\0');
        if (names) {
            size_t blank = strspn(at, " \t");
            blank = blank < len ? blank : len;
            at += blank;
            len -= blank;
            while (len && (at[len - 1] == ' ' || at[len - 1] == '\t')) {
                len--;
            }
        }
        if (len) {
            PT_TRY(add_entry(s, o, strndup(at, len), list, err));
        }
        at = next;
    }
    return PT_OK;
}

/* Entries of a stronger source come last, so that they win; where the list does not add they stand
 * alone. */
static int put_before(const pt_option *o, const pt_string_list *weaker, void *args, pt_error *err) {
    pt_string_list *list = list_of(o, args);
    if (list->n + weaker->n > PT_LIST_MAX) {
        return pt_fail(err, PT_E_USAGE, "more than %d entries, with those of the other sources",
                       PT_LIST_MAX);
    }
    memmove(list->items + weaker->n, list->items, list->n * sizeof *list->items);
    memcpy(list->items, weaker->items, weaker->n * sizeof *list->items);
    list->n += weaker->n;
    return PT_OK;
}

/* ---- the variables ---- */

static int store_variable(pt_option_values *s, const pt_option *o, const char *text, void *args,
                          pt_error *err) {
    if (o->kind == PT_OPT_LIST) {
        pt_string_list entries = {.n = 0};
        PT_TRY(split(s, o, text, &entries, err));
        return put_before(o, &entries, args, err);
    }
    if (o->kind == PT_OPT_FLAG) {
        text = strcmp(text, "1") == 0 ? "true" : strcmp(text, "0") == 0 ? "false" : text;
    }
    return pt_option_store(o, text, args, err);
}

static int take_variables(pt_option_values *s, void *args, pt_error *err) {
    for (size_t i = 0; i < s->command->n_options; i++) {
        const pt_option *o = &s->command->options[i];
        pt_variable_name name = pt_option_variable(o);
        const char *text = getenv(name.text);
        if (!text || !*text || (s->sources[i] != PT_FROM_DEFAULT && !o->adds)) {
            continue;
        }
        if (store_variable(s, o, text, args, err) != PT_OK) {
            return pt_fail_in(err, "%s", name.text);
        }
        s->sources[i] = s->sources[i] == PT_FROM_DEFAULT ? PT_FROM_VARIABLE : s->sources[i];
    }
    return PT_OK;
}

/* ---- the file ---- */

static bool takes_file(const pt_command *command) {
    return pt_option_find(command, "config") != NULL;
}

static bool has_key(const pt_config_key *keys, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_option_keys(const pt_option *o, pt_file_keys *out) {
    if (o->key && out->n < PT_OPTIONS_MAX - 1 && !has_key(out->keys, out->n, o->key)) {
        out->keys[out->n++] = (pt_config_key){.name = o->key,
                                              .kind = o->pairs                 ? PT_CONFIG_PAIRS
                                                      : o->kind == PT_OPT_LIST ? PT_CONFIG_LIST
                                                                               : PT_CONFIG_VALUE,
                                              .null_is_text = o->null_is_text,
                                              .may_be_blank = o->may_be_blank};
    }
    if (o->topic_key && out->n_topic_keys < PT_OPTIONS_MAX &&
        !has_key(out->topic_keys, out->n_topic_keys, o->topic_key)) {
        out->topic_keys[out->n_topic_keys++] = (pt_config_key){.name = o->topic_key,
                                                               .kind = PT_CONFIG_VALUE,
                                                               .required = strcmp(o->topic_key,
                                                                                  "topic") == 0,
                                                               .may_be_blank = o->may_be_blank};
    }
}

void pt_values_keys(pt_file_keys *out, bool needs_topics) {
    *out = (pt_file_keys){.n = 0};
    for (size_t c = 0; pt_commands[c]; c++) {
        for (size_t i = 0; takes_file(pt_commands[c]) && i < pt_commands[c]->n_options; i++) {
            add_option_keys(&pt_commands[c]->options[i], out);
        }
    }
    out->keys[out->n++] = (pt_config_key){.name = "topics",
                                          .kind = PT_CONFIG_ENTRIES,
                                          .required = needs_topics,
                                          .entry = out->topic_keys,
                                          .n_entry = out->n_topic_keys};
}

/* The entries of a list or of pairs, in the order of the file. */
static int store_entries(pt_option_values *s, const pt_option *o, void *args, pt_error *err) {
    pt_string_list entries = {.n = 0};
    size_t len = strlen(o->key);
    for (size_t i = 0; i < s->file->n_values; i++) {
        const pt_config_value *value = &s->file->values[i];
        char *entry;
        if (strncmp(value->key, o->key, len) != 0 || value->key[len] != '.') {
            continue;
        }
        if (asprintf(&entry, "%s%s%s", o->pairs ? value->key + len + 1 : "", o->pairs ? "=" : "",
                     value->text) < 0) {
            return pt_fail_nomem(err, "a list");
        }
        if (add_entry(s, o, entry, &entries, err) != PT_OK) {
            return pt_fail_in(err, "%s: %s", pt_values_line(s, value->key).text, o->key);
        }
    }
    if (put_before(o, &entries, args, err) != PT_OK) {
        return pt_fail_in(err, "%s: %s", pt_values_line(s, o->key).text, o->key);
    }
    return PT_OK;
}

static int take_key(pt_option_values *s, const pt_option *o, void *args, pt_error *err) {
    size_t i = index_of(s, o);
    const pt_config_value *value = o->key ? pt_config_find(s->file, o->key) : NULL;
    if (!value || (s->sources[i] != PT_FROM_DEFAULT && !o->adds)) {
        return PT_OK;
    }
    s->lines[i] = value->line;
    s->sources[i] = s->sources[i] == PT_FROM_DEFAULT ? PT_FROM_FILE : s->sources[i];
    if (o->kind == PT_OPT_LIST) {
        return store_entries(s, o, args, err);
    }
    if (pt_option_store(o, value->text, args, err) != PT_OK) {
        return pt_fail_in(err, "%s", pt_values_place(s, o->name).text);
    }
    return PT_OK;
}

/* Of the flag or the variable; NULL: neither. */
static const char *named_log_format(int argc, char **argv) {
    const char *format = getenv("PINTAIL_LOG_FORMAT");
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--log-format=", 13) == 0) {
            format = argv[i] + 13;
        } else if (strcmp(argv[i], "--log-format") == 0 && i + 1 < argc) {
            format = argv[i + 1];
        }
    }
    return format && *format ? format : NULL;
}

static void take_log_format(const pt_option *o, const void *args) {
    if (o) {
        const int *format = (const int *)(const void *)((const char *)args + o->offset);
        pt_log_setup(PT_LOG_INFO, *format == 1 ? PT_LOG_JSON : PT_LOG_LOGFMT);
    }
}

static int take_file(pt_option_values *s, void *args, pt_error *err) {
    const pt_option *o = option_named(s, "config");
    const char *path = o ? *(const char **)(void *)((char *)args + o->offset) : NULL;
    if (!path) {
        return PT_OK;
    }
    const pt_option *topic = option_named(s, "topic");
    pt_file_keys keys;
    pt_values_keys(&keys, topic && topic->topic_key && !pt_values_given(s, "topic"));
    if (pt_config_load(path, keys.keys, keys.n, &s->file, err) != PT_OK) {
        return pt_values_source(s, "config") == PT_FROM_VARIABLE
                   ? pt_fail_in(err, "%s", pt_option_variable(o).text)
                   : (int)err->code;
    }
    const pt_option *format = option_named(s, "log-format");
    if (format) { /* first: an error in what follows is a JSON line, too */
        PT_TRY(take_key(s, format, args, err));
        take_log_format(format, args);
    }
    for (size_t i = 0; i < s->command->n_options; i++) {
        if (&s->command->options[i] != format) {
            PT_TRY(take_key(s, &s->command->options[i], args, err));
        }
    }
    return PT_OK;
}

/* ---- all of them ---- */

/* The file that the arguments name, whatever else is wrong with them; NULL: none. */
static const char *named_file(const pt_option *o, int argc, char **argv) {
    const char *path = getenv(pt_option_variable(o).text);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : path;
        if (strncmp(argv[i], "--config", 8) == 0 && (!argv[i][8] || argv[i][8] == '=')) {
            path = argv[i][8] ? argv[i] + 9 : next;
        } else if (o->letter && argv[i][0] == '-' && argv[i][1] == o->letter) {
            path = argv[i][2] ? argv[i] + 2 : next;
        }
    }
    return path && *path ? path : NULL;
}

/* The error of a flag or a variable is a JSON line, too, where the file asks for it. */
static void take_log_format_of_file(const pt_option_values *s, int argc, char **argv) {
    const pt_option *o = option_named(s, "config");
    const char *path = o ? named_file(o, argc, argv) : NULL;
    pt_config *file = NULL;
    pt_file_keys keys;
    pt_error err;
    pt_values_keys(&keys, false);
    if (path && pt_config_load(path, keys.keys, keys.n, &file, &err) == PT_OK) {
        const char *format = pt_config_text(file, "log_format");
        if (format && strcmp(format, "json") == 0 && !named_log_format(argc, argv)) {
            pt_log_setup(PT_LOG_INFO, PT_LOG_JSON);
        }
    }
    pt_config_free(&file);
}

static int take_arguments(const pt_command *command, int argc, char **argv, void *args,
                          pt_string_list *files, pt_option_values *s, pt_parsed *parsed,
                          pt_error *err) {
    bool given[PT_OPTIONS_MAX] = {false};
    PT_TRY(pt_options_parse(command, argc, argv, args, files, given, parsed, err));
    for (size_t i = 0; i < command->n_options; i++) {
        s->sources[i] = given[i] ? PT_FROM_FLAG : PT_FROM_DEFAULT;
    }
    return *parsed == PT_PARSED_HELP ? PT_OK : take_variables(s, args, err);
}

int pt_values_take(const pt_command *command, int argc, char **argv, void *args,
                   pt_string_list *files, pt_option_values *s, pt_parsed *parsed, pt_error *err) {
    *s = (pt_option_values){.command = command};
    int code = take_arguments(command, argc, argv, args, files, s, parsed, err);
    if (code != PT_OK) {
        take_log_format_of_file(s, argc, argv);
        return code;
    }
    if (*parsed == PT_PARSED_HELP) {
        pt_help(command);
        return PT_OK;
    }
    take_log_format(option_named(s, "log-format"), args);
    return take_file(s, args, err);
}

void pt_values_clear(pt_option_values *s) {
    for (size_t i = 0; i < s->n_texts; i++) {
        free(s->texts[i]);
    }
    free(s->texts);
    pt_config_free(&s->file);
    *s = (pt_option_values){.command = s->command};
}

void pt_values_take_log_format(int argc, char **argv) {
    const char *format = named_log_format(argc, argv);
    if (format && strcmp(format, "json") == 0) {
        pt_log_setup(PT_LOG_INFO, PT_LOG_JSON);
    }
}
