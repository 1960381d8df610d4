#include "pipeline/run_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "lake/history.h"
#include "lake/inlined.h"
#include "lake/lake_uri.h"
#include "lake/leftovers.h"
#include "lake/table_name.h"
#include "lake/transaction.h"

#define SLOW_INSERT (60 * PT_SECOND) /* that long PostgreSQL lets a session be idle in a transaction, after an INSERT that waited for an object store for longer than usual */
#define POLL_MESSAGES 20000
#define FIRST_POLL_MESSAGES 100 /* while their size is not known */
#define HELD_MESSAGES 4096 /* read while all batches were under way for long */
#define POLL_MS 50
#define POLL_DUE_MS 5 /* the open batch is due and waits for an earlier one */
#define BLOCKED_BEFORE_PAUSE (30 * PT_SECOND) /* without a poll, while all batches are under way; far below max.poll.interval.ms */

/* ---- tables -------------------------------------------------------------------------------------------- */

/* Of all routes into the route's table; several of them are told apart by _kafka_topic. */
static pt_metas extra_columns(const pt_ingest_options *o, size_t route) {
    pt_metas extra = 0;
    for (size_t i = 0; i < o->n_routes; i++) {
        if (pt_table_name_same(o->routes[i].table, o->routes[route].table)) {
            extra |= o->routes[i].extra | (i == route ? 0 : 1U << PT_META_TOPIC);
        }
    }
    return extra;
}

static pt_target_options target_options(const pt_ingest_options *o, size_t i) {
    return (pt_target_options){.table = o->routes[i].table, .schema_text = o->routes[i].schema, .topic = o->routes[i].topic, .extra = extra_columns(o, i)};
}

typedef struct target_job {
    pt_life *r;
    pt_target_options options;
} target_job;

static int open_or_make(void *arg, pt_error *err) {
    target_job *job = arg;
    pt_life *r = job->r;
    pt_engine *engine = pt_committer_engine(r->committer);
    pt_session *session = pt_committer_session(r->committer);
    pt_target *target;
    PT_TRY(pt_target_open(engine, session, &job->options, &target, err));
    int code = target->inline_unfit && !target->stage && target->inline_rows ? pt_inlined_forbid(engine, session, target, err) : PT_OK;
    if (code != PT_OK) {
        pt_target_free(&target);
    }
    r->targets[r->n_targets] = target;
    return code;
}

static int open_target(pt_life *r, size_t i, pt_error *err) {
    const pt_route_options *o = &r->options->routes[i];
    for (size_t k = 0; k < i; k++) {
        if (pt_table_name_same(r->options->routes[k].table, o->table)) {
            r->reader.routes[i].target = r->reader.routes[k].target;
            r->reader.routes[i].part = r->reader.routes[k].part;
            return PT_OK;
        }
    }
    target_job job = {r, target_options(r->options, i)};
    PT_TRY(pt_retry_busy(open_or_make, &job, err)); /* another process may be making the same table */
    r->reader.routes[i].target = r->targets[r->n_targets];
    r->reader.routes[i].part = r->n_targets++;
    return PT_OK;
}

static int make_routes(pt_life *r, pt_error *err) {
    size_t n = r->options->n_routes;
    r->targets = calloc(n + 1, sizeof(pt_target *));
    r->reader.routes = calloc(n, sizeof *r->reader.routes);
    r->topics = calloc(n, sizeof *r->topics);
    if (!r->targets || !r->reader.routes || !r->topics) {
        return pt_fail_nomem(err, "the routes");
    }
    for (size_t i = 0; i < n; i++) {
        r->topics[i] = r->reader.routes[i].topic = r->options->routes[i].topic;
    }
    r->reader.n_routes = n;
    return PT_OK;
}

