#include "duck/engine.h"

#include <stdatomic.h>

#include "duck/engine_internal.h"

bool pt_engine_invalid(const pt_engine *engine) {
    return engine && atomic_load(&engine->invalid);
}

void pt_engine_disown(pt_engine *engine) {
    engine->disowned = true;
    atomic_store(&engine->invalid, true);
}

uint64_t pt_engine_number(const pt_engine *engine) {
    return engine->number;
}

const char *pt_engine_alias(const pt_engine *engine) {
    return engine->alias;
}

pt_catalog_kind pt_engine_catalog(const pt_engine *engine) {
    return engine->catalog;
}

bool pt_engine_encrypted(const pt_engine *engine) {
    return engine->encrypted;
}
