/* pintail ingest: options and config file -> pt_ingest_options -> pt_ingest. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "cli/ingest_args.h"
#include "kafka/where.h"
#include "lake/inlined.h"

#define THREADS_MAX 256
/* Microseconds; a flush is idle in its transaction for milliseconds, and a frozen one must not hold
 * up the next owner. */
#define IDLE_TRANSACTION ((int64_t)10000000)

#define AT(field_) offsetof(pt_ingest_args, field_)

/* count: UINT64_MAX for none, share: infinity for none. */
static int parse_dead_letters(const char *text, uint64_t *count, double *share, pt_error *err) {
    *count = UINT64_MAX;
    *share = INFINITY;
    size_t n = text ? strlen(text) : 0;
    if (n == 0) {
        return PT_OK;
    }
    if (text[n - 1] != '%') {
        return pt_parse_count(text, count, err);
    }
    char *end;
    double percent = strtod(text, &end);
    if (end == text || *end != '%' || end[1] || !(percent >= 0 && percent <= 100)) {
        return pt_fail(err, PT_E_USAGE,
                       "bad share '%s': write a count such as 100, or a share such as 1%%", text);
    }
    *share = percent / 100;
    return PT_OK;
}

static int check_dead_letters(const char *text, const void *field, pt_error *err) {
    uint64_t count;
    double share;
    (void)field;
    return parse_dead_letters(text, &count, &share, err);
}

static int check_threads(const char *text, const void *field, pt_error *err) {
    uint64_t threads = *(const uint64_t *)field;
    (void)text;
    return threads <= THREADS_MAX
               ? PT_OK
               : pt_fail(err, PT_E_USAGE, "%" PRIu64 " is more than %d", threads, THREADS_MAX);
}

