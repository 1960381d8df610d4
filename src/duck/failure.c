#include "duck/failure.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "duck/http_failure.h"

#define WORDS_MAX 4096 /* of a message, once what it cites is left out */

/* Waiting helps none of these, whatever else the message says. */
static const char *const never[] = {"does not exist",
                                    "permission denied",
                                    "password authentication failed",
                                    "no password supplied",
                                    "no pg_hba.conf entry",
                                    "is not permitted to log in",
                                    "FATAL:  role ",
                                    "FATAL:  database ",
                                    "invalid connection option",
                                    "in connection info string",
                                    "is of DuckLake version" /* lake/settings.c */,
                                    NULL};

/* Nobody answers, has room or may write now. A server that takes only reads is, or was made, a
 * standby: another connection finds the new primary, or this server once it is promoted. */
static const char *const down[] = {
    "Connection refused", "server closed the connection", "could not connect", "Unable to connect",
    "connection to server", "Connection timed out", "SSL connection has been closed",
    "terminating connection", "the database system is", "no connection to the server",
    "Could not establish connection", "Connection error", "timed out", "Connection reset",
    "Broken pipe", "idle-in-transaction timeout", "Lost connection", "server has gone away",
    "could not receive data from server", "could not send data to server", "SSL SYSCALL error",
    "too many clients", "too many connections", "connection slots are reserved",
    "could not translate host name", "in a read-only transaction", "due to conflict with recovery",
    /* disks: strerror, SQLite, PostgreSQL */
    "No space left on device", "Disk quota exceeded", "Input/output error",
    "database or disk is full", "disk I/O error", "could not extend file", NULL};

/* Another writer was quicker, or the server gave up this statement but not the connection: the
 * transaction may be tried again. */
static const char *const busy[] = {
    /* SQLite */
    "database is locked", "database table is locked", "UNIQUE constraint failed",
    /* DuckLake; DuckDB, whose file is a catalog, too */
    "Transaction conflict", "another transaction has", "by another transaction",
    "by a different transaction", "by a concurrent transaction", "write-write conflict",
    "Conflict on tuple deletion", "Conflict on update", "constraint violation: duplicate key",
    "violates primary key constraint",
    /* PostgreSQL */
    "violates unique constraint", "could not serialize access", "deadlock detected",
    "tuple concurrently", "could not obtain lock", "canceling statement due to",
    /* MySQL */
    "Duplicate entry", "Deadlock found", "Lock wait timeout exceeded", NULL};

static bool has_one_of(const char *text, const char *const *phrases) {
    for (; *phrases; phrases++) {
        if (strcasestr(text, *phrases)) {
            return true;
        }
    }
    return false;
}

bool pt_cited_query(const char *m, const char **begin, const char **end) {
    static const char *const citing[] = {"Failed to execute query \"", "Failed to prepare query \"",
                                         "Failed to prepare COPY \"", "Failed to fetch query \""};
    *begin = *end = NULL;
    for (size_t i = 0; i < sizeof citing / sizeof *citing && !*end; i++) {
        const char *query = strstr(m, citing[i]);
        *begin = query ? query + strlen(citing[i]) : NULL;
        for (const char *p = *begin; p && (p = strstr(p, "\":")) != NULL; p++) {
            *end = p;
        }
    }
    return *end != NULL;
}

/* A line in which a server or DuckDB shows a statement or a row. */
static bool cites_line(const char *line) {
    static const char *const heads[] = {"LINE ", "DETAIL:", "HINT:", "CONTEXT:", "QUERY:", NULL};
    for (const char *const *head = heads; *head; head++) {
        if (strncmp(line, *head, strlen(*head)) == 0) {
            return true;
        }
    }
    return false;
}

/* The closing quote of a name or a path that opens at p, or NULL. An apostrophe between letters is
 * none. */
static const char *closing_quote(const char *m, const char *p) {
    if (*p == '"') {
        return strchr(p + 1, '"');
    }
    if (*p != '\'' || (p > m && isalnum((unsigned char)p[-1]))) {
        return NULL;
    }
    const char *end = strchr(p + 1, '\'');
    while (end && isalnum((unsigned char)end[1])) {
        end = strchr(end + 1, '\'');
    }
    return end;
}

/* The message without what stands between quotes, and without lines that cite. */
static void take_words(const char *m, char *out, size_t size) {
    size_t n = 0;
    for (const char *p = m; *p && n + 2 < size; p++) {
        if ((p == m || p[-1] == '\n') && cites_line(p)) {
            p += strcspn(p, "\n");
            if (!*p) {
                break;
            }
        }
        const char *end = closing_quote(m, p);
        if (end) {
            out[n++] = *p;
            p = end;
        }
        out[n++] = *p;
    }
    out[n] = '\0';
}

