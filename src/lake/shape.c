#include "lake/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "lake/metadata.h"

int pt_shape_read(pt_session *session, pt_table *t, pt_error *err) {
    pt_result found = {0};
    int code = pt_metadata_shape(session, t->schema_name, t->name, &found, err);
    bool there = code == PT_OK && found.n_rows;
    t->table_id = there ? pt_result_int(&found, 0, 0) : -1;
    t->shape = there ? pt_result_int(&found, 0, 1) : -1;
    const char *uuid = there ? pt_result_cell(&found, 0, 4) : NULL;
    (void)snprintf(t->uuid, sizeof t->uuid, "%s", uuid ? uuid : "");
    pt_result_clear(&found);
    return code;
}

#define STOP "nothing more is committed"

static int check_table(const pt_table *t, const pt_result *found, pt_error *err) {
    for (size_t r = 0; r < found->n_rows; r++) {
        const char *schema = pt_result_cell(found, r, 2);
        const char *name = pt_result_cell(found, r, 3);
        if (pt_result_int(found, r, 0) != t->table_id) {
            continue;
        }
        if (strcmp(schema, t->schema_name) != 0 || strcmp(name, t->name) != 0) {
            return pt_fail_why(
                err, PT_E_LAKE, PT_WHY_NO_RECORD,
                "table %s does not exist by that name any more, it is now named %s.%s: " STOP
                "; ways out: start with --table for the new name and the same --group, or give the "
                "table its name back",
                t->label, schema, name);
        }
        if (pt_result_int(found, r, 1) != t->shape) {
            return pt_fail(
                err, PT_E_LAKE_CHANGED,
                "table %s was altered; what was read for it is read again by its columns of now",
                t->label);
        }
        return PT_OK;
    }
    return pt_fail_why(
        err, PT_E_LAKE, PT_WHY_NO_RECORD,
        "table %s does not exist any more: it was dropped while it was being filled "
        "(one of that name that is there now is another): " STOP "; ways out: pintail reset, which "
        "reads the topic again from where you say, or another --group; AT (VERSION => "
        "n) still reads the rows of the dropped table",
        t->label);
}

int pt_shapes_check(pt_session *session, const pt_flush *flush, pt_error *err) {
    pt_text ids = {0};
    pt_result found = {0};
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_text_addf(&ids, "%s%" PRId64, i ? "," : "", flush->slices[i].table->table_id);
    }
    int code = pt_text_check(&ids, err);
    if (code == PT_OK && flush->n_slices) {
        code = pt_metadata_shapes(session, pt_text_get(&ids), &found, err);
    }
    for (size_t i = 0; code == PT_OK && i < flush->n_slices; i++) {
        code = check_table(flush->slices[i].table, &found, err);
    }
    pt_result_clear(&found);
    pt_text_free(&ids);
    return code;
}