static const pt_option options[] = {
    PT_BROKERS_OPTION(pt_ingest_args, "bootstrap brokers"),
    {"topic", 't', PT_OPT_LIST, AT(topics), "TOPIC",
     "topic to read; repeatable: a table each, or one for all with --table; --schema holds for "
     "each",
     .key = PT_NO_KEY, .topic_key = "topic", .check = pt_check_topic, .list = PT_LIST_NAMES},
    PT_LAKE_OPTIONS(pt_ingest_args),
    {"table", 0, PT_OPT_STRING, AT(table), "NAME",
     "target table, name or schema.name (default: the topic's name)", .key = PT_NO_KEY,
     .topic_key = "table", .check = pt_check_table},
    {"schema", 0, PT_OPT_STRING, AT(schema), "COLUMNS",
     "columns of the table, such as 'id UUID NOT NULL, seen TIMESTAMPTZ EPOCH ms, price "
     "DECIMAL(10,2)'; may be left out when the table exists",
     .key = PT_NO_KEY, .topic_key = "schema", .may_be_blank = true},
    PT_GROUP_OPTION(pt_ingest_args, "consumer group, and name of the pipeline in the ledger "
                                    "(default: pintail-<table>-<8 digits "
                                    "of the lake's id>; needed for several topics, once)"),
    {"flush-rows", 0, PT_OPT_COUNT, AT(flush_rows), "N",
     "commit after so many records (default 200000)", .key = "flush.rows",
     .check = pt_check_above_zero},
    {"flush-bytes", 0, PT_OPT_SIZE, AT(flush_bytes), "SIZE",
     "commit after so many decoded bytes (default 64MiB)", .key = "flush.bytes",
     .check = pt_check_above_zero},
    {"flush-interval", 0, PT_OPT_DURATION, AT(flush_interval), "DUR",
     "commit when the oldest buffered record is so old (default 10s)", .key = "flush.interval",
     .check = pt_check_above_zero},
    {"inline-rows", 0, PT_OPT_COUNT, AT(inline_rows), "N",
     "a table's rows of a flush, if no more than that, stay in the catalog instead of a file "
     "(default 30; the lake's data_inlining_row_limit goes first; 0: never)",
     .key = "inline_rows"},
    {"fold-interval", 0, PT_OPT_DURATION, AT(fold_interval), "DUR",
     "write the rows in the catalog to files when the oldest is so old (default 10m), or 10,000 of "
     "a table are there",
     .key = "fold_interval", .check = pt_check_above_zero},
    {"until-end", 0, PT_OPT_FLAG, AT(until_end), "",
     "read up to the end offsets seen at the start, commit, exit 0", .key = PT_NO_KEY},
    {"start", 0, PT_OPT_STRING, AT(start), "earliest|latest|TIME|N",
     "where to begin a topic that the lake does not know (default earliest): at a time such as "
     "2026-11-29T15:30:00Z, or an offset; partitions that are added later begin at their first "
     "record",
     .key = "start"},
    {"on-error", 0, PT_OPT_CHOICE, AT(on_error), "dead-letter|fail",
     "a record that cannot be decoded goes to pintail.dead_letters (default), or ends the run with "
     "everything before it committed",
     .key = "on_error"},
    {"on-no-column", 0, PT_OPT_CHOICE, AT(on_no_column), "dead-letter|null",
     "a record none of whose keys is a column, such as an envelope, is a dead letter (default), or "
     "a row of defaults and NULLs",
     .key = "on_no_column", .null_is_text = true},
    {"on-missing-data", 0, PT_OPT_CHOICE, AT(on_missing), "fail|skip",
     "when the broker no longer has the records that come next (retention): end the run (default), "
     "or skip them and record the jump in the ledger",
     .key = "on_missing_data"},
    {"max-dead-letters", 0, PT_OPT_STRING, AT(max_dead_letters), "N|P%",
     "end the run when there are more dead letters than N, or than P% of 1000 or more records",
     .key = "max_dead_letters", .check = check_dead_letters},
    {"topic-column", 0, PT_OPT_FLAG, AT(topic_column), "",
     "a column _kafka_topic VARCHAR (always there when several topics feed one table)",
     .key = "topic_column", .topic_key = "topic_column"},
    {"key-column", 0, PT_OPT_FLAG, AT(key_column), "", "a column _kafka_key BLOB: the record's key",
     .key = "key_column", .topic_key = "key_column"},
    {"headers-column", 0, PT_OPT_FLAG, AT(headers_column), "",
     "a column _kafka_headers STRUCT(key VARCHAR, value BLOB)[]: the record's headers",
     .key = "headers_column", .topic_key = "headers_column"},
    PT_CONFIG_OPTION(pt_ingest_args, 'c',
                     "YAML file with all of this and several topics; options given here win"),
    PT_PROPERTY_OPTION(pt_ingest_args),
    {"memory", 0, PT_OPT_SIZE, AT(memory), "SIZE",
     "memory of the whole process (default 512MiB), divided among fetched messages, batches and "
     "DuckDB; a flush is made earlier where it would not fit",
     .key = "memory", .check = pt_check_above_zero},
    {"threads", 0, PT_OPT_COUNT, AT(threads), "N",
     "threads that encode Parquet (default: one less than the cores, at least 1, and no more than "
     "--memory has room for)",
     .key = "threads", .check = check_threads},
    {"queue-bytes", 0, PT_OPT_SIZE, AT(queue), "SIZE",
     "messages that librdkafka fetches ahead (default: a part of --memory)", .key = "queue_bytes"},
    PT_TIMEOUT_OPTION(pt_ingest_args, "wait so long for a broker at the start (default 10s)"),
    {"stop-timeout", 0, PT_OPT_DURATION, AT(stop_timeout), "DUR",
     "after SIGTERM, wait so long for the last commit (default 30s)", .key = "stop_timeout"},
    {"commit-timeout", 0, PT_OPT_DURATION, AT(commit_timeout), "DUR",
     "end the process when the catalog has not answered a statement for so long (default 5m); "
     "nothing is lost, the next start continues",
     .key = "commit_timeout", .check = pt_check_above_zero},
    {"leftover-age", 0, PT_OPT_DURATION, AT(leftover_age), "DUR",
     "staged files that no snapshot knows are removed at the start when they are older (default "
     "1d); longer than any process may be paused",
     .key = "leftover_age"},
    PT_LOG_FORMAT_OPTION(pt_ingest_args),
    {"verbose", 'v', PT_OPT_FLAG, AT(verbose), "", "log every flush", .key = PT_NO_KEY},
};

static unsigned default_threads(unsigned most) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = cores > 2 ? (unsigned)cores - 1 : 1;
    return wanted < most ? wanted : most;
}

