/* The parts of an engine that its sessions use too. */
#pragma once

#include <stdatomic.h>

#include "duck/engine.h"

struct pt_engine {
    duckdb_database database;
    char *alias;
    uint64_t number;
    pt_catalog_kind catalog;
    bool attached;
    bool is_file;   /* the catalog */
    bool encrypted; /* the lake */
    bool disowned;  /* it is set aside since its file belongs to somebody else now */
    _Atomic bool
        invalid; /* DuckDB has given itself up: it answers every statement with a FATAL error */
    _Atomic int64_t *pulse; /* the options' */
};
