/* How a member begins: broker, lake, tables, threads. */
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "decode/formats.h"
#include "duck/transaction.h"
#include "duck/uri.h"
#include "ingest/group.h"
#include "ingest/member_internal.h"
#include "ingest/member_tables.h"
#include "ingest/restore.h"
#include "ingest/same_tables.h"
#include "lake/history.h"
#include "lake/identity.h"
#include "lake/ledger_form.h"
#include "lake/table_name.h"
#include "lake/table_open.h"

/* That long PostgreSQL lets a session be idle in a transaction, after an INSERT that waited for an
 * object store for longer than usual. */
#define SLOW_INSERT (60 * PT_SECOND)
#define SEEN_TRIES  3

/* ---- tables ---- */

typedef struct target_job {
    pt_member *r;
    pt_table_options options;
    pt_table **out; /* of a reading */
} target_job;

/* Rows that would not come back as they are. */
static int forbid_inlining(pt_member *r, const pt_table *target, pt_error *err) {
    pt_upkeep fit = {.kind = PT_UPKEEP_FIT, .table = target};
    return pt_catalog_upkeep(r->catalog, &fit, err) == PT_COMMITTED ? PT_OK : (int)err->code;
}

static int open_or_make(void *arg, pt_error *err) {
    target_job *job = arg;
    pt_member *r = job->r;
    pt_table *table;
    PT_TRY(pt_catalog_open_table(r->catalog, &job->options, &table, err));
    int code = forbid_inlining(r, table, err);
    if (code != PT_OK) {
        pt_table_free(&table);
    }
    r->plan->tables[r->plan->n_tables] = table;
    return code;
}

/* What the records of a route are read by: the schema that is given, else the one that was given
 * last; NULL: the table's columns. */
static const char *schema_of(const pt_member *r, size_t i, const pt_table *t) {
    const pt_route_options *o = &r->options->routes[i];
    return o->schema ? o->schema : pt_identities_find_schema(&r->seen.notes, o->topic, t->label);
}

static target_job job_of(pt_member *r, size_t i) {
    target_job job = {r, pt_member_tables_options(r->options, i), NULL};
    job.options.seen = r->seen.names.n_rows ? &r->seen : NULL;
    job.options.notes = &r->seen.notes;
    return job;
}

static int open_reading(void *arg, pt_error *err) {
    target_job *job = arg;
    return pt_catalog_open_table(job->r->catalog, &job->options, job->out, err);
}

/* Into the table of route k. */
static int share_target(pt_member *r, size_t i, size_t k, pt_error *err) {
    pt_route *route = &r->reader.routes[i];
    route->table = r->reader.routes[k].table;
    route->slice = r->reader.routes[k].slice;
    const char *own = schema_of(r, i, route->table);
    const char *first = schema_of(r, k, route->table);
    if (!own || (first && strcmp(own, first) == 0)) {
        return PT_OK;
    }
    target_job job = job_of(r, i);
    job.out = &r->plan->routes[i].reading;
    if (pt_retry_busy(open_reading, &job, err) != PT_OK) {
        return pt_fail_in(err, "topic %s", route->topic);
    }
    return PT_OK;
}

static int open_target(pt_member *r, size_t i, pt_error *err) {
    const pt_route_options *o = &r->options->routes[i];
    for (size_t k = 0; k < i; k++) {
        if (pt_table_name_same(r->options->routes[k].table, o->table)) {
            return share_target(r, i, k, err);
        }
    }
    target_job job = job_of(r, i);
    PT_TRY(pt_member_check_stop(r, err));
    PT_TRY(
        pt_retry_busy(open_or_make, &job, err)); /* another process may be making the same table */
    r->reader.routes[i].table = r->plan->tables[r->plan->n_tables];
    r->reader.routes[i].slice = r->plan->n_tables++;
    return PT_OK;
}

