#include "columns/schema_lex.h"

#include <stdlib.h>
#include <string.h>

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool word_byte(char c) {
    char u = upper(c);
    return (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '_' || (unsigned char)u >= 0x80;
}

/* White space and SQL's comments: to the end of the line behind --, and between slash-star and
 * star-slash (an open one stays, as a bad token). */
static const char *skip_blank(const char *p) {
    for (;;) {
        const char *close = p[0] == '/' && p[1] == '*' ? strstr(p + 2, "*/") : NULL;
        if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
            p++;
        } else if (p[0] == '-' && p[1] == '-') {
            p += strcspn(p, "\n");
        } else if (close) {
            p = close + 2;
        } else {
            return p;
        }
    }
}

void pt_lex_step(pt_lex *lex) {
    const char *p = skip_blank(lex->next);
    lex->at = p;
    if (!*p) {
        lex->kind = PT_LEX_END;
    } else if (*p == '"') {
        lex->at = ++p;
        while (*p && (*p != '"' || p[1] == '"')) {
            p += *p == '"' ? 2 : 1;
        }
        lex->kind = *p ? PT_LEX_QUOTED : PT_LEX_BAD;
        lex->len = (size_t)(p - lex->at);
        lex->next = *p ? p + 1 : p;
        return;
    } else if (*p >= '0' && *p <= '9') {
        lex->kind = PT_LEX_NUMBER;
        while (*p >= '0' && *p <= '9') {
            p++;
        }
    } else if (word_byte(*p)) {
        lex->kind = PT_LEX_WORD;
        while (word_byte(*p)) {
            p++;
        }
    } else {
        lex->kind = strchr("()[],", *p) ? PT_LEX_MARK : PT_LEX_BAD;
        p++;
    }
    lex->len = (size_t)(p - lex->at);
    lex->next = p;
}

void pt_lex_start(pt_lex *lex, const char *text) {
    *lex = (pt_lex){.text = text, .next = text};
    pt_lex_step(lex);
}

bool pt_name_same(const char *a, size_t a_len, const char *b, size_t b_len) {
    if (a_len != b_len) {
        return false;
    }
    for (size_t i = 0; i < a_len; i++) {
        if (upper(a[i]) != upper(b[i])) {
            return false;
        }
    }
    return true;
}

bool pt_lex_is(const pt_lex *lex, const char *word) {
    return lex->kind == PT_LEX_WORD && pt_name_same(lex->at, lex->len, word, strlen(word));
}

bool pt_lex_mark(const pt_lex *lex, char mark) {
    return lex->kind == PT_LEX_MARK && *lex->at == mark;
}

char *pt_lex_name(const pt_lex *lex, size_t *len) {
    char *name = malloc(lex->len + 1);
    if (!name) {
        return NULL;
    }
    size_t n = 0;
    for (size_t i = 0; i < lex->len; i++) {
        name[n++] = lex->at[i];
        if (lex->kind == PT_LEX_QUOTED && lex->at[i] == '"') {
            i++;
        }
    }
    name[n] = '\0';
    *len = n;
    return name;
}

int pt_lex_fail(const pt_lex *lex, pt_error *err, const char *what) {
    if (lex->kind == PT_LEX_END) {
        return pt_fail(err, PT_E_USAGE, "%s, but the text ends", what);
    }
    int shown = lex->len > 40 ? 40 : (int)lex->len;
    return pt_fail(err, PT_E_USAGE, "%s, found '%.*s' at character %zu", what, shown, lex->at,
                   (size_t)(lex->at - lex->text) + 1);
}
