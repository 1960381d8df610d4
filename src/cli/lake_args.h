/* The options of every command that opens a lake: --lake, --data-path, --alias, --init-sql. */
#pragma once

#include "cli/values.h"
#include "duck/engine.h"

typedef struct pt_lake_args {
    const char *lake, *data_path, *alias;
    pt_string_list init_sql;
} pt_lake_args;

/* Table entries for a struct whose pt_lake_args is the member `lake_args`. */
#define PT_LAKE_OPTIONS(struct_)                                                                  \
    {.name = "lake",                                                                              \
     .letter = 'l',                                                                               \
     .kind = PT_OPT_STRING,                                                                       \
     .offset = offsetof(struct_, lake_args.lake),                                                 \
     .arg = "LAKE",                                                                               \
     .help = "what follows ATTACH in DuckDB: ducklake:metadata/x.ducklake, "                      \
             "ducklake:sqlite:FILE, 'ducklake:postgres:dbname=... host=...'",                     \
     .key = "lake"},                                                                              \
        {.name = "data-path",                                                                     \
         .letter = 'd',                                                                           \
         .kind = PT_OPT_STRING,                                                                   \
         .offset = offsetof(struct_, lake_args.data_path),                                        \
         .arg = "DIR",                                                                            \
         .help = "folder or s3:// prefix of the Parquet files; may be left out where the "        \
                 "catalog knows it",                                                              \
         .key = "data_path"},                                                                     \
        {.name = "alias",                                                                         \
         .kind = PT_OPT_STRING,                                                                   \
         .offset = offsetof(struct_, lake_args.alias),                                            \
         .arg = "NAME",                                                                           \
         .help = "name under which the lake is attached (default: lake)",                         \
         .key = "alias"},                                                                         \
    {                                                                                             \
        .name = "init-sql", .kind = PT_OPT_LIST, .offset = offsetof(struct_, lake_args.init_sql), \
        .arg = "SQL",                                                                             \
        .help = "statement run before the lake is attached, such as CREATE SECRET; repeatable",   \
        .key = "init_sql", .list = PT_LIST_WHOLE, .adds = true                                    \
    }

/* Options for pt_engine_open; create, read_only and the limits are the caller's to set. */
pt_lake_options pt_lake_args_options(const pt_lake_args *args);
/* --lake must be there. */
int pt_lake_args_check(const pt_lake_args *args, pt_error *err) PT_CHECKED;