static int make_routes(pt_member *r, pt_error *err) {
    size_t n = r->options->n_routes;
    r->reader.routes = calloc(n, sizeof *r->reader.routes);
    r->topics = calloc(n, sizeof *r->topics);
    if (!r->reader.routes || !r->topics) {
        return pt_fail_nomem(err, "the routes");
    }
    for (size_t i = 0; i < n; i++) {
        r->topics[i] = r->reader.routes[i].topic = r->options->routes[i].topic;
        r->reader.routes[i].tally = &r->options->tallies[i];
    }
    r->reader.n_routes = n;
    return PT_OK;
}

static int open_routes(pt_member *r, pt_error *err) {
    for (size_t i = 0; i < r->options->n_routes; i++) {
        PT_TRY(open_target(r, i, err));
        const pt_table *read_by = r->plan->routes[i].reading ? r->plan->routes[i].reading
                                                             : r->reader.routes[i].table;
        const pt_decoder_options options = {.schema = read_by->schema,
                                            .want_column = r->options->on_no_column ==
                                                           PT_NO_COLUMN_DEAD_LETTER};
        PT_TRY(pt_decoder_open(pt_formats[0], &options, &r->plan->routes[i].decoder, err));
        r->plan->routes[i].table = r->reader.routes[i].table;
        r->plan->routes[i].slice = r->reader.routes[i].slice;
    }
    return PT_OK;
}

static int open_targets_once(pt_member *r, pt_error *err) {
    size_t n = r->options->n_routes;
    PT_TRY(pt_plan_new(n, 1, &r->plan, err));
    PT_TRY(open_routes(r, err));
    PT_TRY(pt_catalog_open_own(r->catalog, "dead_letters", PT_DEAD_LETTER_COLUMNS,
                               &r->plan->tables[n], err));
    PT_TRY(forbid_inlining(r, r->plan->tables[n], err));
    if (r->plan->n_tables != n) {
        r->plan->tables[r->plan->n_tables] = r->plan->tables[n];
        r->plan->tables[n] = NULL;
    }
    r->plan->n_tables++;
    return PT_OK;
}

void pt_member_close_tables(pt_member *r) {
    pt_plan_release(&r->plan);
}

/* What was seen of all tables counts if none was altered until they were open; if others alter some
 * all the time, each one is looked at by itself. */
static int open_targets(pt_member *r, pt_error *err) {
    bool stands = false;
    for (unsigned attempt = 1; attempt <= SEEN_TRIES && !stands; attempt++) {
        pt_member_close_tables(r);
        if (r->made || attempt > 1) {
            PT_TRY(pt_member_tables_see(r, err));
        }
        PT_TRY(open_targets_once(r, err));
        PT_TRY(pt_seen_stands(pt_catalog_session(r->catalog), &r->seen, &stands, err));
    }
    if (!stands) {
        pt_member_close_tables(r);
        pt_result_clear(&r->seen.names);
        PT_TRY(open_targets_once(r, err));
    }
    return PT_OK;
}

/* ---- the source ---- */

static int read_again(void *arg, const pt_place *place, pt_error *err) {
    pt_member *r = arg;
    return pt_consumer_seek(r->consumer, place, 1, err);
}

static int read_ends(pt_member *r, pt_error *err) {
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        pt_route *route = &r->reader.routes[i];
        route->topic_id = pt_consumer_topic_id(r->consumer, i);
        route->n_partitions = pt_consumer_partitions(r->consumer, i);
        route->partitions = calloc((size_t)route->n_partitions + 1, sizeof *route->partitions);
        if (!route->partitions) {
            return pt_fail_nomem(err, "partitions");
        }
        for (int32_t p = 0; p < route->n_partitions; p++) {
            int64_t low;
            route->partitions[p].end = route->partitions[p].skipped_from =
                route->partitions[p].verify_at = -1;
            if (r->options->until_end) {
                PT_TRY(pt_consumer_bounds(r->consumer, route->topic, p, &low,
                                          &route->partitions[p].end, err));
            }
        }
    }
    return PT_OK;
}

/* Before the lake: a topic that does not exist, or a broker that is away, must not leave a new lake
 * or table behind. No group is joined yet. */
