#include "cli/sql/statement_error.h"

#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "base/shown.h"
#include "base/text.h"
#include "duck/failure.h"

#define PT_SHOWN_LINES 12
#define PT_SHOWN_BYTES 1000

/* DuckDB's message without the "LINE 2: ... ^" picture below it, the white space made single; of
 * the picture the line is kept. */
int pt_sql_failed(const char *message, bool secret, pt_error *err) {
    message = message ? message : "DuckDB gave no reason";
    const char *picture = pt_message_picture(message);
    size_t len = picture ? (size_t)(picture - message) : strlen(message);
    pt_text line = {0};
    for (size_t i = 0; i < len; i++) {
        bool space = message[i] == ' ' || message[i] == '\n' || message[i] == '\r' ||
                     message[i] == '\t';
        if (!space) {
            pt_text_add_n(&line, &message[i], 1);
        } else if (line.len && line.data[line.len - 1] != ' ') {
            pt_text_add(&line, " ");
        }
    }
    if (secret && line.len) {
        pt_redact_cited(line.data);
        line.len = strlen(line.data);
    }
    long at = picture ? strtol(picture + strlen("\n\nLINE "), NULL, 10) : 0;
    if (at > 1) {
        pt_text_addf(&line, " (in line %ld of the statement)", at);
    }
    int code = pt_fail(err, pt_lake_failure(message), "%s", pt_text_get(&line));
    pt_error_because(err, pt_failure_reasons(message));
    pt_text_free(&line);
    return code;
}

void pt_sql_show_statement(FILE *out, const char *sql) {
    pt_text redacted = {0}, shown = {0};
    pt_text_add_redacted_sql(&redacted, sql);
    pt_text_add_shown(&shown, pt_text_get(&redacted), redacted.len, "\n\t\r");
    pt_text_free(&redacted);
    const char *p = pt_text_get(&shown);
    size_t bytes = 0;
    for (size_t lines = 0; *p; lines++) {
        size_t n = strcspn(p, "\n");
        if (lines == PT_SHOWN_LINES || bytes + n > PT_SHOWN_BYTES) {
            size_t some = lines == PT_SHOWN_LINES ? 0 : PT_SHOWN_BYTES - bytes;
            while (some && ((unsigned char)p[some] & 0xC0) == 0x80) {
                some--; /* not in the middle of a character */
            }
            (void)fprintf(out, "    %.*s...\n", (int)some, p);
            break;
        }
        (void)fprintf(out, "    %.*s\n", (int)(n && p[n - 1] == '\r' ? n - 1 : n), p);
        bytes += n;
        p += n + (p[n] == '\n');
    }
    pt_text_free(&shown);
}
