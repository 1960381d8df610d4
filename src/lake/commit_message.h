/* What a commit of pintail's says of itself in the lake: author, a message for people, and
 * extra_info, a JSON object for programs. lake.snapshots() shows them. A lake with the option
 * require_commit_message takes no commit without one, so every transaction of pintail's that writes
 * has one. Inside the transaction. */
#pragma once

#include "duck/engine.h"
#include "lake/flush.h"

/* extra: a JSON object. */
int pt_message_set(pt_engine *engine, pt_session *session, const char *message, const char *extra,
                   pt_error *err) PT_CHECKED;

/* Of a flush or a reset: commit id, pipeline, and the offsets, rows and dead letters of each
 * partition; of more than 1,000 partitions the first ones, how many are left out, and the sums of
 * all. */
int pt_message_flush(pt_engine *engine, pt_session *session, const char *pipeline,
                     const pt_flush *flush, pt_error *err) PT_CHECKED;

/* Of claims. */
int pt_message_claims(pt_engine *engine, pt_session *session, const char *pipeline,
                      const char *owner, const pt_claim *claims, size_t n,
                      pt_error *err) PT_CHECKED;

/* Of tables that are made, and of what is done to one. pipeline may be NULL; verb as in "makes
 * table". */
int pt_message_table(pt_engine *engine, pt_session *session, const char *pipeline, const char *verb,
                     const char *table, pt_error *err) PT_CHECKED;
