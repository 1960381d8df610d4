/* pintail ingest: options and config file -> pt_ingest_options -> pt_ingest. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "cli/lake_args.h"
#include "cli/names.h"
#include "cli/options.h"
#include "config/config.h"
#include "ingest/ingest.h"
#include "kafka/client.h"
#include "kafka/where.h"
#include "lake/inlined.h"
#include "lake/table.h"
#include "lake/table_name.h"

typedef struct ingest_args {
    pt_lake_args lake_args;
    const char *brokers, *table, *group, *schema, *config;
    pt_string_list topics;
    uint64_t flush_rows, flush_bytes, inline_rows;
    int64_t flush_interval, fold_interval;
    bool until_end, topic_column, key_column, headers_column, verbose;
    const char *start;
    int on_error, on_no_column, on_missing, log_format;
    const char *max_dead_letters;
    pt_string_list properties;
    uint64_t memory, threads, queue;
    int64_t timeout, stop_timeout, commit_timeout, leftover_age;
} ingest_args;

#define THREADS_MAX 256
#define IDLE_TRANSACTION                                                                          \
    ((int64_t)10000000) /* microseconds; a flush is idle in its transaction for milliseconds, and \
                           a frozen one must not hold up the next owner */

#define AT(field_) offsetof(ingest_args, field_)

static const pt_option options[] = {
    {"brokers", 'b', PT_OPT_STRING, AT(brokers), "HOST:PORT[,...]", "bootstrap brokers"},
    {"topic", 't', PT_OPT_LIST, AT(topics), "TOPIC",
     "topic to read; repeatable: a table each, or one for all with --table; --schema holds for "
     "each"},
    PT_LAKE_OPTIONS(ingest_args),
    {"table", 0, PT_OPT_STRING, AT(table), "NAME",
     "target table, name or schema.name (default: the topic's name)"},
    {"schema", 0, PT_OPT_STRING, AT(schema), "COLUMNS",
     "columns of the table, such as 'id UUID NOT NULL, seen TIMESTAMPTZ EPOCH ms, price "
     "DECIMAL(10,2)'; may be left out when the table exists"},
    {"group", 'g', PT_OPT_STRING, AT(group), "NAME",
     "consumer group, and name of the pipeline in the ledger (default: pintail-<table>-<8 digits "
     "of the lake's id>; needed for several topics, once)"},
    {"flush-rows", 0, PT_OPT_COUNT, AT(flush_rows), "N",
     "commit after so many records (default 200000)"},
    {"flush-bytes", 0, PT_OPT_SIZE, AT(flush_bytes), "SIZE",
     "commit after so many decoded bytes (default 64MiB)"},
    {"flush-interval", 0, PT_OPT_DURATION, AT(flush_interval), "DUR",
     "commit when the oldest buffered record is so old (default 10s)"},
    {"inline-rows", 0, PT_OPT_COUNT, AT(inline_rows), "N",
     "a table's rows of a flush, if no more than that, stay in the catalog instead of a file "
     "(default 30; the lake's data_inlining_row_limit goes first; 0: never)"},
    {"fold-interval", 0, PT_OPT_DURATION, AT(fold_interval), "DUR",
     "write the rows in the catalog to files when the oldest is so old (default 10m), or 10,000 of "
     "a table are there"},
    {"until-end", 0, PT_OPT_FLAG, AT(until_end), "",
     "read up to the end offsets seen at the start, commit, exit 0"},
    {"start", 0, PT_OPT_STRING, AT(start), "earliest|latest|TIME|N",
     "where to begin a topic that the lake does not know (default earliest): at a time such as "
     "2026-11-29T15:30:00Z, or an offset; partitions that are added later begin at their first "
     "record"},
    {"on-error", 0, PT_OPT_CHOICE, AT(on_error), "dead-letter|fail",
     "a record that cannot be decoded goes to pintail.dead_letters (default), or ends the run with "
     "everything before it committed"},
    {"on-no-column", 0, PT_OPT_CHOICE, AT(on_no_column), "dead-letter|null",
     "a record none of whose keys is a column, such as an envelope, is a dead letter (default), or "
     "a row of defaults and NULLs"},
    {"on-missing-data", 0, PT_OPT_CHOICE, AT(on_missing), "fail|skip",
     "when the broker no longer has the records that come next (retention): end the run (default), "
     "or go on behind them and record the jump in the ledger"},
    {"max-dead-letters", 0, PT_OPT_STRING, AT(max_dead_letters), "N|P%",
     "end the run when there are more dead letters than N, or than P% of 1000 or more records"},
    {"topic-column", 0, PT_OPT_FLAG, AT(topic_column), "",
     "a column _kafka_topic VARCHAR (always there when several topics feed one table)"},
    {"key-column", 0, PT_OPT_FLAG, AT(key_column), "",
     "a column _kafka_key BLOB: the record's key"},
    {"headers-column", 0, PT_OPT_FLAG, AT(headers_column), "",
     "a column _kafka_headers STRUCT(key VARCHAR, value BLOB)[]: the record's headers"},
    {"config", 'c', PT_OPT_STRING, AT(config), "FILE",
     "YAML file with all of this and several topics; options given here win"},
    {"X", 'X', PT_OPT_LIST, AT(properties), "PROP=VAL", "librdkafka property, repeatable"},
    {"memory", 0, PT_OPT_SIZE, AT(memory), "SIZE",
     "memory of the whole process (default 512MiB), divided among fetched messages, batches and "
     "DuckDB; a flush is made earlier where it would not fit"},
    {"threads", 0, PT_OPT_COUNT, AT(threads), "N",
     "threads that encode Parquet (default: one less than the cores, at least 1, and no more than "
     "--memory has room for)"},
    {"queue-bytes", 0, PT_OPT_SIZE, AT(queue), "SIZE",
     "messages that librdkafka fetches ahead (default: a part of --memory)"},
    {"timeout", 0, PT_OPT_DURATION, AT(timeout), "DUR",
     "wait so long for a broker at the start (default 10s)"},
    {"stop-timeout", 0, PT_OPT_DURATION, AT(stop_timeout), "DUR",
     "after SIGTERM, wait so long for the last commit (default 30s)"},
    {"commit-timeout", 0, PT_OPT_DURATION, AT(commit_timeout), "DUR",
     "end the process when the catalog has not answered a statement for so long (default 5m); "
     "nothing is lost, the next start goes on"},
    {"leftover-age", 0, PT_OPT_DURATION, AT(leftover_age), "DUR",
     "staged files that no snapshot knows are removed at the start when they are older (default "
     "1d); longer than any process may be paused"},
    PT_LOG_FORMAT_OPTION(ingest_args),
    {"verbose", 'v', PT_OPT_FLAG, AT(verbose), "", "log every flush"},
};

