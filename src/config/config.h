/* The YAML file of `pintail ingest --config`. Values are texts as written; the command line parses
 * them with its own rules, so that a size is a size in both. NULL: not in the file.
 *
 *   brokers: 127.0.0.1:9092
 *   group: shop
 *   lake: ducklake:sqlite:metadata/lake.sqlite
 *   data_path: data/
 *   flush: {rows: 200000, bytes: 64MiB, interval: 10s}
 *   inline_rows: 30
 *   fold_interval: 10m
 *   kafka: {fetch.wait.max.ms: 100}
 *   topics:
 *     - {topic: orders, table: stream_orders, schema: "order_id UUID, quantity INTEGER"}
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct pt_config_topic {
    char *topic;  /* required */
    char *table;  /* the topic's name when NULL */
    char *schema; /* NULL: the table is there */
    char *topic_column, *key_column, *headers_column;
} pt_config_topic;

typedef struct pt_config_flush {
    char *rows, *bytes, *interval;
} pt_config_flush;

typedef struct pt_config_line {
    char *key; /* flush.rows, topics.0.schema, kafka.linger.ms */
    size_t line;
} pt_config_line;

typedef struct pt_config {
    char *brokers, *group, *lake, *data_path, *alias;
    char **init_sql;
    unsigned init_sql_count;
    pt_config_flush *flush;
    char *start, *on_error, *on_no_column, *on_missing_data, *max_dead_letters, *inline_rows,
        *fold_interval, *memory, *threads, *queue_bytes, *log_format;
    char *topic_column, *key_column, *headers_column;
    char *timeout, *stop_timeout, *commit_timeout, *leftover_age;
    pt_config_topic *topics;
    unsigned topics_count;
    char **properties; /* of `kafka`: "prop=val"; owned apart from what libcyaml loaded */
    size_t n_properties;
    pt_config_line *lines; /* where each value stands; owned likewise */
    size_t n_lines;
} pt_config;

/* Reads and checks the file; PT_E_USAGE with file and line for a key that is unknown, twice or of
 * the wrong kind, and for a second document. A key without a value is as no key. */
int pt_config_load(const char *path, pt_config **out, pt_error *err) PT_CHECKED;
/* The plain value of a key, such as memory or flush.rows; NULL: not in the file, or no such key. */
const char *pt_config_get(const pt_config *config, const char *key);
/* Whether the file may have it; topics.schema is a key of the entries of topics. */
bool pt_config_knows(const char *key);
void pt_config_free(pt_config **config);

/* The line of a value, from 1; 0: it is not there. */
size_t pt_config_line_of(const pt_config *config, const char *key);
