/* What must not be shown becomes ***. Where a text can be read two ways, more is hidden, not less.
 */
#include "base/redact.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPACE   " \t\r\n\f\v"
#define MESSAGE 2048 /* bytes; errors are shorter */

/* Ends of the names of settings whose value is secret. */
static const char *const words[] = {"password",       "passwd",        "passphrase", "pwd",
                                    "secret",         "token",         "credential", "credentials",
                                    "key_id",         "keyid",         "access_key", "accesskey",
                                    "account_key",    "accountkey",    "api_key",    "apikey",
                                    "encryption_key", "authorization", "key.pem",    "signature="};

static size_t secret_word(const char *p) {
    size_t longest = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (n > longest && strncasecmp(p, words[i], n) == 0) {
            longest = n;
        }
    }
    return longest && p[longest - 1] == '=' ? longest - 1 : longest;
}

static bool has_secret_word(const char *text) {
    for (; *text; text++) {
        if (secret_word(text)) {
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

/* From a quote to the one that closes it. Where \' or what follows leaves open which one that is
 * (libpq and SQL differ, and people err): all the rest. */
static size_t quoted_length(const char *p) {
    size_t i = 1;
    for (; p[i]; i++) {
        if (p[i] == '\\' && p[i + 1] == *p) {
            return strlen(p);
        }
        if (p[i] == *p && p[i + 1] == *p) {
            i++;
        } else if (p[i] == *p) {
            bool stop = p[i + 1] == '.' && strchr(SPACE, p[i + 2]);
            return stop || strchr(SPACE ",;:)]}\"", p[i + 1]) ? i + 1 : strlen(p);
        }
    }
    return i;
}

/* Of '...', "...", e'...', u&'...', $tag$...$tag$; 0: no literal begins here. */
static size_t literal_length(const char *p) {
    size_t prefix = 0;
    if (*p && strchr("eExXbB", *p) && p[1] == '\'') {
        prefix = 1;
    } else if ((*p == 'u' || *p == 'U') && p[1] == '&' && p[2] == '\'') {
        prefix = 2;
    } else if (*p == '$') {
        size_t tag = 1;
        while (isalnum((unsigned char)p[tag]) || p[tag] == '_' || (unsigned char)p[tag] >= 0x80) {
            tag++;
        }
        if (p[tag] != '$') {
            return 0;
        }
        for (const char *end = p + tag + 1; (end = strchr(end, '$')) != NULL; end++) {
            if (strncmp(end, p, tag + 1) == 0) {
                return (size_t)(end - p) + tag + 1;
            }
        }
        return strlen(p);
    }
    return p[prefix] == '\'' || p[prefix] == '"' ? prefix + quoted_length(p + prefix) : 0;
}

/* A value as libpq reads it: up to white space, where \ takes the next character along. The quote
 * that closes what the text as a whole stands in, and what follows it, is given back. */
static size_t bare_length(const char *begin, const char *p) {
    size_t n = 0;
    while (p[n] && !strchr(SPACE, p[n])) {
        n += p[n] == '\\' && p[n + 1] ? 2 : 1;
    }
    size_t end = n;
    while (end && strchr(",;:.)]}", p[end - 1])) {
        end--;
    }
    if (end && (p[end - 1] == '"' || p[end - 1] == '\'')) {
        bool open = false;
        for (const char *q = begin; q < p; q++) {
            open ^= *q == p[end - 1];
        }
        return open ? end - 1 : n;
    }
    return n;
}

static size_t value_length(const char *begin, const char *p) {
    if (strncmp(p, "***", 3) == 0 && strchr(SPACE ",;:)]}\"'&@", p[3])) {
        return 3; /* hidden already */
    }
    size_t n = literal_length(p);
    return n ? n : bare_length(begin, p);
}

/* How far it is from behind a secret word to its value; 0: there is none. */
static size_t to_value(const char *p) {
    size_t quote = *p == '"' || *p == '\''; /* that of "password": ... */
    size_t k = quote + strspn(p + quote, SPACE);
    size_t sign = strspn(p + k, "=:>");
    if (sign) {
        return k + sign + strspn(p + k + sign, SPACE);
    }
    if (quote || k == 0) {
        return 0;
    }
    if (strncasecmp(p + k, "to", 2) == 0 && strspn(p + k + 2, SPACE)) {
        k += 2 + strspn(p + k + 2, SPACE);
    }
    return literal_length(p + k) ? k : 0;
}

/* ---- user:password@host ---- */

static const char *behind_prefixes(const char *p) {
    static const char *const prefixes[] = {"ducklake:", "postgres:", "postgresql:", "mysql:",
                                           "sqlite:",   "duckdb:",   "md:",         "quack:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(p, prefixes[i], n) == 0 && strncmp(p + n, "//", 2) != 0) {
            p += n;
            i = (size_t)-1; /* all of them again: ducklake:postgres: */
        }
    }
    size_t scheme = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-_");
    return strncmp(p + scheme, "://", 3) == 0 ? p + scheme + 3 : p;
}

static const char *last_at(const char *p, size_t n) {
    while (n && p[n - 1] != '@') {
        n--;
    }
    return n ? p + n - 1 : NULL;
}

/* In the word that begins at p: from the first colon to the last @, since a password may hold
 * either, and a slash. */
static bool find_userinfo(const char *p, const char **from, const char **to) {
    const char *host = behind_prefixes(p);
    size_t n = strcspn(host, SPACE);
    const char *colon = memchr(host, ':', n);
    *to = last_at(host, n);
    if (!*to && colon && host > p &&
        host[-1] ==
            '/') { /* with a scheme, and no port behind the colon: the password may hold a space */
        size_t digits = strspn(colon + 1, "0123456789");
        bool port = digits && strchr(SPACE "/?,;:)\"'", colon[1 + digits]);
        *to = port ? NULL : strchr(host, '@');
        *to = *to ? last_at(*to, strcspn(*to, SPACE)) : NULL;
        if (!*to && !port && !host[n] &&
            !memchr(host, '/',
                    (size_t)(colon - host))) { /* a message that was cut within the password */
            *to = host + n;
        }
    }
    *from = colon ? colon + 1 : NULL;
    return *to && *from && *from <= *to;
}

/* host name "word@host": of user:pass@word@host libpq takes the rest behind the first @ for the
 * host, and cites it. */
static bool find_cited_host(const char *begin, const char *p, const char **from, const char **to) {
    static const char *const before[] = {"name \"", "at \"", "host \""};
    size_t n = strcspn(p, SPACE "\":=");
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t k = strlen(before[i]);
        if ((size_t)(p - begin) >= k && strncmp(p - k, before[i], k) == 0) {
            *from = p;
            *to = last_at(p, n);
            return *to != NULL;
        }
    }
    return false;
}

/* ---- texts ---- */

void pt_text_add_redacted(pt_text *text, const char *string) {
    const char *from = NULL;
    const char *to = NULL;
    const char *last =
        strrchr(string, '@'); /* behind it there is no user:password@, but for that of a message
                                 that was cut; a statement may be long, and one word */
    bool message = strnlen(string, MESSAGE + 1) <= MESSAGE;
    for (const char *p = string; *p;) {
        const char *f;
        const char *t;
        bool starts = p == string || strchr(SPACE "'\"(,=<[", p[-1]);
        if (starts && (message || (last && p <= last)) &&
            (find_cited_host(string, p, &f, &t) || find_userinfo(p, &f, &t))) {
            from = f;
            to = t;
        }
        if (p == from) {
            pt_text_add(text, "***");
            p = to;
            from = NULL;
            continue;
        }
        size_t word = secret_word(p);
        size_t value = word ? to_value(p + word) : 0;
        if (value) {
            size_t n = value_length(string, p + word + value);
            pt_text_add_n(text, p, word + value);
            pt_text_add(text, n ? "***" : "");
            p += word + value + n;
        } else {
            pt_text_add_n(text, p, 1);
            p++;
        }
    }
}

pt_shown pt_redacted(const char *string) {
    pt_shown shown = {""};
    pt_text text = {0};
    pt_text_add_redacted(&text, string);
    if (text.len && text.data[text.len - 1] == '=') {
        pt_text_add(
            &text,
            "***"); /* an empty password: else what follows in the message would be taken for it */
    }
    (void)snprintf(shown.text, sizeof shown.text, "%s", text.failed ? "***" : pt_text_get(&text));
    pt_text_free(&text);
    return shown;
}

/* ---- statements ---- */

/* A part of a statement: a literal, or the code up to the next one. */
static size_t part_length(const char *p, const char *begin, bool *literal) {
    bool alone = p == begin || !(isalnum((unsigned char)p[-1]) || p[-1] == '_' || p[-1] == '$' ||
                                 (unsigned char)p[-1] >= 0x80);
    size_t n = *p != '"' && (alone || *p == '\'') ? literal_length(p) : 0;
    *literal = n != 0;
    if (n && *p != '$') { /* as SQL reads it, which quoted_length does not always know */
        size_t quote = strcspn(p, "'");
        bool escapes = *p == 'e' || *p == 'E';
        for (n = quote + 1; p[n]; n++) {
            if (escapes && p[n] == '\\' && p[n + 1]) {
                n++;
            } else if (p[n] == '\'' && p[n + 1] == '\'') {
                n++;
            } else if (p[n] == '\'') {
                return n + 1;
            }
        }
        return n;
    }
    if (n) {
        return n;
    }
    if (*p == '"') {
        size_t close = strcspn(p + 1, "\"") + 1;
        return close + (p[close] == '"');
    }
    if (p[0] == '-' && p[1] == '-') {
        return strcspn(p, "\n");
    }
    const char *end = p[0] == '/' && p[1] == '*' ? strstr(p + 2, "*/") : NULL;
    return end ? (size_t)(end - p) + 2 : 1;
}

/* CREATE ... SECRET: there values need no quotes. */
static bool creates_secret(const char *sql) {
    static const char *const before[] = {"create",     "or",        "replace",
                                         "persistent", "temporary", "temp"};
    size_t first = strcspn(sql, SPACE "(");
    if (first != strlen("create") || strncasecmp(sql, "create", first) != 0) {
        return false;
    }
    for (;;) {
        size_t n = strcspn(sql, SPACE "(");
        bool known = false;
        for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
            known |= strlen(before[i]) == n && strncasecmp(sql, before[i], n) == 0;
        }
        if (!known) {
            return n == strlen("secret") && strncasecmp(sql, "secret", n) == 0;
        }
        sql += n + strspn(sql + n, SPACE);
    }
}

