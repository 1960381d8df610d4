/* What the files of a member share. */
#pragma once

#include "ingest/batches.h"
#include "ingest/committer_thread.h"
#include "ingest/member.h"
#include "ingest/monitor.h"
#include "ingest/pending.h"
#include "ingest/plan.h"
#include "ingest/progress.h"
#include "ingest/reader.h"
#include "ingest/stager_thread.h"
#include "lake/catalog.h"
#include "lake/history.h"
#include "lake/identity.h"
#include "lake/seen.h"

/* One membership in the group, from opening the lake to leaving. A fence ends it; another member
 * may follow. */
typedef struct pt_member {
    const pt_ingest_options *options;
    pt_catalog *catalog;
    pt_stager *stager;
    pt_plan *plan; /* held: tables and decoders */
    const char **topics;
    pt_lake_id lake_id;
    pt_seen seen;             /* while it is opened */
    bool made;                /* tables, since `seen` was read */
    bool stopped;             /* before it was open */
    pt_identities identities; /* of targets, for the first claim */
    char *group;              /* owned; the lake's own, when the user gave none (ingest/group.h) */
    pt_consumer_options consumer_options; /* with the group that it joins */
    pt_consumer *consumer;
    pt_monitor monitor;
    pt_batches batches;
    pt_stager_thread staging_thread;
    pt_committer committer;
    bool monitor_ready, stager_started, committer_started;
    pt_pendings pending; /* asks for claims and releases without an answer yet */
    pt_reader reader;
    pt_progress_state progress;
    pt_lake_options committing, staging; /* the lake, with the memory that each DuckDB may take */
    uint64_t commits_before;             /* of earlier members */
    bool assigned_once, waiting_logged;
    uint64_t breaks;   /* connections that had ended when the last record was taken */
    unsigned unproven; /* polls in a row whose records it dropped because the consumer could not
                          seek back */
    bool lost;    /* the group or the broker took partitions before their rows were committed; no
                     process    has fenced this one */
    bool gave_up; /* it could not commit the last rows in time, and waits no more */
} pt_member;

/* Broker, lake, tables and threads, in this order; then it joins the group. resumes: as in
 * pt_member_run. What a failure leaves open, the end of the member closes. */
int pt_member_open(pt_member *member, const char *owner, bool resumes, pt_error *err) PT_CHECKED;

/* The stager's and the committer's. */
int pt_member_start_threads(pt_member *member, pt_error *err) PT_CHECKED;
/* Those that were started. */
void pt_member_end_threads(pt_member *member);

/* Tables and their decoders; the member may open them again. */
void pt_member_close_tables(pt_member *member);

/* PT_E_INTERRUPTED: somebody asked for a stop before the member has read anything. */
int pt_member_check_stop(pt_member *member, pt_error *err) PT_CHECKED;

/* Reads until somebody asks for a stop, or to the end that --until-end means. Leaves the open batch
 * as it is. */
int pt_member_read(pt_member *member, pt_error *err) PT_CHECKED;

/* ---- the consumer calls these in the thread that polls: arg is the pt_member ---- */

/* Claims the partitions in the lake's ledger and fills where to read each from. */
int pt_member_on_assigned(void *arg, pt_assigned *partitions, size_t n, pt_error *err) PT_CHECKED;
/* Commits what the open batch has of partitions that go; drops it when they are lost already. */
void pt_member_on_revoked(void *arg, const pt_assigned *partitions, size_t n, bool lost);