static int open_targets(pt_life *r, pt_error *err) {
    size_t n = r->options->n_routes;
    for (size_t i = 0; i < n; i++) {
        PT_TRY(open_target(r, i, err));
        PT_TRY(pt_decoder_new_json(r->reader.routes[i].target->schema, &r->reader.routes[i].decoder, err));
    }
    PT_TRY(pt_target_open_own(pt_committer_engine(r->committer), pt_committer_session(r->committer), "dead_letters", PT_DEAD_LETTER_COLUMNS,
                              &r->targets[n], err));
    if (r->n_targets != n) {
        r->targets[r->n_targets] = r->targets[n];
        r->targets[n] = NULL;
    }
    r->reader.dead_part = r->n_targets++;
    return PT_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* All batches are under way and r->messages holds what was read. Waits without polling at first; then pauses the partitions and polls on, so that
 * the group does not think that this member is dead; what such a poll still brings is put behind the *n messages. */
static int wait_for_batch(pt_life *r, size_t *n, pt_error *err) {
    int64_t start = pt_monotonic_us();
    bool paused = false;
    int code = PT_OK;
    while (code == PT_OK && !r->reader.batch && !pt_stop_asked()) {
        r->reader.batch = pt_line_take_free(&r->line, PT_SECOND / 10);
        code = pt_line_failed(&r->line, err);
        pt_progress_show(&r->progress, &r->line, &r->reader, r->consumer);
        if (code == PT_OK && !r->reader.batch && pt_monotonic_us() - start > BLOCKED_BEFORE_PAUSE && *n < POLL_MESSAGES + HELD_MESSAGES) {
            size_t more;
            pt_consumer_pause(r->consumer);
            paused = true;
            code = pt_consumer_poll(r->consumer, 100, r->messages + *n, 1, &more, err);
            *n += more;
        }
    }
    if (paused) {
        pt_consumer_resume(r->consumer);
        pt_reader_doubt(&r->reader);
    }
    return code;
}

static int take_message(pt_life *r, const rd_kafka_message_t *m, int64_t now_us, pt_error *err) {
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return pt_reader_eof(&r->reader, m, err);
    }
    if (m->err) {
        return pt_consumer_judge(r->consumer, m, err);
    }
    PT_TRY(pt_reader_take(&r->reader, m, now_us, err));
    return pt_reader_full(&r->reader) ? pt_reader_seal(&r->reader, false, err) : PT_OK;
}

/* Messages that were polled have left librdkafka's bounded queue: as many as fill their share of the memory, going by the size of the last ones. */
static size_t poll_messages(const pt_life *r, size_t mean_bytes) {
    uint64_t n = r->options->memory.poll_bytes / (mean_bytes + 1);
    return n < 1 ? 1 : n > POLL_MESSAGES ? POLL_MESSAGES : (size_t)n;
}

/* Destroys all messages, also after a failure. When a stop is asked for while all batches are under way, the rest is left for the next start; with it what
 * tells a position (the end of a partition), since that would speak of records that were left. */
static int take_messages(pt_life *r, size_t n, pt_error *err) {
    int64_t now = pt_now_us();
    bool left = false;
    int code = PT_OK;
    size_t bytes = 0;
    r->reader.polls++;
    for (size_t i = 0; i < n; i++) {
        rd_kafka_message_t *m = r->messages[i];
        bytes += m->len + m->key_len;
        if (code == PT_OK && !left && !m->err && !r->reader.batch) {
            code = wait_for_batch(r, &n, err);
            left = code == PT_OK && !r->reader.batch;
        }
        if (code == PT_OK && !left) {
            code = take_message(r, m, now, err);
        }
        rd_kafka_message_destroy(m);
    }
    if (n > 1 || n == r->poll_messages) { /* one message says little of the next ones */
        r->poll_messages = poll_messages(r, bytes / n);
    }
    return code;
}

/* A poll returns when it has as many messages, or at the end of its time. The first of a batch is not kept waiting for others: its age counts from here. */
static size_t messages_wanted(const pt_life *r) {
    return pt_reader_has_rows(&r->reader) ? r->poll_messages : 1;
}

/* Microseconds until the open batch is old enough; 0: it is. */
static int64_t time_left(const pt_life *r) {
    int64_t left = r->reader.batch->opened_us + r->options->flush_interval_us - pt_monotonic_us();
    return left > 0 ? left : 0;
}

/* While one batch is being committed and another waits for it, sealing a third gains nothing: the open one goes on growing until it is full. So a catalog
 * that is slow, or shared by many writers, gets fewer and bigger flushes. */
static bool line_is_full(pt_life *r) {
    return pt_line_under_way(&r->line) >= PT_BATCHES - 1;
}

static bool due(pt_life *r) {
    return pt_reader_has_rows(&r->reader) && time_left(r) == 0 && !line_is_full(r);
}

/* Milliseconds that a poll may wait. */
static int poll_time(pt_life *r) {
    if (!pt_reader_has_rows(&r->reader)) {
        return POLL_MS;
    }
    int64_t left = time_left(r) / 1000;
    if (left < 1) {
        return line_is_full(r) ? POLL_DUE_MS : 1;
    }
    return left > POLL_MS ? POLL_MS : (int)left;
}

