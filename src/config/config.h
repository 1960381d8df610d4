/* A YAML file as a list of values, each with its key and its line. The caller says which keys the
 * file may have. Values are texts as they are written: the command line's rules parse them.
 *
 *   lake: ducklake:sqlite:metadata/lake.sqlite          PT_CONFIG_VALUE
 *   flush: {rows: 200000, interval: 10s}                PT_CONFIG_VALUE flush.rows, flush.interval
 *   init_sql: ["SET threads = 1"]                       PT_CONFIG_LIST
 *   kafka: {fetch.wait.max.ms: 100}                     PT_CONFIG_PAIRS
 *   topics: [{topic: orders, table: stream_orders}]     PT_CONFIG_ENTRIES
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef enum pt_config_kind {
    PT_CONFIG_VALUE,  /* one text */
    PT_CONFIG_LIST,   /* texts */
    PT_CONFIG_PAIRS,  /* texts by names of any kind */
    PT_CONFIG_ENTRIES /* mappings, each with the keys of `entry` */
} pt_config_kind;

typedef struct pt_config_key {
    const char *name; /* memory; flush.rows for the key rows in the mapping flush */
    pt_config_kind kind;
    bool required;     /* a file, or an entry, without it is refused */
    bool null_is_text; /* `null` is one of its values */
    bool may_be_blank; /* a blank text is as no key, else it is refused */
    const struct pt_config_key *entry;
    size_t n_entry;
} pt_config_key;

/* Keys of values: memory, flush.rows, init_sql.0, kafka.linger.ms, topics.1.schema. init_sql, kafka
 * and topics themselves are there without a text, and say how many they hold. */
typedef struct pt_config_value {
    char *key, *text;
    size_t n, line; /* lines count from 1 */
} pt_config_value;

typedef struct pt_config {
    char *path;
    pt_config_value *values; /* as they stand in the file */
    size_t n_values;
    size_t *by_key; /* places in values, sorted by key */
} pt_config;

/* The value of a key, such as flush.rows or topics.1.schema; NULL: not in the file. */
const pt_config_value *pt_config_find(const pt_config *config, const char *key);
const char *pt_config_text(const pt_config *config, const char *key);  /* NULL: not in the file */
size_t pt_config_line_of(const pt_config *config, const char *key);    /* 0: not in the file */
size_t pt_config_count(const pt_config *config, const char *list_key); /* 0: not in the file */
void pt_config_free(pt_config **config);
