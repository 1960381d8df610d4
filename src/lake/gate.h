/* What a commit's transaction looks at before it writes: is the lake still the one that this
 * process knows?
 *
 * A COMMIT fails when any snapshot came since the transaction's first statement on the lake. So
 * what is seen here still holds when the COMMIT succeeds. Numbers are not enough: a catalog that
 * went back (a restored backup, a standby that became the primary) uses the numbers of snapshots
 * and epochs again. So identities are compared: our last commit by its id, our claims by epoch and
 * owner, tables by table_id. */
#pragma once

#include "lake/catalog_ducklake.h"

/* First in the transaction of a flush. *snapshot: that the commit makes. PT_E_FENCED: another
 * process has taken over. PT_E_LAKE_CHANGED: the catalog went back, or a table was altered.
 * PT_E_LAKE: a table is gone. PT_E_LAKE_BUSY: another commit came in between. */
int pt_gate_pass(pt_ducklake *committer, const pt_flush *flush, int64_t *snapshot,
                 pt_error *err) PT_CHECKED;

/* The same look without a flush: our last commit and all claims. Inside a transaction. */
int pt_gate_look(pt_ducklake *committer, pt_error *err) PT_CHECKED;

/* The catalog is a file, and another file has its name now, or none. PT_E_LAKE_DOWN: it has to be
 * attached anew. PT_E_RESTART: this process cannot (DuckDB holds the other one). */
int pt_gate_check_file(const pt_ducklake *committer, pt_error *err) PT_CHECKED;
bool pt_gate_file_replaced(const pt_ducklake *committer);
void pt_gate_note_file(pt_ducklake *committer);

/* All claims are ours, by owner, and their epochs stand where an attempt of ours may have raised
 * them. For a recovery, outside of a transaction. */
int pt_gate_check_owner(pt_ducklake *committer, pt_error *err) PT_CHECKED;

/* PT_E_LAKE_CHANGED, with both positions of the claims: before [n_claims] where they stood, their
 * next_offset where the lake stands. what: what the lake has not any more. */
int pt_gate_went_back(const pt_ducklake *committer, const int64_t *before, const char *what,
                      pt_error *err) PT_CHECKED;