static bool reached_end(const pt_life *r) {
    if (!r->options->until_end || !r->assigned_once) {
        return false;
    }
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        for (int32_t p = 0; p < r->reader.routes[i].n_partitions; p++) {
            const pt_partition *partition = &r->reader.routes[i].partitions[p];
            if (partition->assigned && partition->position < partition->end) {
                return false;
            }
        }
    }
    return true;
}

/* They are read by those members, or by the next start: a member that was killed a moment ago holds its own until the broker misses it. */
static void say_what_others_read(const pt_life *r) {
    uint64_t theirs = 0;
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        for (int32_t p = 0; p < r->reader.routes[i].n_partitions; p++) {
            theirs += !r->reader.routes[i].partitions[p].assigned && r->reader.routes[i].partitions[p].end > 0;
        }
    }
    if (theirs) {
        pt_log(PT_LOG_INFO, PT_EVENT("partitions that other members of the group hold were left to them"), PT_STR("group", r->options->consumer.group),
               PT_INT("partitions", theirs));
    }
}

static int read_loop(pt_life *r, pt_error *err) {
    while (!pt_stop_asked() && !reached_end(r)) {
        size_t n = 0;
        pt_error ignored;
        PT_TRY(pt_line_failed(&r->line, err));
        int code = pt_consumer_poll(r->consumer, poll_time(r), r->messages, messages_wanted(r), &n, err);
        (void)pt_failpoint("poll.after");
        int taken = take_messages(r, n, code == PT_OK ? err : &ignored);
        PT_TRY(code);
        PT_TRY(taken);
        (void)pt_failpoint("decode.after");
        if (pt_reader_has_rows(&r->reader) && pt_failpoint("batch.open")) {
            return pt_fail(err, PT_E_KAFKA_DOWN, "failpoint: no broker answers");
        }
        pt_progress_tell_unknown(&r->reader);
        if (due(r) || (r->reader.jumped && !pt_reader_has_rows(&r->reader))) {
            PT_TRY(pt_reader_seal(&r->reader, r->reader.jumped, err));
        }
        pt_progress_show(&r->progress, &r->line, &r->reader, r->consumer);
    }
    return PT_OK;
}

/* ---- a run --------------------------------------------------------------------------------------------- */

static int read_again(void *arg, const char *topic, int32_t partition, int64_t offset, pt_error *err) {
    pt_life *r = arg;
    return pt_consumer_seek(r->consumer, topic, partition, offset, err);
}

static int read_ends(pt_life *r, pt_error *err) {
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
            route->partitions[p].end = route->partitions[p].skipped_from = -1;
            if (r->options->until_end) {
                PT_TRY(pt_consumer_bounds(r->consumer, route->topic, p, &low, &route->partitions[p].end, err));
            }
        }
    }
    return PT_OK;
}

/* Not being able to remove it is no reason not to start. */
static void remove_leftovers(const pt_life *r, const pt_target *target) {
    pt_error err = {0};
    uint64_t removed;
    int code = pt_leftovers_remove(pt_committer_engine(r->committer), pt_committer_session(r->committer), target, r->options->leftover_age_us, &removed, &err);
    if (code != PT_OK) {
        pt_log(PT_LOG_WARN, PT_EVENT("staged files of earlier runs cannot be looked at"), PT_STR("table", target->label), PT_STR("error", err.text));
    } else if (removed) {
        pt_log(PT_LOG_INFO, PT_EVENT("staged files of earlier runs that no snapshot knows"), PT_STR("table", target->label), PT_INT("removed", removed));
    }
}

/* What dead processes left behind. Before that, no target need be readable. */
static int clear_leftovers(pt_life *r, pt_error *why) {
    (void)pt_failpoint("leftovers.before");
    remove_leftovers(r, pt_committer_ledger(r->committer));
    for (size_t i = 0; i < r->n_targets; i++) {
        PT_TRY(pt_life_restore_files(r, r->targets[i], why));
        if (!r->targets[i]->guard && !r->targets[i]->stage) {
            pt_log(PT_LOG_WARN, PT_EVENT("a partitioned table with a column named filename or snapshot_id may lose data files when the answer to a COMMIT is lost; rename the column"),
                   PT_STR("table", r->targets[i]->label));
        }
        if (i != r->reader.dead_part) {
            PT_TRY(pt_target_look_for_rows(pt_committer_engine(r->committer), pt_committer_session(r->committer), r->targets[i], why));
        }
        remove_leftovers(r, r->targets[i]);
    }
    return PT_OK;
}

