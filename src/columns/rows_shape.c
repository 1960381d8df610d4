#include "columns/vectors.h"

size_t pt_shape_count(const pt_type *type) {
    size_t n = 1 + (type->id == PT_MAP);
    for (size_t i = 0; i < type->n_fields; i++) {
        n += pt_shape_count(&type->fields[i].type);
    }
    return n;
}

static uint32_t type_width(const pt_type *type) {
    switch (type->id) {
    case PT_BOOLEAN:
    case PT_TINYINT:
    case PT_UTINYINT: return 1;
    case PT_SMALLINT:
    case PT_USMALLINT: return 2;
    case PT_INTEGER:
    case PT_UINTEGER:
    case PT_REAL:
    case PT_DATE: return 4;
    case PT_DECIMAL:
        return type->width <= 4 ? 2 : type->width <= 9 ? 4 : type->width <= 18 ? 8 : 16;
    case PT_BIGINT:
    case PT_UBIGINT:
    case PT_DOUBLE:
    case PT_TIME:
    case PT_TIMESTAMP:
    case PT_TIMESTAMP_S:
    case PT_TIMESTAMP_MS:
    case PT_TIMESTAMP_NS:
    case PT_TIMESTAMPTZ: return 8;
    case PT_STRUCT: return 0;
    default: /* 128 bits, strings, list entries */ return 16;
    }
}

uint32_t pt_shape_add(pt_rows *rows, const pt_type *type, uint32_t vec) {
    pt_shape *shape = &rows->shapes[vec];
    shape->id = type->id;
    shape->width = type_width(type);
    uint32_t next = vec + 1;
    if (type->id == PT_LIST || type->id == PT_MAP) {
        rows->n_lists++;
    }
    if (type->id == PT_MAP) {
        rows->shapes[next++].id = PT_STRUCT;
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        next = pt_shape_add(rows, &type->fields[i].type, next);
    }
    if (type->id == PT_MAP) {
        rows->shapes[vec + 1].after = next;
    }
    shape->after = next;
    return next;
}

size_t pt_shape_bytes(const pt_rows *rows, uint32_t vec) {
    size_t bytes = 0;
    for (uint32_t i = vec; i < rows->shapes[vec].after;) {
        bytes += rows->shapes[i].width;
        i = pt_shape_is_list(&rows->shapes[i]) ? rows->shapes[i].after : i + 1;
    }
    return bytes;
}
