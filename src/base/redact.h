/* Texts without the passwords, keys and tokens that stand in them: for anything that is shown or
 * logged. Hidden parts are shown as ***. */
#pragma once

#include <stdbool.h>

#include "base/text.h"

/* A message or a connection string. Hidden are the values of password=, secret, token, key_id and
 * the like, and the password of user:password@host. A second pass changes nothing. */
void pt_text_add_redacted(pt_text *text, const char *string);

/* A statement: where it names a secret, none of its literals is shown. */
void pt_text_add_redacted_sql(pt_text *text, const char *sql);

/* Whether a statement may hold a secret. */
bool pt_sql_is_secret(const char *sql);

/* syntax error at or near "...": cites a part of the statement as it stands; shortened in place. */
void pt_redact_cited(char *text);

typedef struct pt_shown {
    char text[400];
} pt_shown;

/* The text of --lake, and other words that end where they end: to be put into a message, as
 * pt_redacted(lake).text, since in the message nobody could tell any more where they do. */
pt_shown pt_redacted(const char *string);
