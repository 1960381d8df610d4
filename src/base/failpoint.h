/* Failpoints: places where a test build can be made to die, freeze, wait or fail. They are not in a
 * release build.
 *
 *   PINTAIL_FAILPOINT=commit.registered:3:kill    at the third pass of commit.registered: SIGKILL
 * to itself actions: kill, stop (SIGSTOP), sleep-<ms>, fail (the place fails as if its call had),
 * oom (the same, as an allocation) several, separated by commas
 *   PINTAIL_BREAK=epoch-check,continuity         rules that are switched off, to show that a test
 * notices: epoch-check (read inside each transaction), ledger-row (in each transaction), comment (a
 * claim comments the ledger), fence (a claim raises epochs at all), continuity (a flush begins
 * where the last one ended), own-retry (DuckLake itself does not retry a COMMIT), gap-check (a gap
 * after an assignment is asked for once more), open-rarely (DuckDB is opened anew after 500
 * commits; switched off: after 2), fold-rarely (the ledger is folded at 100,000 rows; switched off:
 * at 10), claim-in-rebalance (a rebalance waits a while for its claim; switched off: the read loop
 * finishes each one), guard (files of an INSERT or a fold have second names), staging (else all
 * rows take INSERT), shape-check (the tables of a flush are those that its rows were decoded for),
 * catalog-path (a staged file is named as the catalog spells its folder; else as the system does)
 *
 * The names, in the order of a record's way; tests/e2e/test_crash_matrix.py goes through all of
 * them:
 */
#pragma once

#define PT_FAILPOINTS                                                                           \
    "poll.after", "decode.after", "batch.open", "seal.before", "stage.before", "stage.written", \
        "stage.synced", "commit.begun", "commit.epochs", "insert.before", "commit.registered",  \
        "commit.ledger", "commit.answer", "commit.committed", "batch.lost", "offsets.before",   \
        "fold.begun", "guard.made", "fold.written", "fold.answer", "fold.committed",            \
        "claim.raised", "claim.commented", "claim.committed", "claim.read", "assign.before",    \
        "assign.skip", "assign.after", "revoke.before", "revoke.drained", "recover.attached",   \
        "recover.claimed", "leftovers.before", "open.anew"

#ifdef PINTAIL_WITH_FAILPOINTS
/* 0, or 1 when the place has to fail. Any thread. */
int pt_failpoint(const char *name);
int pt_rule_broken(const char *rule);
#else
#    define pt_failpoint(name_)   0
#    define pt_rule_broken(rule_) 0
#endif
