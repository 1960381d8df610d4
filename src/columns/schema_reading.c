/* How values of a type are read: the unit of a number that is a time, the text form of a BLOB. */
#include "columns/schema_lex.h"

typedef struct reading {
    bool of_time; /* else of a BLOB */
    pt_epoch_unit unit;
    pt_blob_text text;
} reading;

/* What a reading found on its way through a type. */
typedef struct found {
    bool any, set;
} found;

static bool applies(const reading *r, const pt_type *type) {
    return r->of_time ? type->id >= PT_TIMESTAMP && type->id <= PT_TIMESTAMPTZ
                      : type->id == PT_BLOB;
}

/* It reaches into LIST, STRUCT and MAP, but what was said inside stands. */
static void set(const reading *r, pt_type *type, found *f) {
    if (applies(r, type)) {
        f->any = true;
        f->set |= !type->reading_given;
        if (!type->reading_given) {
            type->epoch = r->unit;
            type->blob = r->text;
            type->reading_given = true;
        }
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        set(r, &type->fields[i].type, f);
    }
}

static int read_unit(pt_lex *lex, pt_epoch_unit *out, pt_error *err) {
    static const char *const units[] = {
        [PT_EPOCH_S] = "s", [PT_EPOCH_MS] = "ms", [PT_EPOCH_US] = "us", [PT_EPOCH_NS] = "ns"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (pt_lex_is(lex, units[i])) {
            *out = (pt_epoch_unit)i;
            pt_lex_step(lex);
            return PT_OK;
        }
    }
    return pt_lex_fail(lex, err, "expected s, ms, us or ns after EPOCH");
}

bool pt_reading_next(const pt_lex *lex) {
    return pt_lex_is(lex, "EPOCH") || pt_lex_is(lex, "BASE64") || pt_lex_is(lex, "HEX");
}

int pt_reading_take(pt_lex *lex, pt_type *type, pt_error *err) {
    reading r = {.of_time = pt_lex_is(lex, "EPOCH"),
                 .text = pt_lex_is(lex, "HEX") ? PT_BLOB_HEX : PT_BLOB_BASE64};
    pt_lex_step(lex);
    if (r.of_time) {
        PT_TRY(read_unit(lex, &r.unit, err));
    }
    found f = {0};
    set(&r, type, &f);
    if (!f.any) {
        return pt_fail(err, PT_E_USAGE,
                       r.of_time ? "EPOCH belongs to a TIMESTAMP or TIMESTAMPTZ column"
                                 : "BASE64 and HEX belong to a BLOB column");
    }
    if (!f.set) {
        return pt_fail(err, PT_E_USAGE,
                       r.of_time ? "EPOCH is there twice" : "BASE64 or HEX is there twice");
    }
    return PT_OK;
}
