/* The options of every command that asks a broker: --brokers, -X, --timeout; and --group. */
#pragma once

#include "cli/names.h"
#include "cli/values.h"
#include "kafka/client.h"

#define PT_KAFKA_TIMEOUT ((int64_t)10000000) /* the default of --timeout, in microseconds */

typedef struct pt_kafka_args {
    const char *brokers;
    pt_string_list properties;
    int64_t timeout;
} pt_kafka_args;

/* Table entries for a struct whose pt_kafka_args is the member `kafka_args`. */
#define PT_BROKERS_OPTION(struct_, help_)             \
    {.name = "brokers",                               \
     .letter = 'b',                                   \
     .kind = PT_OPT_STRING,                           \
     .offset = offsetof(struct_, kafka_args.brokers), \
     .arg = "HOST:PORT[,...]",                        \
     .help = (help_),                                 \
     .key = "brokers",                                \
     .check = pt_check_brokers}

#define PT_PROPERTY_OPTION(struct_)                                                   \
    {.name = "property",                                                              \
     .letter = 'X',                                                                   \
     .kind = PT_OPT_LIST,                                                             \
     .offset = offsetof(struct_, kafka_args.properties),                              \
     .arg = "PROP=VAL",                                                               \
     .help = "property of librdkafka, such as -X compression.codec=zstd; repeatable", \
     .key = "kafka",                                                                  \
     .check = pt_check_property,                                                      \
     .adds = true,                                                                    \
     .pairs = true}

#define PT_TIMEOUT_OPTION(struct_, help_)             \
    {.name = "timeout",                               \
     .kind = PT_OPT_DURATION,                         \
     .offset = offsetof(struct_, kafka_args.timeout), \
     .arg = "DUR",                                    \
     .help = (help_),                                 \
     .key = "timeout"}

/* --group of a command that reads or moves a pipeline; the field is `group`. */
#define PT_GROUP_OPTION(struct_, help_)  \
    {.name = "group",                    \
     .letter = 'g',                      \
     .kind = PT_OPT_STRING,              \
     .offset = offsetof(struct_, group), \
     .arg = "NAME",                      \
     .help = (help_),                    \
     .key = "group",                     \
     .check = pt_check_group}

pt_kafka_options pt_kafka_args_options(const pt_kafka_args *args);