enum { N_OPTIONS = sizeof options / sizeof *options };

/* ---- the config file fills what the command line left open ---- */

typedef struct merge {
    const char *path;
    const pt_config *config;
    const bool *given;
    pt_error *err;
} merge;

/* Puts the place of a wrong value in front of the error. */
static int in_config(const merge *m, const char *key, int code) {
    return code == PT_OK ? PT_OK
                         : pt_fail_in(m->err, "config %s line %zu: %s", m->path,
                                      pt_config_line_of(m->config, key), key);
}

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

/* A topic's name as a table name: quoted when it has dots, so that they do not part schema and
 * name. */
static int table_name(const char *topic, const char *table, char **out, pt_error *err) {
    if (table) {
        *out = strdup(table);
    } else if (!strchr(topic, '.')) {
        *out = strdup(topic);
    } else if (asprintf(out, "\"%s\"", topic) < 0) {
        *out = NULL;
    }
    return *out ? PT_OK : pt_fail_nomem(err, "a table name");
}

/* flush-rows -> flush.rows, on-error -> on_error; the file has no key for an option of a single
 * run, and for those of a topic in `topics`. */
static void file_key(const pt_option *o, char *key, size_t size) {
    (void)snprintf(key, size, "%s", o->name);
    for (char *p = key; (p = strchr(p, '-')); p++) {
        *p = strncmp(key, "flush-", 6) == 0 ? '.' : '_';
    }
}

/* The rest of what is asked of a value, for which the command line has texts of its own. */
static int check_value(const pt_option *o, const char *value, const ingest_args *a, pt_error *err) {
    static const char *const more_than_0[] = {"flush-rows",    "flush-bytes",    "flush-interval",
                                              "fold-interval", "commit-timeout", "memory"};
    const int64_t *number = (const int64_t *)(const void *)((const char *)a + o->offset);
    for (size_t i = 0; i < sizeof more_than_0 / sizeof *more_than_0; i++) {
        if (strcmp(o->name, more_than_0[i]) == 0 && *number == 0) {
            return pt_fail(err, PT_E_USAGE, "it must be more than 0");
        }
    }
    if (strcmp(o->name, "threads") == 0 && a->threads > THREADS_MAX) {
        return pt_fail(err, PT_E_USAGE, "%" PRIu64 " is more than %d", a->threads, THREADS_MAX);
    }
    uint64_t count;
    double share;
    pt_where where;
    if (strcmp(o->name, "start") == 0) {
        return pt_parse_where("its value", value, &where, err);
    }
    return strcmp(o->name, "max-dead-letters") == 0 ? parse_dead_letters(value, &count, &share, err)
                                                    : PT_OK;
}

