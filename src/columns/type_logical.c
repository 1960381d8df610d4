/* A column type as DuckDB's own. */
#include <duckdb.h>
#include <stdlib.h>

#include "columns/schema.h"

static duckdb_logical_type logical_struct(const pt_type *type) {
    duckdb_logical_type *members = calloc(type->n_fields, sizeof *members);
    const char **names = calloc(type->n_fields, sizeof *names);
    duckdb_logical_type out = NULL;
    bool complete = members && names;
    for (size_t i = 0; complete && i < type->n_fields; i++) {
        members[i] = pt_type_logical(&type->fields[i].type);
        names[i] = type->fields[i].name;
        complete = members[i] != NULL;
    }
    if (complete) {
        out = duckdb_create_struct_type(members, names, type->n_fields);
    }
    for (size_t i = 0; members && i < type->n_fields; i++) {
        if (members[i]) {
            duckdb_destroy_logical_type(&members[i]);
        }
    }
    free(members);
    free(names);
    return out;
}

static duckdb_logical_type logical_nested(const pt_type *type) {
    if (type->id == PT_STRUCT) {
        return logical_struct(type);
    }
    duckdb_logical_type out = NULL;
    duckdb_logical_type first = pt_type_logical(&type->fields[0].type);
    if (type->id == PT_LIST) {
        out = first ? duckdb_create_list_type(first) : NULL;
    } else {
        duckdb_logical_type second = pt_type_logical(&type->fields[1].type);
        out = first && second ? duckdb_create_map_type(first, second) : NULL;
        if (second) {
            duckdb_destroy_logical_type(&second);
        }
    }
    if (first) {
        duckdb_destroy_logical_type(&first);
    }
    return out;
}

duckdb_logical_type pt_type_logical(const pt_type *type) {
    static const duckdb_type simple[] = {
        [PT_BOOLEAN] = DUCKDB_TYPE_BOOLEAN,
        [PT_TINYINT] = DUCKDB_TYPE_TINYINT,
        [PT_SMALLINT] = DUCKDB_TYPE_SMALLINT,
        [PT_INTEGER] = DUCKDB_TYPE_INTEGER,
        [PT_BIGINT] = DUCKDB_TYPE_BIGINT,
        [PT_HUGEINT] = DUCKDB_TYPE_HUGEINT,
        [PT_UTINYINT] = DUCKDB_TYPE_UTINYINT,
        [PT_USMALLINT] = DUCKDB_TYPE_USMALLINT,
        [PT_UINTEGER] = DUCKDB_TYPE_UINTEGER,
        [PT_UBIGINT] = DUCKDB_TYPE_UBIGINT,
        [PT_UHUGEINT] = DUCKDB_TYPE_UHUGEINT,
        [PT_REAL] = DUCKDB_TYPE_FLOAT,
        [PT_DOUBLE] = DUCKDB_TYPE_DOUBLE,
        [PT_VARCHAR] = DUCKDB_TYPE_VARCHAR,
        [PT_UUID] = DUCKDB_TYPE_UUID,
        [PT_DATE] = DUCKDB_TYPE_DATE,
        [PT_TIME] = DUCKDB_TYPE_TIME,
        [PT_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP,
        [PT_TIMESTAMP_S] = DUCKDB_TYPE_TIMESTAMP_S,
        [PT_TIMESTAMP_MS] = DUCKDB_TYPE_TIMESTAMP_MS,
        [PT_TIMESTAMP_NS] = DUCKDB_TYPE_TIMESTAMP_NS,
        [PT_TIMESTAMPTZ] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [PT_BLOB] = DUCKDB_TYPE_BLOB,
        [PT_JSON] = DUCKDB_TYPE_VARCHAR,
    };
    switch (type->id) {
    case PT_DECIMAL: return duckdb_create_decimal_type(type->width, type->scale);
    case PT_LIST:
    case PT_STRUCT:
    case PT_MAP: return logical_nested(type);
    default: return duckdb_create_logical_type(simple[type->id]);
    }
}
