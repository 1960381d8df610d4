/* Types of columns, and a schema as a list of columns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pt_type_id {
    PT_BOOLEAN,
    PT_TINYINT,
    PT_SMALLINT,
    PT_INTEGER,
    PT_BIGINT,
    PT_HUGEINT,
    PT_UTINYINT,
    PT_USMALLINT,
    PT_UINTEGER,
    PT_UBIGINT,
    PT_UHUGEINT,
    PT_REAL,
    PT_DOUBLE,
    PT_DECIMAL, /* width 1-38, scale 0-width */
    PT_VARCHAR,
    PT_UUID,
    PT_DATE,
    PT_TIME,
    PT_TIMESTAMP,
    PT_TIMESTAMP_S,
    PT_TIMESTAMP_MS,
    PT_TIMESTAMP_NS,
    PT_TIMESTAMPTZ,
    PT_BLOB,
    PT_JSON, /* VARCHAR that holds the text of any JSON value, as it stood in the record */
    PT_LIST, /* fields[0]: the element */
    PT_STRUCT,
    PT_MAP /* fields[0]: the key (VARCHAR or a scalar written as a JSON string), fields[1]: the
              value */
} pt_type_id;

/* How a number in a DATE/TIME(STAMP) column is read, and which text form a BLOB has. */
typedef enum pt_epoch_unit { PT_EPOCH_S, PT_EPOCH_MS, PT_EPOCH_US, PT_EPOCH_NS } pt_epoch_unit;
typedef enum pt_blob_text { PT_BLOB_BASE64, PT_BLOB_HEX } pt_blob_text;

#define PT_TYPE_DEPTH 16 /* nesting of LIST/STRUCT/MAP that a schema may have */

typedef struct pt_field pt_field;

typedef struct pt_type {
    pt_type_id id;
    uint8_t width, scale; /* DECIMAL */
    pt_epoch_unit epoch;  /* TIMESTAMP, TIMESTAMP_*, TIMESTAMPTZ */
    pt_blob_text blob;    /* BLOB */
    bool reading_given;   /* epoch or blob stood in the schema */
    pt_field *fields;     /* LIST 1, MAP 2, STRUCT n; owned */
    size_t n_fields;
} pt_type;

struct pt_field {
    char *name;
    size_t name_len;
    pt_type type;
};

typedef struct pt_column {
    char *name;
    size_t name_len;
    pt_type type;
    bool not_null;
    char *default_sql;  /* the expression after DEFAULT, or NULL */
    char *default_json; /* the default's value as JSON text; the lake fills it in (it can evaluate
                           SQL); NULL: none */
} pt_column;

typedef struct pt_schema {
    pt_column *columns;
    size_t n_columns;
} pt_schema;