static int merge_options(const merge *m, ingest_args *a) {
    for (size_t i = 0; i < N_OPTIONS; i++) {
        char key[64];
        file_key(&options[i], key, sizeof key);
        const char *value = pt_config_get(m->config, key);
        if (!value || m->given[i]) {
            continue;
        }
        int code = pt_option_store(&options[i], value, a, m->err);
        PT_TRY(
            in_config(m, key, code == PT_OK ? check_value(&options[i], value, a, m->err) : code));
    }
    return PT_OK;
}

/* Each part is checked again when it is used, but there nobody knows the line any more. */
static int check_topics(const merge *m, const ingest_args *a) {
    char key[64];
    for (unsigned i = 0; !a->topics.n && i < m->config->topics_count; i++) {
        const pt_config_topic *t = &m->config->topics[i];
        char *table = NULL;
        PT_TRY(table_name(t->topic, t->table, &table, m->err));
        pt_table_options target = {.table = table, .schema_text = t->schema};
        int code = pt_table_check(&target, m->err);
        free(table);
        if (code != PT_OK) {
            bool by_name = strncmp(m->err->text, "bad table name", strlen("bad table name")) == 0;
            (void)snprintf(key, sizeof key, "topics.%u.%s", i,
                           !by_name   ? "schema"
                           : t->table ? "table"
                                      : "topic");
            return pt_fail_in(m->err, "config %s line %zu", m->path,
                              pt_config_line_of(m->config, key));
        }
    }
    return PT_OK;
}

static int check_properties(const merge *m) {
    char key[300];
    for (size_t i = 0; i < m->config->n_properties; i++) {
        const char *property = m->config->properties[i];
        (void)snprintf(key, sizeof key, "kafka.%.*s", (int)strcspn(property, "="), property);
        if (pt_kafka_check_property(property, m->err) != PT_OK) {
            return pt_fail_in(m->err, "config %s line %zu", m->path,
                              pt_config_line_of(m->config, key));
        }
    }
    return PT_OK;
}

static int merge_config(const merge *m, ingest_args *a) {
    const pt_config *c = m->config;
    PT_TRY(merge_options(m, a));
    PT_TRY(check_topics(m, a));
    PT_TRY(check_properties(m));
    for (unsigned i = 0; i < c->init_sql_count && a->lake_args.init_sql.n < PT_LIST_MAX; i++) {
        a->lake_args.init_sql.items[a->lake_args.init_sql.n++] = c->init_sql[i];
    }
    /* properties of the file come first, so that -X wins */
    pt_string_list all = {.n = 0};
    for (size_t i = 0; i < c->n_properties && all.n < PT_LIST_MAX; i++) {
        all.items[all.n++] = c->properties[i];
    }
    for (size_t i = 0; i < a->properties.n && all.n < PT_LIST_MAX; i++) {
        all.items[all.n++] = a->properties.items[i];
    }
    a->properties = all;
    return PT_OK;
}

/* ---- args -> pt_ingest_options ---- */

/* What one topic's entry says goes before what is said for all. */
static int topic_columns(const ingest_args *a, const pt_config *config, size_t topic,
                         pt_metas *extra, pt_error *err) {
    const pt_config_topic *t = &config->topics[topic];
    const char *const texts[] = {t->topic_column, t->key_column, t->headers_column};
    static const char *const keys[] = {"topic_column", "key_column", "headers_column"};
    const pt_meta metas[] = {PT_META_TOPIC, PT_META_KEY, PT_META_HEADERS};
    for (size_t i = 0; i < sizeof metas / sizeof *metas; i++) {
        bool wanted = *extra & (1U << metas[i]);
        if (texts[i] && pt_parse_flag(texts[i], &wanted, err) != PT_OK) {
            char key[64];
            (void)snprintf(key, sizeof key, "topics.%zu.%s", topic, keys[i]);
            return pt_fail_in(err, "config %s line %zu: topic %s: %s", a->config,
                              pt_config_line_of(config, key), t->topic, keys[i]);
        }
        *extra = (*extra & ~(1U << metas[i])) | (wanted ? 1U << metas[i] : 0);
    }
    return PT_OK;
}

