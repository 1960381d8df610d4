/* SQL text into statements, each with the line it begins on; text may come in pieces (a pipe, a
 * prompt).
 *
 * Knows what may hide a semicolon, as DuckDB's lexer does: 'text' (and E'text' with backslashes),
 * "name", $tag$text$tag$, -- comments and nested block comments. Owned by one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

#define PT_SQL_STATEMENT_MAX ((size_t)64 << 20) /* bytes of one statement */

typedef struct pt_sql_splitter {
    pt_text buffer;
    size_t at;         /* scanned up to here */
    size_t start;      /* first token of the statement being scanned, PT_SQL_NONE before it */
    size_t line;       /* of `at`, from 1 */
    size_t start_line; /* of `start` */
    int state;
    size_t depth;        /* of block comments */
    size_t comment;      /* where the outermost one began */
    size_t tag, tag_len; /* of the dollar quote, both $ included */
    pt_text statement;   /* the last one given out */
} pt_sql_splitter;

typedef struct pt_sql_statement {
    const char
        *text; /* without comments before it and without the semicolon; valid until the next call */
    size_t line; /* of its first word, from 1 */
} pt_sql_statement;

void pt_sql_splitter_init(pt_sql_splitter *splitter);
void pt_sql_splitter_clear(pt_sql_splitter *splitter);
/* Forgets the unfinished statement; lines count from 1 again. */
void pt_sql_splitter_reset(pt_sql_splitter *splitter);

/* PT_E_DATA for a NUL byte or a statement that is too long. */
int pt_sql_splitter_add(pt_sql_splitter *splitter, const char *data, size_t len,
                        pt_error *err) PT_CHECKED;
/* The next statement, if there is a whole one; at the end of input the rest counts as one. */
int pt_sql_splitter_next(pt_sql_splitter *splitter, bool end, bool *found, pt_sql_statement *out,
                         pt_error *err) PT_CHECKED;
/* A statement, a quote or a comment has begun and not ended. */
bool pt_sql_splitter_open(const pt_sql_splitter *splitter);
