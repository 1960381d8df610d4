/* A member's threads beside the reader: who works on what. */
#include "ingest/member_internal.h"

int pt_member_start_threads(pt_member *r, pt_error *err) {
    pt_committer *c = &r->committer;
    pt_inbox_init(&c->inbox, &r->batches);
    r->pending = (pt_pendings){.inbox = &c->inbox,
                               .reader = &r->reader,
                               .consumer = r->consumer,
                               .stats = r->options->stats};
    c->batches = &r->batches;
    c->catalog = r->catalog;
    c->stager = &r->staging_thread;
    c->consumer = r->consumer;
    c->stats = r->options->stats;
    c->pipeline = r->consumer_options.group;
    c->tables = r->plan->tables;
    c->n_tables = r->plan->n_tables;
    c->routes = r->reader.routes;
    c->n_routes = r->reader.n_routes;
    c->identities = &r->identities;
    PT_TRY(pt_committer_jobs(c, r->options->fold_interval_us, err));
    r->staging_thread = (pt_stager_thread){.batches = &r->batches,
                                           .inbox = &c->inbox,
                                           .consumer = r->consumer,
                                           .stager = r->stager};
    PT_TRY(pt_stager_thread_start(&r->staging_thread, err));
    r->stager_started = true;
    PT_TRY(pt_committer_start(c, err));
    r->committer_started = true;
    return PT_OK;
}

void pt_member_end_threads(pt_member *r) {
    if (r->stager_started) {
        pt_monitor_end(&r->monitor);
        pt_stager_thread_join(&r->staging_thread);
    }
    if (r->committer_started) {
        pt_committer_join(&r->committer);
    }
    pt_fold_close(&r->committer.fold);
}