/* Whether a topic is there twice; config: where it is from, NULL: the command line. */
static int check_twice(const ingest_args *a, const pt_config *config,
                       const pt_route_options *routes, size_t i, pt_error *err) {
    char key[64];
    size_t k = 0;
    while (strcmp(routes[k].topic, routes[i].topic) != 0) {
        k++;
    }
    if (k == i) {
        return PT_OK;
    }
    if (!config) {
        return pt_fail(err, PT_E_USAGE, "--topic %s is there twice", routes[i].topic);
    }
    (void)snprintf(key, sizeof key, "topics.%zu.topic", i);
    return pt_fail(err, PT_E_USAGE, "config %s line %zu: topic %s is there twice", a->config,
                   pt_config_line_of(config, key), routes[i].topic);
}

static int make_routes(const ingest_args *a, const pt_config *config, pt_route_options **routes,
                       size_t *n, pt_error *err) {
    bool from_config = config && !a->topics.n;
    *n = from_config ? config->topics_count : a->topics.n;
    if (*n == 0) {
        return pt_fail(err, PT_E_USAGE, "--topic is missing (or --config FILE with topics)");
    }
    *routes = calloc(*n, sizeof **routes);
    if (!*routes) {
        return pt_fail_nomem(err, "the routes");
    }
    pt_metas all = (a->topic_column ? 1U << PT_META_TOPIC : 0) |
                   (a->key_column ? 1U << PT_META_KEY : 0) |
                   (a->headers_column ? 1U << PT_META_HEADERS : 0);
    for (size_t i = 0; i < *n; i++) {
        const char *topic = from_config ? config->topics[i].topic : a->topics.items[i];
        char *table = NULL;
        pt_metas extra = all;
        PT_TRY(pt_names_check_topic(topic, err));
        if (from_config) {
            PT_TRY(topic_columns(a, config, i, &extra, err));
        }
        PT_TRY(table_name(topic, from_config ? config->topics[i].table : a->table, &table, err));
        (*routes)[i] = (pt_route_options){.topic = topic,
                                          .table = table,
                                          .schema = from_config ? config->topics[i].schema
                                                                : a->schema,
                                          .extra = extra};
        PT_TRY(pt_names_check_table(table, err)); /* the routes own it */
        PT_TRY(check_twice(a, from_config ? config : NULL, *routes, i, err));
    }
    return PT_OK;
}

static int check_args(const ingest_args *a, pt_error *err) {
    PT_TRY(pt_lake_args_check(&a->lake_args, err));
    if (!a->brokers) {
        return pt_fail(err, PT_E_USAGE,
                       "--brokers is missing: host:port of a Kafka or Redpanda broker");
    }
    if (a->group) {
        PT_TRY(pt_names_check_group(a->group, err));
    }
    PT_TRY(pt_names_check_brokers(a->brokers, err));
    PT_TRY(pt_names_check_properties(a->properties.items, a->properties.n, err));
    if (a->flush_rows == 0 || a->flush_bytes == 0 || a->flush_interval <= 0 ||
        a->fold_interval <= 0 || a->commit_timeout <= 0) {
        return pt_fail(err, PT_E_USAGE,
                       "--flush-rows, --flush-bytes, --flush-interval, --fold-interval and "
                       "--commit-timeout must be more than 0");
    }
    if (a->threads > THREADS_MAX) {
        return pt_fail(err, PT_E_USAGE, "--threads %" PRIu64 " is more than %d", a->threads,
                       THREADS_MAX);
    }
    return PT_OK;
}

static unsigned default_threads(unsigned most) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = cores > 2 ? (unsigned)cores - 1 : 1;
    return wanted < most ? wanted : most;
}