/* Whether a group is new to a topic is of interest where the table has rows: they may be the same ones. */
static int look_for_repeats(pt_life *r, pt_error *err) {
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        pt_route *route = &r->reader.routes[i];
        bool known = false;
        if (route->target->has_rows) {
            PT_TRY(pt_history_knows(pt_committer_engine(r->committer), pt_committer_session(r->committer), r->reader.pipeline, route->topic, &known, err));
            route->repeats = !known;
        }
    }
    return PT_OK;
}

/* The DuckDB that writes the files gets more: the committer's when a table takes INSERT (it is opened with the small share, and again after an outage). Should PostgreSQL end
 * its session because the INSERT waited long for an object store, the next one has more patience. */
static int share_duckdb(pt_life *r, pt_error *err) {
    bool insert = false;
    for (size_t i = 0; i < r->n_targets; i++) {
        insert |= !r->targets[i]->stage;
        if (!r->targets[i]->stage && pt_path_is_remote(r->targets[i]->folder) && r->committing.idle_transaction_us > 0) {
            r->committing.idle_transaction_us = SLOW_INSERT;
        }
    }
    if (!insert) {
        return PT_OK;
    }
    r->committing.memory_limit = r->options->memory.large_bytes;
    r->staging.memory_limit = r->options->memory.small_bytes;
    return pt_session_runf(pt_committer_session(r->committer), err, "SET memory_limit = '%" PRIu64 "B'", r->committing.memory_limit);
}

/* Before anything is made in the lake. */
static int check_schemas(const pt_ingest_options *o, pt_error *err) {
    pt_least least = {0};
    for (size_t i = 0; i < o->n_routes; i++) {
        pt_target_options t = target_options(o, i);
        PT_TRY(pt_target_check(&t, err));
        if (t.schema_text) {
            PT_TRY(pt_least_add_schema(&least, t.schema_text, err));
        }
    }
    return pt_memory_check_batch(&o->memory, &least, err);
}

/* What batches may hold on to, and whether the smallest one fits. */
static int share_batches(pt_life *r, pt_error *err) {
    const pt_flush *flush = r->line.batches[0].flush;
    pt_least least = {0};
    for (size_t i = 0; i < flush->n_parts; i++) {
        pt_least_add(&least, flush->parts[i].rows);
    }
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        r->reader.routes[i].row_bytes = pt_rows_chunk_memory(flush->parts[r->reader.routes[i].part].rows) / (size_t)duckdb_vector_size();
    }
    r->line.keep_bytes = (size_t)r->options->memory.batch_bytes;
    return pt_memory_check_batch(&r->options->memory, &least, err);
}

/* Before the lake: a topic that does not exist, or a broker that is away, must not leave a new lake or table behind. No group is joined yet. */
static int open_source(pt_life *r, pt_error *err) {
    r->consumer_options = r->options->consumer;
    r->consumer_options.topics = r->topics;
    r->consumer_options.n_topics = r->options->n_routes;
    pt_consumer_events events = {pt_life_on_assigned, pt_life_on_revoked, r};
    PT_TRY(pt_consumer_open(&r->consumer_options, &events, &r->consumer, err));
    r->reader.cluster_id = pt_consumer_cluster_id(r->consumer);
    return read_ends(r, err);
}

/* The broker is asked before anything is made in the lake. When none answers, what is wrong with the lake is told all the same: first, since that does not pass. */
static int open_broker(pt_life *r, bool goes_on, pt_error *err) {
    int code = open_source(r, err);
    if (code == PT_E_KAFKA_DOWN && !goes_on) {
        pt_error why = {0};
        if (pt_committer_look(&r->committing, &why) != PT_OK) {
            *err = why;
            code = (int)why.code;
        }
    }
    return code;
}

static int look_around(void *arg, pt_error *err) {
    PT_TRY(clear_leftovers(arg, err));
    return look_for_repeats(arg, err);
}

