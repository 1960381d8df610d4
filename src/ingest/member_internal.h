/* What the files of a run share. */
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

/* One life in the group: from opening the lake to leaving. Being fenced ends it; another one may
 * follow. */
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
    char *group;              /* when none was given: out of the lake (ingest/group.h) */
    pt_consumer_options consumer_options; /* with the group that is joined */
    pt_consumer *consumer;
    pt_monitor monitor;
    pt_batches batches;
    pt_stager_thread staging_thread;
    pt_committer committer;
    bool monitor_ready, stager_started, committer_started;
    pt_pendings pending; /* claims that are asked for, and releases */
    pt_reader reader;
    pt_progress_state progress;
    pt_lake_options committing, staging; /* the lake, with the memory that each DuckDB may take */
    uint64_t commits_before;             /* of earlier members */
    bool assigned_once, waiting_logged;
    uint64_t breaks;   /* connections that had ended when the last record was taken */
    unsigned unproven; /* polls in a row whose records were put off since the consumer could not go
                          back */
    bool lost;    /* partitions went before their rows were committed: no fence, the group or the
                     broker took them */
    bool gave_up; /* the last rows could not be committed in time: no further wait */
} pt_member;

/* Broker, lake, tables and workers, in this order; then it joins the group. goes_on: not the
 * process's first life. What a failure leaves open, the end of the life closes. */
int pt_member_open(pt_member *member, const char *owner, bool goes_on, pt_error *err) PT_CHECKED;

/* The stager's and the committer's. */
int pt_member_start_threads(pt_member *member, pt_error *err) PT_CHECKED;
/* Those that were started. */
void pt_member_end_threads(pt_member *member);

/* Tables and what decodes their records; the life may open them again. */
void pt_member_close_tables(pt_member *member);

/* PT_E_INTERRUPTED: a stop was asked for, and nothing has been read. */
int pt_member_check_stop(pt_member *member, pt_error *err) PT_CHECKED;

/* Until a stop is asked for, or the end that --until-end means is reached. The open batch is left
 * as it is. */
int pt_member_read(pt_member *member, pt_error *err) PT_CHECKED;

/* ---- what the consumer tells, in the thread that polls: arg is the pt_member ---- */

/* Claims the partitions in the lake's ledger and says where each is read from. */
int pt_member_on_assigned(void *arg, pt_assigned *partitions, size_t n, pt_error *err) PT_CHECKED;
/* Flushes what is buffered for partitions that go; drops it when they are lost already. */
void pt_member_on_revoked(void *arg, const pt_assigned *partitions, size_t n, bool lost);