/* What the options say, but for the routes. */
static int make_options(const pt_ingest_args *a, const pt_option_values *s, pt_ingest_options *o,
                        pt_error *err) {
    PT_TRY(parse_dead_letters(a->max_dead_letters, &o->max_dead_letters, &o->max_dead_share, err));
    PT_TRY(pt_parse_where(pt_values_place(s, "start").text, a->start, &o->start, err));
    if (pt_memory_divide(a->memory, a->queue, &o->memory, err) != PT_OK) {
        return pt_values_source(s, "memory") > PT_FROM_DEFAULT &&
                       pt_values_source(s, "memory") < PT_FROM_FLAG
                   ? pt_fail_in(err, "%s", pt_values_place(s, "memory").text)
                   : (int)err->code; /* the text names the flag */
    }
    o->lake = pt_lake_args_options(&a->lake_args);
    o->lake.create = true;
    o->lake.threads = a->threads ? (unsigned)a->threads : default_threads(o->memory.threads);
    o->lake.inline_rows = (size_t)a->inline_rows;
    o->lake.idle_transaction_us = IDLE_TRANSACTION;
    if (o->lake.connect_timeout_us > a->commit_timeout / 4) {
        /* else the watchdog takes it for a statement without an answer; a catalog may have several
         * hosts */
        o->lake.connect_timeout_us = a->commit_timeout / 4;
    }
    o->consumer = (pt_consumer_options){
        .client = pt_kafka_args_options(&a->kafka_args),
        .group = a->group,
        .queue_bytes = o->memory.queue_bytes,
        .queue_messages = o->memory.queue_messages,
        .fetch_bytes = o->memory.fetch_bytes,
        .timeout_us = a->kafka_args.timeout,
    };
    o->flush_rows = a->flush_rows;
    o->flush_bytes = a->flush_bytes;
    o->flush_interval_us = a->flush_interval;
    o->fold_interval_us = a->fold_interval;
    o->until_end = a->until_end;
    o->on_error = a->on_error == 1 ? PT_ON_ERROR_FAIL : PT_ON_ERROR_DEAD_LETTER;
    o->on_no_column = a->on_no_column == 1 ? PT_NO_COLUMN_NULL : PT_NO_COLUMN_DEAD_LETTER;
    o->on_missing = a->on_missing == 1 ? PT_ON_MISSING_SKIP : PT_ON_MISSING_FAIL;
    o->stop_timeout_us = a->stop_timeout;
    o->commit_timeout_us = a->commit_timeout;
    o->orphan_age_us = a->leftover_age;
    return PT_OK;
}

static int ingest(const pt_ingest_args *a, const pt_option_values *s, pt_error *err) {
    pt_ingest_options o = {0};
    pt_route_options *routes = NULL;
    PT_TRY(pt_lake_args_check(&a->lake_args, err));
    if (!a->kafka_args.brokers || !*a->kafka_args.brokers) {
        return pt_fail(err, PT_E_USAGE,
                       "--brokers is missing: host:port of a Kafka or Redpanda broker");
    }
    PT_TRY(make_options(a, s, &o, err));
    int code = pt_ingest_routes(a, s, &routes, &o.n_routes, err);
    if (code == PT_OK) {
        pt_log_setup(a->verbose ? PT_LOG_DEBUG : PT_LOG_INFO,
                     a->log_format == 1 ? PT_LOG_JSON : PT_LOG_LOGFMT);
        o.routes = routes;
        code = pt_ingest(&o, err);
    }
    pt_ingest_routes_free(&routes, o.n_routes);
    return code;
}

static int run(int argc, char **argv) {
    pt_ingest_args a = {
        .kafka_args.timeout = PT_KAFKA_TIMEOUT,
        .flush_rows = 200000,
        .flush_bytes = (uint64_t)64 << 20,
        .flush_interval = 10000000,
        .inline_rows = PT_INLINE_ROWS,
        .fold_interval = (int64_t)600 * 1000000,
        .memory = PT_MEMORY_DEFAULT,
        .stop_timeout = 30000000,
        .commit_timeout = 300000000,
        .leftover_age = (int64_t)24 * 3600 * 1000000,
    };
    pt_option_values values;
    pt_parsed parsed;
    pt_error err = {0};
    int code = pt_values_take(&pt_command_ingest, argc, argv, &a, NULL, &values, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        code = ingest(&a, &values, &err);
    }
    pt_values_clear(&values);
    return code == PT_OK ? 0 : pt_command_failed(&pt_command_ingest, &err);
}

const pt_command pt_command_ingest = {
    .name = "ingest",
    .summary = "topics into tables of a lake, each record exactly once",
    .usage = "--brokers B --topic T --lake L --data-path D [--schema COLUMNS] [options]",
    .notes = "Runs until SIGTERM or SIGINT, which flush and commit first. It continues from the "
             "offsets in the lake (pintail.offsets), whatever\n"
             "the consumer group's own offsets say. Records that cannot be decoded are in "
             "pintail.dead_letters.",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
