/* The form of pintail's own tables: which of them there are, with which columns. A lake keeps its
 * form's number in pintail.meta (key 'schema_version'; 'made_by' is the version of pintail that
 * gave it that form). Form 1, of pintail 0.1, has no pintail.meta. Form 2 added leader_epoch,
 * commit_id, lake_snapshot and detail to pintail.offsets. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "duck/engine.h"

#define PT_LEDGER_FORM 2

/* The contract's names and types; also what `pintail check` reads. */
#define PT_LEDGER_COLUMNS                                                                         \
    "pipeline VARCHAR, topic VARCHAR, \"partition\" INTEGER, from_offset BIGINT, next_offset "    \
    "BIGINT, row_count BIGINT, "                                                                  \
    "dead_letter_count BIGINT, epoch BIGINT, cluster_id VARCHAR, topic_id VARCHAR, target_table " \
    "VARCHAR, kind VARCHAR, "                                                                     \
    "committed_at TIMESTAMPTZ, leader_epoch INTEGER, commit_id UUID, lake_snapshot BIGINT, "      \
    "detail VARCHAR"
#define PT_EPOCH_COLUMNS                                                                    \
    "pipeline VARCHAR, topic VARCHAR, \"partition\" INTEGER, epoch BIGINT, owner VARCHAR, " \
    "claimed_at TIMESTAMPTZ"
#define PT_META_COLUMNS "key VARCHAR, value VARCHAR"
#define PT_DEAD_LETTER_COLUMNS                                                                   \
    "topic VARCHAR, \"partition\" INTEGER, \"offset\" BIGINT, timestamp TIMESTAMPTZ, key BLOB, " \
    "value BLOB, "                                                                               \
    "error_code VARCHAR, error_text VARCHAR, error_position BIGINT, ingest_time TIMESTAMPTZ, "   \
    "target_table VARCHAR, "                                                                     \
    "pipeline VARCHAR, headers STRUCT(key VARCHAR, value BLOB)[]"

/* Rows of one INSERT into pintail's own tables at most. DuckLake keeps so many in the catalog
 * (inlining is judged per INSERT) and would write a larger one to a file of its own, which it
 * deletes when a COMMIT seems to have failed, also one that the server has done. */
#define PT_LEDGER_INSERT_ROWS ((size_t)1000)

/* Makes schema pintail and its tables where they are missing; safe when several processes start at
 * once. Tables of an older form stay as they are until a claim. */
int pt_ledger_create(pt_session *session, pt_error *err) PT_CHECKED;

/* PT_E_LAKE: the lake has a form that only a newer pintail knows; the text names its version. A
 * lake without tables of pintail's is right. */
int pt_ledger_check_form(pt_session *session, pt_error *err) PT_CHECKED;

/* Inside a transaction: adds what an older form has not. No DDL when nothing is missing. Refuses
 * like pt_ledger_check_form. */
int pt_ledger_renew_form(pt_session *session, pt_error *err) PT_CHECKED;