static int open_run(pt_life *r, const char *owner, bool goes_on, pt_error *err) {
    const pt_ingest_options *o = r->options;
    r->reader.options = o;
    r->reader.pipeline = o->consumer.group;
    r->reader.line = &r->line;
    r->reader.ask = read_again;
    r->reader.ask_arg = r;
    r->committing = r->staging = o->lake;
    r->committing.memory_limit = o->memory.small_bytes;
    r->staging.memory_limit = o->memory.large_bytes;
    PT_TRY(pt_consumer_check(&o->consumer, err));
    PT_TRY(check_schemas(o, err));
    PT_TRY(pt_committer_check(&r->committing, err));
    PT_TRY(make_routes(r, err));
    PT_TRY(open_broker(r, goes_on, err));
    PT_TRY(pt_committer_open(&r->committing, o->consumer.group, owner, &r->committer, err));
    PT_TRY(pt_life_restore_files(r, pt_committer_ledger(r->committer), err)); /* it is read from here on */
    PT_TRY(open_targets(r, err));
    PT_TRY(share_duckdb(r, err));
    PT_TRY(pt_retry_busy(look_around, r, err));
    PT_TRY(pt_stager_open(&r->staging, pt_path_is_remote(r->targets[0]->folder), &r->stager, err));
    r->line_ready = true;
    PT_TRY(pt_line_init(&r->line, (const pt_target *const *)r->targets, r->n_targets, err));
    PT_TRY(share_batches(r, err));
    r->poll_messages = FIRST_POLL_MESSAGES;
    r->messages = calloc(POLL_MESSAGES + HELD_MESSAGES, sizeof(rd_kafka_message_t *));
    if (!r->messages) {
        return pt_fail_nomem(err, "the poll's messages");
    }
    r->workers = (pt_workers){.line = &r->line, .stager = r->stager, .committer = r->committer, .checked = pt_life_on_staged, .claimed = pt_life_on_claimed, .committed = pt_life_on_committed, .arg = r,
                              .fold_interval_us = o->fold_interval_us, .targets = (const pt_target *const *)r->targets, .n_targets = r->n_targets};
    PT_TRY(pt_workers_start(&r->workers, err));
    r->workers_started = true;
    return pt_consumer_subscribe(r->consumer, err);
}

static int finish_run(pt_life *r, pt_error *err) {
    PT_TRY(pt_reader_seal(&r->reader, true, err));
    if (pt_line_drain(&r->line, r->options->stop_timeout_us)) {
        return PT_OK;
    }
    r->gave_up = true;
    PT_TRY(pt_line_failed(&r->line, err));
    return pt_fail(err, PT_E_INTERRUPTED, "the last rows could not be committed within %g s; they are not lost: the next start reads them again",
                   (double)r->options->stop_timeout_us / 1e6);
}

static void close_run(pt_life *r, pt_run_end *end) {
    if (r->workers_started) {
        pt_reader_drop(&r->reader);
        pt_consumer_leave(r->consumer); /* runs on_revoked; the workers may still use the handle */
        pt_line_hold_folds(&r->line, true);
        pt_line_abandon(&r->line);
        pt_workers_stop(&r->workers);
        end->left = pt_line_left_rows(&r->line);
        end->paused = pt_line_paused(&r->line);
        end->committed = r->line.counters.commits > 0; /* the workers are gone */
    }
    pt_consumer_close(&r->consumer);
    pt_stager_close(&r->stager);
    pt_committer_close(&r->committer);
    if (r->line_ready) {
        pt_line_clear(&r->line);
    }
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        pt_decoder_free(&r->reader.routes[i].decoder);
        free(r->reader.routes[i].partitions);
    }
    for (size_t i = 0; i < r->n_targets; i++) {
        pt_target_free(&r->targets[i]);
    }
    free(r->targets);
    free(r->topics);
    free(r->reader.routes);
    free(r->reader.headers);
    free(r->messages);
}

int pt_run(const pt_ingest_options *options, const char *owner, bool goes_on, pt_run_end *end, pt_error *err) {
    pt_life r = {.options = options};
    *end = (pt_run_end){0};
    r.progress.started_us = r.progress.shown_us = pt_monotonic_us();
    int code = open_run(&r, owner, goes_on, err);
    if (code == PT_OK) {
        pt_log(PT_LOG_INFO, PT_EVENT(goes_on ? "goes on" : "started"), PT_STR("group", options->consumer.group), PT_INT("topics", options->n_routes),
               PT_STR("lake", options->lake.lake));
        end->started = true;
        code = read_loop(&r, err);
        if (code == PT_OK && options->until_end && !pt_stop_asked()) {
            say_what_others_read(&r);
        }
        if (code == PT_OK || code == PT_E_DATA || code == PT_E_KAFKA || code == PT_E_SOURCE) { /* what was read is good, and may be there no more the next time */
            pt_error why = {0};
            int finished = finish_run(&r, &why);
            if (code == PT_OK && finished != PT_OK) {
                *err = why;
                code = finished;
            }
        }
        pt_progress_end(&r.progress, &r.line, &r.reader);
    }
    end->assigned = r.assigned_once;
    end->lost = r.lost && code == PT_E_FENCED;
    close_run(&r, end);
    return code;
}
