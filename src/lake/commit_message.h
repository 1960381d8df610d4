/* What a commit of pintail's says of itself in the lake: author, a message for people, and
 * extra_info, a JSON object for programs. lake.snapshots() shows them. A lake with the option
 * require_commit_message takes no commit without one, so every transaction of pintail's that writes
 * has one. Inside the transaction. */
#pragma once

#include "base/text.h"
#include "duck/engine.h"

/* extra: a JSON object. */
int pt_message_set(pt_session *session, const char *message, const char *extra,
                   pt_error *err) PT_CHECKED;

/* Of tables that are made, and of what is done to one. pipeline may be NULL; verb as in "makes
 * table". */
int pt_message_table(pt_session *session, const char *pipeline, const char *verb, const char *table,
                     pt_error *err) PT_CHECKED;

/* ---- for the messages that other files put together ---- */

/* Partitions that extra_info names at most: some 80 KB; the ledger has all of them. */
#define PT_MESSAGE_PARTITIONS 1000

/* Begins the JSON object of a commit that no row of the ledger speaks of: a new commit_id, and the
 * pipeline, if it is of one (not NULL). */
int pt_message_begin(pt_session *session, pt_text *extra, const char *pipeline,
                     pt_error *err) PT_CHECKED;
/* A key and its value, a text. */
void pt_message_add(pt_text *extra, const char *separator, const char *key, const char *value);
/* Sets the message; both texts are empty afterwards, whatever comes of it. */
int pt_message_end(pt_session *session, pt_text *message, pt_text *extra, pt_error *err) PT_CHECKED;