/* Code between literals and literals, as the walk over a statement finds them. */
typedef struct walk {
    pt_text *out;
    pt_text code; /* since the last literal */
    bool hide;    /* literals, all of them */
    bool named;   /* a secret word stands outside of literals */
    bool failed;  /* no memory: then all is taken for secret */
} walk;

static void end_code(walk *w) {
    w->named |= has_secret_word(pt_text_get(&w->code));
    if (w->out) {
        pt_text_add_redacted(w->out, pt_text_get(&w->code));
    }
    w->failed |= w->code.failed;
    pt_text_clear(&w->code);
}

static void add_literal(walk *w, const char *p, size_t n) {
    pt_text content = {0};
    pt_text_add_n(&content, p, n);
    const char *text = pt_text_get(&content);
    bool doubled = n > 2 && (memchr(p + 1, '\'', n - 2) ||
                             memchr(p, '\\', n)); /* what is inside cannot be told as it stands */
    if (w->hide || content.failed || (doubled && has_secret_word(text))) {
        pt_text_add(w->out, "'***'");
    } else if (*p == '\'' && n > 1 && p[n - 1] == '\'') {
        content.data[n - 1] = '\0';
        pt_text_add(w->out, "'");
        pt_text_add_redacted(w->out, content.data + 1);
        pt_text_add(w->out, "'");
    } else {
        pt_text_add_redacted(w->out, text);
    }
    pt_text_free(&content);
}

