/* Taking over partitions: whoever owned them before can commit nothing more. */
#pragma once

#include "duck/engine.h"
#include "lake/identity.h"
#include "lake/ledger.h"
#include "lake/turnstile.h"

/* Raises the epochs of the partitions and comments the ledger, in one transaction. The comment
 * conflicts with every commit of an earlier owner that is under way, and an earlier owner that
 * commits later finds the higher epoch (lake/gate.h). While others are in the way it tries again,
 * each time in its turn at the turnstile (NULL: there is none). Fills the epoch of each claim.
 * starts: NULL, partitions begin at their first offset. tables: which tables the pipeline fills,
 * where the lake has no such note yet; NULL: none. */
int pt_claims_raise(pt_session *session, pt_turnstile *turnstile, const char *pipeline,
                    const char *owner, pt_claim *claims, size_t n_claims,
                    const pt_ledger_starts *starts, const pt_identities *tables,
                    pt_error *err) PT_CHECKED;
