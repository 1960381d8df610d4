#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pt_text_free(pt_text *text) {
    free(text->data);
    *text = (pt_text){0};
}

void pt_text_clear(pt_text *text) {
    text->len = 0;
    text->failed = false;
    if (text->data) {
        text->data[0] = '\0';
    }
}

const char *pt_text_get(const pt_text *text) {
    return text->data ? text->data : "";
}

static bool reserve(pt_text *text, size_t more) {
    if (text->failed) {
        return false;
    }
    if (text->capacity - text->len > more) {
        return true;
    }
    size_t capacity = text->capacity ? text->capacity : 128;
    while (capacity - text->len <= more) {
        capacity *= 2;
    }
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void pt_text_add_n(pt_text *text, const char *data, size_t len) {
    if (!reserve(text, len)) {
        return;
    }
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void pt_text_add(pt_text *text, const char *string) {
    pt_text_add_n(text, string, strlen(string));
}

void pt_text_addv(pt_text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0 || !reserve(text, (size_t)n)) {
        text->failed = true;
    } else {
        (void)vsnprintf(text->data + text->len, (size_t)n + 1, format, again);
        text->len += (size_t)n;
    }
    va_end(again);
}

void pt_text_addf(pt_text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pt_text_addv(text, format, args);
    va_end(args);
}

static void add_quoted(pt_text *text, const char *string, char quote) {
    pt_text_add_n(text, &quote, 1);
    for (const char *p = string; *p; p++) {
        if (*p == quote) {
            pt_text_add_n(text, &quote, 1);
        }
        pt_text_add_n(text, p, 1);
    }
    pt_text_add_n(text, &quote, 1);
}

void pt_text_add_sql_string(pt_text *text, const char *string) {
    add_quoted(text, string, '\'');
}

void pt_text_add_sql_name(pt_text *text, const char *name) {
    add_quoted(text, name, '"');
}

void pt_text_add_json(pt_text *text, const char *data, size_t len) {
    pt_text_add(text, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\') {
            pt_text_addf(text, "\\%c", c);
        } else if (c == '\n') {
            pt_text_add(text, "\\n");
        } else if (c == '\t') {
            pt_text_add(text, "\\t");
        } else if (c < 0x20) {
            pt_text_addf(text, "\\u%04x", c);
        } else {
            pt_text_add_n(text, &data[i], 1);
        }
    }
    pt_text_add(text, "\"");
}

int pt_text_check(const pt_text *text, pt_error *err) {
    return text->failed ? pt_fail_nomem(err, "a text") : PT_OK;
}
