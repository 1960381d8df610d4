#include "ingest/same_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lake/history.h"
#include "lake/identity.h"

/* Rows that the ledger has for the table's name and that are not in this table, though nobody has
 * decided so by a reset. Without a note only an empty table tells: it was made after they landed.
 */
static int missed_rows(const pt_member *r, const pt_route *route, const char *was, int64_t *rows,
                       pt_error *err) {
    pt_session *session = pt_catalog_session(r->catalog);
    const pt_table *t = route->table;
    *rows = 0;
    if (was) {
        return strcmp(was, t->uuid) == 0 ? PT_OK
                                         : pt_history_rows_since(session, r->reader.pipeline,
                                                                 route->topic, t->label, rows, err);
    }
    return t->has_rows || !pt_seen_recorded(&r->seen, route->topic)
               ? PT_OK
               : pt_history_rows_before(session, r->reader.pipeline, route->topic, t->label,
                                        t->table_id, rows, err);
}

static int fail_replaced(const pt_member *r, const pt_route *route, const char *was, int64_t rows,
                         pt_error *err) {
    const pt_table *t = route->table;
    pt_replaced replaced;
    int code = pt_replaced_find(pt_catalog_session(r->catalog), was ? was : "", t->uuid, &replaced,
                                err);
    char *text = code == PT_OK ? pt_replaced_text(&replaced, t->label) : NULL;
    if (code == PT_OK && !text) {
        code = pt_fail_nomem(err, "a text");
    }
    if (code == PT_OK) {
        bool back = replaced.was_named != NULL;
        bool ours = !replaced.first || strcmp(replaced.first, t->label) == 0;
        code = pt_fail(
            err, PT_E_LAKE,
            "table %s is not the one that it was: the ledger stands at %" PRId64
            " rows of topic %s in it, but %s%s; they would not be read again. Ways out: "
            "%s%s%spintail reset "
            "--topic %s --group '%s' (--to ledger goes on where it stands, if the rows are in the "
            "table that is there now%s), another --group, or the rows back from an older snapshot",
            t->label, rows, route->topic, text, t->has_rows ? "" : " and is empty",
            back ? "the names back as they were (ALTER TABLE ... RENAME TO), --table " : "",
            back ? replaced.was_named : "", back ? " to go on in that one, " : "", route->topic,
            r->reader.pipeline, ours ? ", --delete-rows reads everything again" : "");
    }
    free(text);
    pt_replaced_clear(&replaced);
    return code;
}

static int check_route(pt_member *r, size_t i, pt_error *err) {
    const pt_result *notes = &r->seen.notes;
    const pt_route *route = &r->reader.routes[i];
    const pt_table *t = route->table;
    const char *given = r->options->routes[i].schema;
    const char *noted = pt_identities_find_schema(notes, route->topic, t->label);
    bool new_schema = given && (!noted || strcmp(given, noted) != 0);
    const char *was = pt_identities_find(notes, r->reader.pipeline, route->topic, t->label);
    int64_t rows;
    PT_TRY(missed_rows(r, route, was, &rows, err));
    if (rows > 0) {
        return fail_replaced(r, route, was, rows, err);
    }
    if (!was || strcmp(was, t->uuid) != 0 || new_schema) {
        r->identities.list[r->identities.n++] = (pt_identity){route->topic, t->label, t->uuid,
                                                              new_schema ? given : NULL};
    }
    return PT_OK;
}

int pt_same_tables_check(pt_member *r, pt_error *err) {
    free(r->identities.list); /* of the attempt before */
    r->identities = (pt_identities){
        .list = calloc(r->reader.n_routes + 1, sizeof *r->identities.list)};
    if (!r->identities.list) {
        return pt_fail_nomem(err, "tables");
    }
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        PT_TRY(check_route(r, i, err));
    }
    return PT_OK;
}
