#include "cli/sql/split.h"

#include <string.h>

#define PT_SQL_NONE ((size_t)-1)

enum { PLAIN, SINGLE, ESCAPED, DOUBLE, DOLLAR, LINE_COMMENT, BLOCK_COMMENT };

void pt_sql_splitter_init(pt_sql_splitter *s) {
    *s = (pt_sql_splitter){.start = PT_SQL_NONE, .line = 1};
}

void pt_sql_splitter_clear(pt_sql_splitter *s) {
    pt_text_free(&s->buffer);
    pt_text_free(&s->statement);
    pt_sql_splitter_init(s);
}

void pt_sql_splitter_reset(pt_sql_splitter *s) {
    pt_text_clear(&s->buffer);
    s->at = 0;
    s->start = PT_SQL_NONE;
    s->line = 1;
    s->state = PLAIN;
}

bool pt_sql_splitter_open(const pt_sql_splitter *s) {
    return s->start != PT_SQL_NONE || (s->state != PLAIN && s->state != LINE_COMMENT);
}

/* Drops what is scanned and belongs to no statement any more. */
static void compact(pt_sql_splitter *s) {
    size_t keep = s->at;
    if (s->start != PT_SQL_NONE) {
        keep = s->start;
    } else if (s->state == BLOCK_COMMENT) {
        keep = s->comment;
    }
    if (keep == 0) {
        return;
    }
    memmove(s->buffer.data, s->buffer.data + keep, s->buffer.len - keep + 1);
    s->buffer.len -= keep;
    s->at -= keep;
    s->comment -= keep;
    s->tag -= keep;
    if (s->start != PT_SQL_NONE) {
        s->start = 0;
    }
}

int pt_sql_splitter_add(pt_sql_splitter *s, const char *data, size_t len, pt_error *err) {
    const char *nul = memchr(data, '\0', len);
    if (nul) {
        return pt_fail(err, PT_E_DATA, "a zero byte in the SQL text; it must be UTF-8");
    }
    compact(s);
    if (s->buffer.len + len > PT_SQL_STATEMENT_MAX) {
        return pt_fail(err, PT_E_DATA, "a statement is longer than %zu MiB; is a quote left open?",
                       PT_SQL_STATEMENT_MAX >> 20);
    }
    pt_text_add_n(&s->buffer, data, len);
    return pt_text_check(&s->buffer, err);
}

static bool name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Length of the dollar quote's tag at p ("$$", "$body$"); 0 when it is none; PT_SQL_NONE when more
 * text must tell. */
static size_t tag_length(const char *p, size_t left, bool end) {
    size_t n = 1;
    while (n < left && name_byte(p[n]) && !(n == 1 && p[n] >= '0' && p[n] <= '9')) {
        n++;
    }
    if (n == left) {
        return end ? 0 : PT_SQL_NONE;
    }
    return p[n] == '$' ? n + 1 : 0;
}

static void begin(pt_sql_splitter *s) {
    if (s->start == PT_SQL_NONE) {
        s->start = s->at;
        s->start_line = s->line;
    }
}

/* E'...': the letter stands alone before the quote. */
static bool is_escape_string(const pt_sql_splitter *s) {
    const char *p = s->buffer.data;
    size_t at = s->at;
    return s->start != PT_SQL_NONE && at > s->start && (p[at - 1] == 'e' || p[at - 1] == 'E') &&
           (at - 1 == s->start || !(name_byte(p[at - 2]) || p[at - 2] == '$'));
}

static void open_quote(pt_sql_splitter *s, int state, size_t length) {
    begin(s);
    s->state = state;
    s->at += length;
}

/* One step outside quotes and comments. False: more text is needed. *whole: a semicolon was
 * reached. */
static bool step_plain(pt_sql_splitter *s, bool end, bool *whole) {
    const char *p = s->buffer.data + s->at;
    size_t left = s->buffer.len - s->at;
    bool mark = *p == '\xef' && s->start == PT_SQL_NONE; /* perhaps a byte order mark */
    if (!end && (((*p == '-' || *p == '/') && left < 2) || (mark && left < 3))) {
        return false;
    }
    if (mark && left >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        s->at += 3;
        return true;
    }
    if (p[0] == '-' && p[1] == '-') {
        s->state = LINE_COMMENT;
        s->at += 2;
    } else if (p[0] == '/' && p[1] == '*') {
        s->state = BLOCK_COMMENT;
        s->depth = 1;
        s->comment = s->at;
        s->at += 2;
    } else if (*p == '\'') {
        open_quote(s, is_escape_string(s) ? ESCAPED : SINGLE, 1);
    } else if (*p == '"') {
        open_quote(s, DOUBLE, 1);
    } else if (*p == '$' && !(s->start != PT_SQL_NONE && s->at > s->start &&
                              (name_byte(p[-1]) || p[-1] == '$'))) {
        size_t n = tag_length(p, left, end);
        if (n == PT_SQL_NONE) {
            return false;
        }
        s->tag = s->at;
        s->tag_len = n;
        if (n) {
            open_quote(s, DOLLAR, n);
        } else {
            begin(s);
            s->at++;
        }
    } else if (*p == ';') {
        s->at++;
        *whole = true;
    } else {
        if (*p == '\n') {
            s->line++;
        } else if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\f' && *p != '\v') {
            begin(s);
        }
        s->at++;
    }
    return true;
}