pt_code pt_lake_failure(const char *message) {
    const char *begin;
    const char *end;
    char words[WORDS_MAX];
    bool cites = pt_cited_query(message, &begin, &end);
    take_words(cites ? end + 2 : message, words, sizeof words);
    if (cites &&
        words[strspn(words, " \n")] == '\0') { /* a connection that is gone has no reason to give,
                                                  as in: Failed to execute query "ROLLBACK": */
        return PT_E_LAKE_DOWN;
    }
    if (strstr(words,
               "has been invalidated")) { /* DuckDB, by an error before: another one does it */
        return PT_E_LAKE_DOWN;
    }
    pt_code http = cites ? PT_OK : pt_object_store_failure(words);
    if (http != PT_OK) {
        return http;
    }
    if (has_one_of(words, never)) {
        return PT_E_LAKE;
    }
    return has_one_of(words, down)   ? PT_E_LAKE_DOWN
           : has_one_of(words, busy) ? PT_E_LAKE_BUSY
                                     : PT_E_LAKE;
}

typedef struct sign {
    const char *phrase;
    unsigned reasons;
} sign;

/* In what the author says himself. */
static const sign in_words[] = {
    {PT_FAILURE_NEW_VALUE, PT_WHY_NEW_VALUE}, {"Out of Memory Error", PT_WHY_MEMORY_LIMIT},
    {"DEFAULT value", PT_WHY_BAD_DEFAULT},    {"within a transaction", PT_WHY_IN_TRANSACTION},
    {"No such file", PT_WHY_NO_FILE},         {"No files found", PT_WHY_NO_FILE},
    {"HTTP 404", PT_WHY_NO_OBJECT},
};

/* Anywhere: the paths that these messages cite may hold quotes. */
static const sign in_message[] = {
    {"database has been invalidated because of a previous fatal error", PT_WHY_ENGINE_INVALID},
    {"does not exist - and creating a new DuckLake is explicitly disabled", PT_WHY_NO_LAKE},
    {"DuckLake catalog version mismatch", PT_WHY_OTHER_VERSION},
    {"Conflicting lock is held", PT_WHY_CATALOG_HELD},
    {"Could not set lock", PT_WHY_CATALOG_HELD},
    {"data_path is not set", PT_WHY_NO_DATA_PATH},
    {"does not match existing data path", PT_WHY_OTHER_DATA_PATH},
    {"DATA_PATH parameter", PT_WHY_OTHER_DATA_PATH},
    {"Failed to initialize DuckLake", PT_WHY_CATALOG_RACED},
    {"Failed to probe DuckLake metadata: Current transaction is aborted", PT_WHY_CATALOG_RACED},
};

unsigned pt_failure_reasons(const char *message) {
    const char *begin;
    const char *end;
    char words[WORDS_MAX];
    take_words(pt_cited_query(message, &begin, &end) ? end + 2 : message, words, sizeof words);
    unsigned reasons = has_one_of(words, never) ? PT_WHY_NO_RECORD : PT_WHY_NONE;
    for (size_t i = 0; i < sizeof in_words / sizeof *in_words; i++) {
        reasons |= strstr(words, in_words[i].phrase) ? in_words[i].reasons : PT_WHY_NONE;
    }
    for (size_t i = 0; i < sizeof in_message / sizeof *in_message; i++) {
        reasons |= strstr(message, in_message[i].phrase) ? in_message[i].reasons : PT_WHY_NONE;
    }
    /* SQLite's lock refuses a COMMIT that it has seen. Any other COMMIT that the catalog was sent
     * may have landed, whatever the message says. */
    bool sent = strstr(message, "query \"COMMIT\"") && !strstr(words, "is locked");
    return sent ? reasons | PT_WHY_COMMIT_SENT : reasons;
}

size_t pt_failure_without_advice(const char *text) {
    const char *advice = strstr(text, "Possible solutions");
    size_t n = advice ? (size_t)(advice - text) : strlen(text);
    while (advice && n && text[n - 1] == ' ') {
        n--;
    }
    return n;
}

const char *pt_failure_names_file(const char *text, const char *prefix) {
    const char *name = strstr(text, prefix);
    return name ? name + strlen(prefix) : NULL;
}

const char *pt_failure_words(const char *text) {
    static const char commit[] = "COMMIT of unknown outcome: "; /* duck/transaction.c */
    const char *begin;
    const char *end;
    const char *words = strncmp(text, commit, strlen(commit)) == 0 ? text + strlen(commit) : text;
    /* the catalog's reason stands behind the statements of the COMMIT, DuckLake's behind its advice
     */
    words = pt_cited_query(words, &begin, &end) ? end : words;
    const char *advice = strstr(words, "ducklake_max_retry_count = ");
    const char *reason = advice ? strchr(advice, '"') : NULL;
    words = reason && reason[strspn(reason, "\": ")] ? reason : words;
    return words + strspn(words, "\": ");
}

const char *pt_message_picture(const char *message) {
    return strstr(message, "\n\nLINE ");
}

bool pt_message_names(const char *message) {
    static const char *const kinds[] = {"Catalog Error", "IO Error", "Binder Error", "HTTP Error",
                                        NULL};
    for (const char *const *kind = kinds; *kind; kind++) {
        if (strncmp(message, *kind, strlen(*kind)) == 0) {
            return true;
        }
    }
    return false;
}

void pt_message_without_values(const char *message, char *out, size_t size) {
    if (!pt_message_names(message)) {
        take_words(message, out, size);
        return;
    }
    const char *picture = pt_message_picture(message);
    size_t n = picture ? (size_t)(picture - message) : strlen(message);
    (void)snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), message);
}
