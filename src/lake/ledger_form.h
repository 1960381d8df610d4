/* The form of pintail's own tables: which of them there are, with which columns. A lake keeps its
 * form's number in pintail.meta (key 'schema_version'; 'made_by' is the version of pintail that
 * gave it that form). Form 1, of pintail 0.1, has no pintail.meta. Form 2 added leader_epoch,
 * commit_id, lake_snapshot and detail to pintail.offsets. */
#pragma once

#include "base/error.h"
#include "duck/engine.h"

#define PT_LEDGER_FORM  2
#define PT_META_COLUMNS "key VARCHAR, value VARCHAR"

/* Makes schema pintail and its tables where they are missing; safe when several processes start at
 * once. Tables of an older form stay as they are until a claim. */
int pt_ledger_create(pt_engine *engine, pt_session *session, pt_error *err) PT_CHECKED;

/* PT_E_LAKE: the lake has a form that only a newer pintail knows; the text names its version. A
 * lake without tables of pintail's is right. */
int pt_ledger_check_form(pt_engine *engine, pt_session *session, pt_error *err) PT_CHECKED;

/* Inside a transaction: adds what an older form has not. No DDL when nothing is missing. Refuses
 * like pt_ledger_check_form. */
int pt_ledger_renew_form(pt_engine *engine, pt_session *session, pt_error *err) PT_CHECKED;
