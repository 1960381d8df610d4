#include "lake/table.h"

#include <stdlib.h>

#include "duck/session.h"

void pt_table_add_sql_name(const pt_table *t, const pt_session *session, pt_text *sql) {
    pt_text_add_sql_name(sql, pt_session_alias(session));
    pt_text_add(sql, ".");
    pt_text_add_sql_name(sql, t->schema_name);
    pt_text_add(sql, ".");
    pt_text_add_sql_name(sql, t->name);
}

bool pt_table_has_subfolders(const pt_table *t) {
    return t->way == PT_WAY_INSERT;
}

bool pt_table_spoils_inlined(const pt_table *t) {
    return t->inline_unfit && t->way == PT_WAY_INSERT && t->inline_rows > 0;
}

void pt_table_free(pt_table **target) {
    pt_table *t = *target;
    if (t) {
        pt_schema_free(&t->schema);
        free(t->types);
        free(t->names);
        free(t->schema_name);
        free(t->name);
        free(t->label);
        free(t->folder);
        free(t->keys);
        pt_lake_settings_clear(&t->settings);
        free(t);
        *target = NULL;
    }
}
