#include "cli/lake_args.h"

#define CONNECT_TIMEOUT ((int64_t)10000000) /* microseconds */

pt_lake_options pt_lake_args_options(const pt_lake_args *args) {
    return (pt_lake_options){
        .lake = args->lake,
        .data_path = args->data_path,
        .alias = args->alias,
        .init_sql = args->init_sql.items,
        .n_init_sql = args->init_sql.n,
        .connect_timeout_us = CONNECT_TIMEOUT,
    };
}

int pt_lake_args_check(const pt_lake_args *args, pt_error *err) {
    if (!args->lake) {
        return pt_fail(err, PT_E_USAGE,
                       "--lake is missing: write what follows ATTACH, such as --lake "
                       "ducklake:sqlite:metadata/lake.sqlite");
    }
    return PT_OK;
}
