/* The names of types: those that a column may have, and those that it may not. */
#include <stddef.h>

#include "columns/schema_lex.h"

static const struct type_name {
    const char *name;
    pt_type_id id;
} type_names[] = {
    /* the first name of each type is the one that pt_type_sql prints */
    {"BOOLEAN", PT_BOOLEAN},
    {"BOOL", PT_BOOLEAN},
    {"LOGICAL", PT_BOOLEAN},
    {"TINYINT", PT_TINYINT},
    {"INT1", PT_TINYINT},
    {"SMALLINT", PT_SMALLINT},
    {"INT2", PT_SMALLINT},
    {"INT16", PT_SMALLINT},
    {"SHORT", PT_SMALLINT},
    {"INTEGER", PT_INTEGER},
    {"INT", PT_INTEGER},
    {"INT4", PT_INTEGER},
    {"INT32", PT_INTEGER},
    {"SIGNED", PT_INTEGER},
    {"INTEGRAL", PT_INTEGER},
    {"BIGINT", PT_BIGINT},
    {"INT8", PT_BIGINT},
    {"INT64", PT_BIGINT},
    {"LONG", PT_BIGINT},
    {"OID", PT_BIGINT},
    {"HUGEINT", PT_HUGEINT},
    {"INT128", PT_HUGEINT},
    {"UTINYINT", PT_UTINYINT},
    {"UINT8", PT_UTINYINT},
    {"USMALLINT", PT_USMALLINT},
    {"UINT16", PT_USMALLINT},
    {"UINTEGER", PT_UINTEGER},
    {"UINT32", PT_UINTEGER},
    {"UBIGINT", PT_UBIGINT},
    {"UINT64", PT_UBIGINT},
    {"UHUGEINT", PT_UHUGEINT},
    {"UINT128", PT_UHUGEINT},
    {"FLOAT", PT_REAL},
    {"REAL", PT_REAL},
    {"FLOAT4", PT_REAL},
    {"DOUBLE", PT_DOUBLE},
    {"FLOAT8", PT_DOUBLE},
    {"DECIMAL", PT_DECIMAL},
    {"NUMERIC", PT_DECIMAL},
    {"DEC", PT_DECIMAL},
    {"VARCHAR", PT_VARCHAR},
    {"TEXT", PT_VARCHAR},
    {"STRING", PT_VARCHAR},
    {"CHAR", PT_VARCHAR},
    {"BPCHAR", PT_VARCHAR},
    {"NVARCHAR", PT_VARCHAR},
    {"UUID", PT_UUID},
    {"GUID", PT_UUID},
    {"DATE", PT_DATE},
    {"TIME", PT_TIME},
    {"TIMESTAMP", PT_TIMESTAMP},
    {"DATETIME", PT_TIMESTAMP},
    {"TIMESTAMP_US", PT_TIMESTAMP},
    {"TIMESTAMP_S", PT_TIMESTAMP_S},
    {"TIMESTAMP_MS", PT_TIMESTAMP_MS},
    {"TIMESTAMP_NS", PT_TIMESTAMP_NS},
    {"TIMESTAMP WITH TIME ZONE", PT_TIMESTAMPTZ},
    {"TIMESTAMPTZ", PT_TIMESTAMPTZ},
    {"BLOB", PT_BLOB},
    {"BYTEA", PT_BLOB},
    {"BINARY", PT_BLOB},
    {"VARBINARY", PT_BLOB},
    {"JSON", PT_JSON},
};

static const struct refused_type {
    const char *name, *instead;
} refused_types[] = {
    {"TIMETZ", "use TIME"},
    {"TIME_NS", "use TIME"},
    {"INTERVAL", "use VARCHAR, or BIGINT for a number of seconds"},
    {"BIT", "use VARCHAR or BLOB"},
    {"BITSTRING", "use VARCHAR or BLOB"},
    {"ENUM", "use VARCHAR"},
    {"UNION", "use JSON or a STRUCT"},
    {"BIGNUM", "use DECIMAL(38,0) or VARCHAR"},
    {"VARINT", "use DECIMAL(38,0) or VARCHAR"},
    {"GEOMETRY", "use BLOB or VARCHAR"},
    {"VARIANT", "use JSON"},
    {"ARRAY", "write the element type and [] for a list, such as INTEGER[]"},
    {"LIST", "write the element type and [] for a list, such as INTEGER[]"},
};

const char *pt_type_name(pt_type_id id) {
    size_t i = 0;
    while (i + 1 < sizeof type_names / sizeof *type_names && type_names[i].id != id) {
        i++;
    }
    return type_names[i].name;
}

bool pt_type_named(const pt_lex *lex, pt_type_id *out) {
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (pt_lex_is(lex, type_names[i].name)) {
            *out = type_names[i].id;
            return true;
        }
    }
    return false;
}

const char *pt_type_refused(const pt_lex *lex, const char **instead) {
    for (size_t i = 0; i < sizeof refused_types / sizeof *refused_types; i++) {
        if (pt_lex_is(lex, refused_types[i].name)) {
            *instead = refused_types[i].instead;
            return refused_types[i].name;
        }
    }
    return NULL;
}