static int run_with(ingest_args *a, const pt_config *config, pt_error *err) {
    pt_ingest_options o = {0};
    pt_route_options *routes = NULL;
    PT_TRY(check_args(a, err));
    if (parse_dead_letters(a->max_dead_letters, &o.max_dead_letters, &o.max_dead_share, err) !=
        PT_OK) {
        return pt_fail_in(err, "--max-dead-letters");
    }
    PT_TRY(pt_parse_where("--start", a->start, &o.start, err));
    PT_TRY(pt_memory_divide(a->memory, a->queue, &o.memory, err));
    int code = make_routes(a, config, &routes, &o.n_routes, err);
    if (code == PT_OK) {
        pt_log_setup(a->verbose ? PT_LOG_DEBUG : PT_LOG_INFO,
                     a->log_format == 1 ? PT_LOG_JSON : PT_LOG_LOGFMT);
        o.lake = pt_lake_args_options(&a->lake_args);
        o.lake.create = true;
        o.lake.threads = a->threads ? (unsigned)a->threads : default_threads(o.memory.threads);
        o.consumer = (pt_consumer_options){
            .client = {.brokers = a->brokers,
                       .properties = a->properties.items,
                       .n_properties = a->properties.n},
            .group = a->group,
            .queue_bytes = o.memory.queue_bytes,
            .queue_messages = o.memory.queue_messages,
            .fetch_bytes = o.memory.fetch_bytes,
            .timeout_us = a->timeout,
        };
        o.routes = routes;
        o.flush_rows = a->flush_rows;
        o.flush_bytes = a->flush_bytes;
        o.flush_interval_us = a->flush_interval;
        o.fold_interval_us = a->fold_interval;
        o.lake.inline_rows = (size_t)a->inline_rows;
        o.until_end = a->until_end;
        o.on_error = a->on_error == 1 ? PT_ON_ERROR_FAIL : PT_ON_ERROR_DEAD_LETTER;
        o.on_no_column = a->on_no_column == 1 ? PT_NO_COLUMN_NULL : PT_NO_COLUMN_DEAD_LETTER;
        o.on_missing = a->on_missing == 1 ? PT_ON_MISSING_SKIP : PT_ON_MISSING_FAIL;
        o.stop_timeout_us = a->stop_timeout;
        o.commit_timeout_us = a->commit_timeout;
        o.lake.idle_transaction_us = IDLE_TRANSACTION;
        if (o.lake.connect_timeout_us >
            a->commit_timeout / 4) { /* else the watchdog takes it for a statement without an
                                        answer, and a catalog has several hosts perhaps */
            o.lake.connect_timeout_us = a->commit_timeout / 4;
        }
        o.orphan_age_us = a->leftover_age;
        code = pt_ingest(&o, err);
    }
    for (size_t i = 0; routes && i < o.n_routes; i++) {
        free((char *)(uintptr_t)routes[i].table);
    }
    free(routes);
    return code;
}

static int run(int argc, char **argv) {
    ingest_args a = {
        .flush_rows = 200000,
        .flush_bytes = (uint64_t)64 << 20,
        .flush_interval = 10000000,
        .inline_rows = PT_INLINE_ROWS,
        .fold_interval = (int64_t)600 * 1000000,
        .memory = PT_MEMORY_DEFAULT,
        .timeout = 10000000,
        .stop_timeout = 30000000,
        .commit_timeout = 300000000,
        .leftover_age = (int64_t)24 * 3600 * 1000000,
    };
    bool given[N_OPTIONS] = {false};
    pt_parsed parsed;
    pt_error err = {0};
    pt_config *config = NULL;
    int code = pt_options_parse(&pt_command_ingest, argc, argv, &a, NULL, given, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED_HELP) {
        return 0;
    }
    if (code == PT_OK && a.config) {
        code = pt_config_load(a.config, &config, &err);
        if (code == PT_OK) {
            if (config->log_format && strcmp(config->log_format, "json") == 0 &&
                a.log_format == 0) { /* an error in what follows is a JSON line, too */
                pt_log_setup(PT_LOG_INFO, PT_LOG_JSON);
            }
            merge m = {a.config, config, given, &err};
            code = merge_config(&m, &a);
            if (code == PT_OK) {
                pt_log_setup(PT_LOG_INFO, a.log_format == 1 ? PT_LOG_JSON : PT_LOG_LOGFMT);
            }
        }
    }
    if (code == PT_OK) {
        code = run_with(&a, config, &err);
    }
    pt_config_free(&config);
    return code == PT_OK ? 0 : pt_command_failed(&pt_command_ingest, &err);
}

const pt_command pt_command_ingest = {
    .name = "ingest",
    .summary = "topics into tables of a lake, each record exactly once",
    .usage = "--brokers B --topic T --lake L --data-path D [--schema COLUMNS] [options]",
    .notes = "Runs until SIGTERM or SIGINT, which flush and commit first. It goes on from the "
             "offsets in the lake (pintail.offsets), whatever\n"
             "the consumer group's own offsets say. Records that cannot be decoded are in "
             "pintail.dead_letters.",
    .options = options,
    .n_options = N_OPTIONS,
    .run = run,
};