static bool step_quoted(pt_sql_splitter *s, bool end) {
    const char *p = s->buffer.data + s->at;
    size_t left = s->buffer.len - s->at;
    char quote = s->state == DOUBLE ? '"' : '\'';
    bool pair = (s->state == ESCAPED && *p == '\\') || *p == quote;
    if (pair && left < 2 && !end) {
        return false;
    }
    if (s->state == ESCAPED && *p == '\\') {
        s->line += p[1] == '\n';
        s->at += left < 2 ? 1 : 2;
    } else if (*p == quote && p[1] == quote) {
        s->at += 2;
    } else {
        s->line += *p == '\n';
        s->state = *p == quote ? PLAIN : s->state;
        s->at++;
    }
    return true;
}

static bool step_dollar(pt_sql_splitter *s, bool end) {
    const char *p = s->buffer.data + s->at;
    size_t left = s->buffer.len - s->at;
    if (*p == '$') {
        if (left < s->tag_len && !end) {
            return false;
        }
        if (left >= s->tag_len && memcmp(p, s->buffer.data + s->tag, s->tag_len) == 0) {
            s->state = PLAIN;
            s->at += s->tag_len;
            return true;
        }
    }
    s->line += *p == '\n';
    s->at++;
    return true;
}

static bool step_block_comment(pt_sql_splitter *s, bool end) {
    const char *p = s->buffer.data + s->at;
    if ((*p == '*' || *p == '/') && s->buffer.len - s->at < 2 && !end) {
        return false;
    }
    if (p[0] == '*' && p[1] == '/') {
        s->state = --s->depth ? BLOCK_COMMENT : PLAIN;
        s->at += 2;
    } else if (p[0] == '/' && p[1] == '*') {
        s->depth++;
        s->at += 2;
    } else {
        s->line += *p == '\n';
        s->at++;
    }
    return true;
}

static bool step(pt_sql_splitter *s, bool end, bool *whole) {
    switch (s->state) {
    case PLAIN: return step_plain(s, end, whole);
    case DOLLAR: return step_dollar(s, end);
    case LINE_COMMENT:
        s->state = s->buffer.data[s->at] == '\n' ? PLAIN : LINE_COMMENT;
        s->at += s->state == LINE_COMMENT; /* the line's end is counted outside */
        return true;
    case BLOCK_COMMENT: return step_block_comment(s, end);
    default: return step_quoted(s, end);
    }
}

static int give_out(pt_sql_splitter *s, size_t stop, bool *found, pt_sql_statement *out,
                    pt_error *err) {
    while (stop > s->start && strchr(" \t\r\n\f\v", s->buffer.data[stop - 1])) {
        stop--;
    }
    pt_text_clear(&s->statement);
    pt_text_add_n(&s->statement, s->buffer.data + s->start, stop - s->start);
    s->start = PT_SQL_NONE;
    *found = true;
    *out = (pt_sql_statement){.text = pt_text_get(&s->statement), .line = s->start_line};
    return pt_text_check(&s->statement, err);
}

int pt_sql_splitter_next(pt_sql_splitter *s, bool end, bool *found, pt_sql_statement *out,
                         pt_error *err) {
    *found = false;
    while (s->at < s->buffer.len) {
        bool whole = false;
        if (!step(s, end, &whole)) {
            return PT_OK;
        }
        if (whole && s->start != PT_SQL_NONE) {
            return give_out(s, s->at - 1, found, out, err);
        }
    }
    if (end && s->start == PT_SQL_NONE && s->state == BLOCK_COMMENT) {
        s->start = s->comment; /* never closed: let DuckDB say so */
        s->start_line = s->line;
        s->state = PLAIN;
    }
    if (end && s->start != PT_SQL_NONE) {
        return give_out(s, s->buffer.len, found, out, err);
    }
    return PT_OK;
}