/* Gives back whether the code names a secret. out may be NULL: only to see. */
static bool walk_sql(const char *sql, bool hide, pt_text *out) {
    walk w = {.out = out, .hide = hide};
    for (const char *p = sql; *p;) {
        bool literal;
        size_t n = part_length(p, sql, &literal);
        if (literal) {
            end_code(&w);
            if (w.out) {
                add_literal(&w, p, n);
            }
        } else {
            pt_text_add_n(&w.code, p, n);
        }
        p += n;
    }
    end_code(&w);
    pt_text_free(&w.code);
    if (out && w.failed) {
        out->failed = true;
    }
    return w.named || w.failed;
}

void pt_text_add_redacted_sql(pt_text *text, const char *sql) {
    const char *open = creates_secret(sql) ? strchr(sql, '(') : NULL;
    if (open) {
        pt_text_add_n(text, sql, (size_t)(open - sql) + 1);
        pt_text_add(text, "***)");
        return;
    }
    (void)walk_sql(sql, walk_sql(sql, false, NULL), text);
}

bool pt_sql_is_secret(const char *sql) {
    pt_text shown = {0};
    pt_text_add_redacted_sql(&shown, sql);
    bool secret = shown.failed || has_secret_word(sql) || strcmp(pt_text_get(&shown), sql) != 0;
    pt_text_free(&shown);
    return secret;
}

void pt_redact_cited(char *text) {
    static const char near[] = "near \"";
    char *open = strstr(text, near);
    if (open) {
        open += sizeof near - 1;
        char *close = strrchr(open, '"');
        close = close ? close : open + strlen(open); /* the message was too long, and cut */
        for (size_t i = 0; i < 3 && open < close; i++) {
            *open++ = '*';
        }
        (void)memmove(open, close, strlen(close) + 1);
    }
}