static int open_source(pt_member *r, pt_error *err) {
    r->consumer_options = r->options->consumer;
    r->consumer_options.topics = r->topics;
    r->consumer_options.n_topics = r->options->n_routes;
    r->consumer_options.poll_bytes = r->options->memory.poll_bytes;
    pt_consumer_events events = {pt_member_on_assigned, pt_member_on_revoked, r};
    PT_TRY(pt_consumer_open(&r->consumer_options, &events, &r->consumer, err));
    r->reader.cluster_id = pt_consumer_cluster_id(r->consumer);
    return read_ends(r, err);
}

/* We ask the broker before we make anything in the lake. When no broker answers we still look at
 * the lake: a fault there comes first, since it does not pass by itself. */
static int open_broker(pt_member *r, bool resumes, pt_error *err) {
    int code = open_source(r, err);
    if (code == PT_E_KAFKA_DOWN && !resumes) {
        pt_error why = {0};
        bool there;
        if (pt_catalog_look(&r->committing, &there, &why) != PT_OK) {
            *err = why;
            code = (int)why.code;
        }
    }
    return code;
}

/* ---- what earlier processes left ---- */

/* Not being able to remove it is no reason not to start. */
static void remove_orphans(const pt_member *r, const pt_table *target) {
    pt_error err = {0};
    pt_upkeep orphans = {.kind = PT_UPKEEP_ORPHANS,
                         .table = target,
                         .age_us = r->options->orphan_age_us};
    if (pt_catalog_upkeep(r->catalog, &orphans, &err) != PT_COMMITTED) {
        pt_log(PT_LOG_WARN, PT_EVENT("staged files of earlier runs cannot be looked at"),
               PT_STR("table", target->label), PT_STR("error", err.text));
    } else if (orphans.n) {
        pt_log(PT_LOG_INFO, PT_EVENT("staged files of earlier runs that no snapshot knows"),
               PT_STR("table", target->label), PT_INT("removed", orphans.n));
    }
}

/* What dead processes left behind. Before that, no target need be readable. */
static int clear_orphans(pt_member *r, pt_error *why) {
    (void)pt_failpoint("leftovers.before");
    remove_orphans(r, pt_catalog_ledger(r->catalog));
    for (size_t i = 0; i < r->plan->n_tables; i++) {
        PT_TRY(pt_member_check_stop(r, why));
        PT_TRY(pt_restore_files(r->catalog, r->plan->tables[i], why));
        if (!r->plan->tables[i]->shows_files && r->plan->tables[i]->way == PT_WAY_INSERT) {
            pt_log(PT_LOG_WARN,
                   PT_EVENT("a table that takes INSERT (a partitioned one, or one of an encrypted "
                            "lake) and has a column named filename or snapshot_id may lose data "
                            "files when the answer to a COMMIT is lost; rename the column"),
                   PT_STR("table", r->plan->tables[i]->label));
        }
        if (!r->plan->tables[i]->dead_letters &&
            pt_seen_may_have_rows(&r->seen, r->plan->tables[i]->schema_name,
                                  r->plan->tables[i]->name)) {
            PT_TRY(pt_catalog_look_for_rows(r->catalog, r->plan->tables[i], why));
        }
        remove_orphans(r, r->plan->tables[i]);
    }
    return PT_OK;
}

/* Topics that are new to the group: of interest where the table has rows, which may be the same
 * ones, and where --start says to begin elsewhere than at the first record. */
static int look_for_repeats(pt_member *r, pt_error *err) {
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        pt_route *route = &r->reader.routes[i];
        if (r->options->start.kind != PT_WHERE_EARLIEST) {
            PT_TRY(pt_history_claimed(pt_catalog_session(r->catalog), r->reader.pipeline,
                                      route->topic, &route->seen, err));
        }
        route->repeats = route->table->has_rows && !pt_seen_recorded(&r->seen, route->topic);
    }
    return PT_OK;
}

static int look_around(void *arg, pt_error *err) {
    PT_TRY(clear_orphans(arg, err));
    PT_TRY(pt_same_tables_check(arg, err));
    return look_for_repeats(arg, err);
}

