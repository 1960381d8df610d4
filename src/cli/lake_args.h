/* The options of every command that opens a lake: --lake, --data-path, --alias, --init-sql. */
#pragma once

#include "cli/options.h"
#include "duck/engine.h"

typedef struct pt_lake_args {
    const char *lake, *data_path, *alias;
    pt_string_list init_sql;
} pt_lake_args;

/* Table entries for a struct whose pt_lake_args is the member `lake_args`. */
#define PT_LAKE_OPTIONS(struct_)                                                                 \
    {"lake",                                                                                     \
     'l',                                                                                        \
     PT_OPT_STRING,                                                                              \
     offsetof(struct_, lake_args.lake),                                                          \
     "LAKE",                                                                                     \
     "what follows ATTACH in DuckDB: ducklake:metadata/x.ducklake, ducklake:sqlite:FILE, "       \
     "'ducklake:postgres:dbname=... host=...'"},                                                 \
        {"data-path",                                                                            \
         'd',                                                                                    \
         PT_OPT_STRING,                                                                          \
         offsetof(struct_, lake_args.data_path),                                                 \
         "DIR",                                                                                  \
         "folder or s3:// prefix of the Parquet files; may be left out where the catalog knows " \
         "it"},                                                                                  \
        {"alias",       0,                                                                       \
         PT_OPT_STRING, offsetof(struct_, lake_args.alias),                                      \
         "NAME",        "name under which the lake is attached (default: lake)"},                \
        {"init-sql",                                                                             \
         0,                                                                                      \
         PT_OPT_LIST,                                                                            \
         offsetof(struct_, lake_args.init_sql),                                                  \
         "SQL",                                                                                  \
         "statement run before the lake is attached, such as CREATE SECRET; repeatable"}

/* Options for pt_engine_open; create, read_only and the limits are the caller's to set. */
pt_lake_options pt_lake_args_options(const pt_lake_args *args);
/* --lake must be there. */
int pt_lake_args_check(const pt_lake_args *args, pt_error *err) PT_CHECKED;
