/* Tables of the lake, found and made by the DuckDB to which it is attached. */
#include <inttypes.h>

#include "duck/session.h"
#include "lake/catalog_ducklake.h"
#include "lake/table_make.h"

int pt_ducklake_check_attached(const pt_ducklake *c, pt_error *err) {
    return c->session
               ? PT_OK
               : pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached since the catalog failed");
}

int pt_ducklake_limit_memory(pt_catalog *catalog, uint64_t bytes, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_session_runf(c->session, err, "SET memory_limit = '%" PRIu64 "B'", bytes);
}

int pt_ducklake_plan_table(pt_catalog *catalog, const pt_table_options *options,
                           pt_table_planned *out, pt_text *to_make, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_table_plan(c->session, options, out, to_make, err);
}

int pt_ducklake_make_tables(pt_catalog *catalog, const char *what, pt_text *to_make,
                            pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_tables_make(c->session, what, to_make, err);
}

int pt_ducklake_open_table(pt_catalog *catalog, const pt_table_options *options, pt_table **out,
                           pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_table_open(c->session, options, out, err);
}

int pt_ducklake_open_own(pt_catalog *catalog, const char *name, const char *schema_text,
                         pt_table **out, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_table_open_own(c->session, name, schema_text, out, err);
}

int pt_ducklake_open_place(pt_catalog *catalog, const char *schema, const char *name,
                           pt_table **out, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_table_open_place(c->session, schema, name, out, err);
}

int pt_ducklake_look_for_rows(pt_catalog *catalog, pt_table *table, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    PT_TRY(pt_ducklake_check_attached(c, err));
    return pt_table_look_for_rows(c->session, table, err);
}