/* ---- memory ---- */

/* The DuckDB that writes the files gets more: the committer's when a table takes INSERT (it is
 * opened with the small share, and again after an outage). Should PostgreSQL end its session
 * because the INSERT waited long for an object store, the next one has more patience. */
static int share_duckdb(pt_member *r, pt_error *err) {
    bool insert = false;
    for (size_t i = 0; i < r->plan->n_tables; i++) {
        bool inserted = r->plan->tables[i]->way == PT_WAY_INSERT;
        insert |= inserted;
        if (inserted && pt_path_is_remote(r->plan->tables[i]->folder) &&
            r->committing.idle_transaction_us > 0) {
            r->committing.idle_transaction_us = SLOW_INSERT;
        }
    }
    if (!insert) {
        return PT_OK;
    }
    r->committing.memory_limit = r->options->memory.large_bytes;
    r->staging.memory_limit = r->options->memory.small_bytes;
    return pt_catalog_limit_memory(r->catalog, r->committing.memory_limit, err);
}

/* What batches may hold on to, and whether the smallest one fits. */
static int share_batches(pt_member *r, pt_error *err) {
    const pt_flush *flush = r->batches.batches[0].flush;
    pt_least least = {0};
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_least_add(&least, flush->slices[i].rows);
    }
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        r->reader.routes[i].row_bytes = pt_rows_chunk_memory(
                                            flush->slices[r->reader.routes[i].slice].rows) /
                                        (size_t)duckdb_vector_size();
    }
    r->batches.keep_bytes = (size_t)r->options->memory.batch_bytes;
    r->batches.limits = (pt_batch_limits){.records = r->options->flush_rows,
                                          .bytes = r->options->flush_bytes,
                                          .memory = r->options->memory.batch_bytes,
                                          .interval_us = r->options->flush_interval_us};
    return pt_memory_check_batch(&r->options->memory, &least, err);
}

/* ---- all of it ---- */

int pt_member_open(pt_member *r, const char *owner, bool resumes, pt_error *err) {
    const pt_ingest_options *o = r->options;
    r->reader.options = o;
    r->reader.batches = &r->batches;
    r->reader.refetch = read_again;
    r->reader.refetch_arg = r;
    r->committing = r->staging = o->lake;
    r->committing.memory_limit = o->memory.small_bytes;
    r->staging.memory_limit = o->memory.large_bytes;
    PT_TRY(pt_consumer_check(&o->consumer, err));
    PT_TRY(pt_member_tables_check(o, err));
    PT_TRY(pt_catalog_check(&r->committing, err));
    PT_TRY(make_routes(r, err));
    PT_TRY(pt_group_of_several(r, err));
    PT_TRY(open_broker(r, resumes, err));
    PT_TRY(pt_group_is_free(r, err));
    PT_TRY(pt_member_tables_check_new(r, err));
    PT_TRY(pt_catalog_open(&r->committing, NULL, owner, &r->catalog, err));
    PT_TRY(pt_restore_files(r->catalog, pt_catalog_ledger(r->catalog),
                            err)); /* it is read from here on */
    PT_TRY(pt_group_take(r, resumes, err));
    PT_TRY(pt_member_tables_make(r, err));
    PT_TRY(open_targets(r, err));
    PT_TRY(share_duckdb(r, err));
    PT_TRY(pt_retry_busy(look_around, r, err));
    pt_seen_clear(&r->seen);
    PT_TRY(pt_stager_open(&r->staging, pt_path_is_remote(r->plan->tables[0]->folder), &r->stager,
                          err));
    r->monitor_ready = true;
    pt_monitor_init(&r->monitor);
    PT_TRY(pt_batches_init(&r->batches, &r->monitor, (const pt_table *const *)r->plan->tables,
                           r->plan->n_tables, err));
    pt_reader_use(&r->reader, r->plan);
    PT_TRY(share_batches(r, err));
    PT_TRY(pt_member_start_threads(r, err));
    return pt_consumer_subscribe(r->consumer, err);
}
