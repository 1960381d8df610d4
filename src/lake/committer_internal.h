/* What the parts of the committer share: committer.c opens it and knows what is owned, commit.c has
 * the transactions, recover.c what follows when the outcome of one is unknown. */
#pragma once

#include <sys/types.h>

#include "duck/scan.h"
#include "lake/committer.h"
#include "lake/guard_keep.h"
#include "lake/turnstile.h"

struct pt_committer {
    const pt_lake_options *options;
    pt_lake_options again; /* after the first ATTACH: a lake that is gone is not made anew */
    bool opened;           /* it has been attached */
    char *pipeline, *owner;
    pt_table *ledger; /* pintail.offsets, whose rows are folded, too */
    pt_engine *engine;
    pt_session *session;
    pt_scan *scan;
    pt_turnstile
        *turnstile; /* used from the first conflict on: a single writer has no need of it */
    uint64_t conflicts;
    unsigned commits;      /* since DuckDB was opened */
    int64_t last_snapshot; /* of our last commit, as far as the claims are not newer; -1: none */
    char last_id[PT_UUID_SIZE];
    bool all_stood;         /* the epochs of all claims did at the last check */
    int64_t schema_version; /* of the lake when the tables were as we know them; -1: not known */
    dev_t file_device;      /* of the catalog's file; inode 0: it is none */
    ino_t file_inode;
    /* Part i of a flush -> so many rows of an INSERT were seen to stay in the catalog, and so will
     * fewer: DuckLake reads a lake's limits when it attaches it. A look at what an INSERT has done
     * costs half a commit. */
    size_t inlines[PT_SCAN_SLOTS];
    pt_keep keep;                   /* guards of files that are committed */
    const pt_ledger_starts *starts; /* of the next claim; NULL: none */
    const pt_identities *tables;    /* likewise */
    pt_claim *claims; /* [n_claims] what this process owns, topic names owned too; next_offset: what
                         is committed */
    size_t n_claims;
};

/* Opens another DuckDB and attaches the lake to it; detach first. */
int pt_committer_attach(pt_committer *c, pt_error *err) PT_CHECKED;
/* The session is NULL then. */
void pt_committer_detach(pt_committer *c);
/* Attaches anew when it is time for that; nothing may be under way. */
int pt_committer_renew(pt_committer *c, pt_error *err) PT_CHECKED;

/* The flush or fold is committed: its guards stay for a while, and older ones go. What fails there
 * costs no row, and is told. */
void pt_committer_keep_guards(pt_committer *c, pt_flush *flush);

/* NULL: not ours. Valid until the next claim or release. */
pt_claim *pt_committer_find(const pt_committer *c, const char *topic, int32_t partition);
/* Raises the epochs of the claims, then reads where their partitions stand. */
int pt_committer_raise_and_read(pt_committer *c, pt_claim *claims, size_t n_claims,
                                const pt_ledger_starts *starts, const pt_identities *tables,
                                pt_error *err) PT_CHECKED;

/* Files of a fold that the catalog names and that are gone are brought back. */
int pt_committer_restore_fold(pt_committer *c, const pt_flush *fold, pt_error *err) PT_CHECKED;
