#include "lake/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/session.h"
#include "lake/ledger_form.h"
#include "lake/metadata.h"
#include "lake/table_name.h"

static void add_key(pt_text *out, const char *prefix, const char *const *slices, size_t n) {
    pt_text_add(out, prefix);
    for (size_t i = 0; i < n; i++) {
        pt_text_add(out, i ? "," : "[");
        pt_text_add_json(out, slices[i], strlen(slices[i]));
    }
    pt_text_add(out, "]");
}

/* ---- the notes ---- */

int pt_identities_read(pt_session *session, pt_result *out, pt_error *err) {
    int64_t form_2 = 0;
    *out = (pt_result){0};
    PT_TRY(pt_session_exec_int(
        session, &form_2, err,
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'pintail' AND table_name "
        "= 'meta' AND database_name = ?",
        PT_VALUES(pt_str(pt_session_alias(session)))));
    return form_2 ? pt_session_exec(session, out, err,
                                    "SELECT key, value FROM @lake.pintail.meta WHERE "
                                    "starts_with(key, '" PT_IDENTITY_PREFIX
                                    "') OR starts_with(key, '" PT_SCHEMA_PREFIX "')",
                                    PT_NO_VALUES)
                  : PT_OK;
}

static const char *find(const pt_result *notes, const char *prefix, const char *const *slices,
                        size_t n) {
    pt_text key = {0};
    const char *found = NULL;
    add_key(&key, prefix, slices, n);
    for (size_t r = 0; !found && !key.failed && r < notes->n_rows; r++) {
        const char *is = pt_result_cell(notes, r, 0);
        found = is && strcmp(is, pt_text_get(&key)) == 0 ? pt_result_cell(notes, r, 1) : NULL;
    }
    pt_text_free(&key);
    return found;
}

const char *pt_identities_find(const pt_result *notes, const char *pipeline, const char *topic,
                               const char *label) {
    return find(notes, PT_IDENTITY_PREFIX, (const char *const[]){pipeline, topic, label}, 3);
}

const char *pt_identities_find_schema(const pt_result *notes, const char *topic,
                                      const char *label) {
    return find(notes, PT_SCHEMA_PREFIX, (const char *const[]){topic, label}, 2);
}

int pt_identity_of(pt_session *session, const char *schema, const char *table, char **out,
                   pt_error *err) {
    return pt_metadata_table_uuid(session, schema, table, out, err);
}

static void add_key_string(pt_text *sql, const char *prefix, const char *const *slices, size_t n) {
    pt_text key = {0};
    add_key(&key, prefix, slices, n);
    pt_text_add_sql_string(sql, pt_text_get(&key));
    sql->failed |= key.failed;
    pt_text_free(&key);
}

/* The notes stand in the text, as many as there are tables. Its keys, each with what is between,
 * and its value behind if values are wanted. */
static void add_note(pt_text *sql, const char *pipeline, const pt_identity *t, bool values) {
    const char *before = values ? "(" : "";
    pt_text_add(sql, before);
    add_key_string(sql, PT_IDENTITY_PREFIX, (const char *const[]){pipeline, t->topic, t->label}, 3);
    if (values) {
        pt_text_add(sql, ", ");
        pt_text_add_sql_string(sql, t->uuid);
        pt_text_add(sql, ")");
    }
    if (t->schema) {
        pt_text_addf(sql, ", %s", before);
        add_key_string(sql, PT_SCHEMA_PREFIX, (const char *const[]){t->topic, t->label}, 2);
        if (values) {
            pt_text_add(sql, ", ");
            pt_text_add_sql_string(sql, t->schema);
            pt_text_add(sql, ")");
        }
    }
}

static int write_some(pt_session *session, const char *pipeline, const pt_identity *tables,
                      size_t n, pt_error *err) {
    pt_text sql = {0};
    const char *alias = pt_session_alias(session);
    for (int values = 0; values < 2; values++) {
        pt_text_addf(&sql,
                     values ? "INSERT INTO \"%s\".pintail.meta (key, value) VALUES "
                            : "DELETE FROM \"%s\".pintail.meta WHERE key IN (",
                     alias);
        for (size_t i = 0; i < n; i++) {
            pt_text_add(&sql, i ? ", " : "");
            add_note(&sql, pipeline, &tables[i], values);
        }
        pt_text_add(&sql, values ? "" : ")");
        PT_TRY(pt_statement_run(session, &sql, err));
    }
    return PT_OK;
}

int pt_identities_write(pt_session *session, const char *pipeline, const pt_identities *tables,
                        pt_error *err) {
    const size_t at_once = PT_LEDGER_INSERT_ROWS / 2; /* each has two rows at most */
    for (size_t from = 0; from < tables->n; from += at_once) {
        size_t left = tables->n - from;
        PT_TRY(write_some(session, pipeline, tables->list + from, left < at_once ? left : at_once,
                          err));
    }
    return PT_OK;
}

/* ---- a table in the place of another ---- */

static int label_of(const pt_result *found, size_t row, char **out, pt_error *err) {
    *out = pt_table_name_label(pt_result_cell(found, row, 0), pt_result_cell(found, row, 1));
    return *out ? PT_OK : pt_fail_nomem(err, "a table's name");
}

int pt_replaced_find(pt_session *session, const char *was, const char *now, pt_replaced *out,
                     pt_error *err) {
    pt_result found = {0};
    *out = (pt_replaced){0};
    int code = pt_metadata_table_named(session, was, false, &found, err);
    if (code == PT_OK && found.n_rows) {
        code = label_of(&found, 0, &out->was_named, err);
    }
    pt_result_clear(&found);
    if (code == PT_OK) {
        code = pt_metadata_table_named(session, now, true, &found, err);
    }
    if (code == PT_OK && found.n_rows) {
        out->since = pt_result_int(&found, 0, 2);
        code = label_of(&found, 0, &out->first, err);
    }
    pt_result_clear(&found);
    return code;
}

char *pt_replaced_text(const pt_replaced *r, const char *label) {
    pt_text text = {0};
    if (r->was_named) {
        pt_text_addf(&text, "that table is now named %s, and ", r->was_named);
    } else {
        pt_text_add(&text, "that table was dropped, and ");
    }
    pt_text_addf(&text, "the one named %s now was made anew in snapshot %lld", label, r->since);
    if (r->first && strcmp(r->first, label) != 0) {
        pt_text_addf(&text, " as %s", r->first);
    }
    if (text.failed) {
        pt_text_free(&text);
        return NULL;
    }
    return text.data;
}

void pt_replaced_clear(pt_replaced *r) {
    free(r->was_named);
    free(r->first);
    *r = (pt_replaced){0};
}
