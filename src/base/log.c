#include "base/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/redact.h"
#include "base/shown.h"
#include "base/text.h"

static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards standard error and what follows */
static pt_log_level lowest_level = PT_LOG_INFO;
static pt_log_format line_format = PT_LOG_LOGFMT;
static bool progress_shown;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void pt_log_setup(pt_log_level lowest, pt_log_format format) {
    pthread_mutex_lock(&lock);
    lowest_level = lowest;
    line_format = format;
    pthread_mutex_unlock(&lock);
}

static bool needs_quotes(const char *value, size_t len) {
    pt_text shown = {0};
    pt_text_add_shown(&shown, value, len, "");
    bool changed = shown.failed || shown.len != len;
    pt_text_free(&shown);
    return changed || strpbrk(value, " =\"\\") != NULL;
}

static void add_value(pt_text *line, const char *value) {
    pt_text shown = {0};
    pt_text_add_redacted(&shown, value);
    bool quote = line_format == PT_LOG_JSON || shown.len == 0 ||
                 needs_quotes(pt_text_get(&shown), shown.len);
    if (quote) {
        pt_text_add_json_shown(line, pt_text_get(&shown), shown.len);
    } else {
        pt_text_add(line, pt_text_get(&shown));
    }
    pt_text_free(&shown);
}

static void add_key(pt_text *line, const char *key) {
    pt_text_addf(line, line_format == PT_LOG_JSON ? ",\"%s\":" : " %s=", key);
}

void pt_log_write(pt_log_level level, const pt_log_field *fields) {
    pthread_mutex_lock(&lock);
    if (level < lowest_level) {
        pthread_mutex_unlock(&lock);
        return;
    }
    char now[40];
    pt_format_time(pt_now_us(), now, sizeof now);
    now[10] = 'T';
    now[23] = 'Z';
    now[24] = '\0';
    pt_text line = {0};
    pt_text_addf(&line,
                 line_format == PT_LOG_JSON ? "{\"time\":\"%s\",\"level\":\"%s\""
                                            : "time=%s level=%s",
                 now, level_names[level]);
    for (const pt_log_field *f = fields; f->key; f++) {
        add_key(&line, f->key);
        switch (f->kind) {
        case PT_FIELD_INT: pt_text_addf(&line, "%lld", (long long)f->integer); break;
        case PT_FIELD_REAL: pt_text_addf(&line, "%.3f", f->real); break;
        case PT_FIELD_STR: add_value(&line, f->string ? f->string : ""); break;
        }
    }
    pt_text_add(&line, line_format == PT_LOG_JSON ? "}\n" : "\n");
    if (progress_shown) {
        (void)fputs("\r\033[K", stderr);
        progress_shown = false;
    }
    (void)fputs(line.failed ? "time=? level=error msg=\"no memory for a log line\"\n"
                            : pt_text_get(&line),
                stderr);
    pt_text_free(&line);
    pthread_mutex_unlock(&lock);
}

bool pt_log_is_json(void) {
    pthread_mutex_lock(&lock);
    bool json = line_format == PT_LOG_JSON;
    pthread_mutex_unlock(&lock);
    return json;
}

void pt_log_fatal(const char *command, const char *text, int exit_code) {
    if (pt_log_is_json()) {
        pt_log(PT_LOG_ERROR, PT_EVENT(text), PT_STR("command", command),
               PT_INT("exit_code", exit_code));
        return;
    }
    pt_text redacted = {0}, shown = {0};
    pt_text_add_redacted(&redacted, text);
    pt_text_add_shown(&shown, pt_text_get(&redacted), redacted.len, "");
    shown.failed |= redacted.failed;
    pt_text_free(&redacted);
    (void)fprintf(stderr, "pintail%s%s: %s\n", *command ? " " : "", command,
                  shown.failed ? "out of memory, also to say for what" : pt_text_get(&shown));
    pt_text_free(&shown);
}

int pt_progress_wanted(void) {
    return isatty(STDERR_FILENO);
}

void pt_progress(const char *text) {
    if (!pt_progress_wanted()) {
        return;
    }
    pthread_mutex_lock(&lock);
    if (text || progress_shown) {
        pt_text shown = {0};
        pt_text_add_shown(&shown, text ? text : "", text ? strlen(text) : 0, "");
        (void)fprintf(stderr, "\r\033[K%s", pt_text_get(&shown));
        pt_text_free(&shown);
        (void)fflush(stderr);
    }
    progress_shown = text != NULL;
    pthread_mutex_unlock(&lock);
}
