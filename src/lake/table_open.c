#include "lake/table_open.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/session.h"
#include "lake/history.h"
#include "lake/identity.h"
#include "lake/partition.h"
#include "lake/shape.h"
#include "lake/table_columns.h"
#include "lake/table_defaults.h"
#include "lake/table_find.h"
#include "lake/table_layout.h"
#include "lake/table_make.h"
#include "lake/table_name.h"

int pt_table_look_for_rows(pt_session *session, pt_table *t, pt_error *err) {
    pt_text sql = {0};
    pt_text_add(&sql, "SELECT count(*) FROM (FROM ");
    pt_table_add_sql_name(t, session, &sql);
    pt_text_add(&sql, " LIMIT 1)");
    int64_t n = 0;
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(&sql), &n, err);
        if (code != PT_OK) {
            code = pt_fail_in(
                err,
                "table %s cannot be read (a relative data path counts from the working directory)",
                t->label);
        }
    }
    t->has_rows = n > 0;
    pt_text_free(&sql);
    return code;
}

int pt_table_check(const pt_table_options *options, pt_error *err) {
    pt_schema *asked = NULL;
    char *schema_name = NULL;
    char *name = NULL;
    int code = pt_table_name_split(options->table, &schema_name, &name, err);
    free(schema_name);
    free(name);
    if (code == PT_OK && options->schema_text) {
        code = pt_schema_parse(options->schema_text, &asked, err);
        code = code == PT_OK ? pt_table_check_asked(asked, options->table, false, err)
                             : pt_fail_in(err, "schema of table %s", options->table);
    }
    pt_schema_free(&asked);
    return code;
}

/* The columns of the table, none when it is missing: then it can be made of what is asked. */
static int find_columns(pt_session *session, const pt_seen *seen, bool now, const pt_table *t,
                        pt_schema *asked, pt_result *columns, pt_error *err) {
    PT_TRY(pt_table_know_columns(session, seen, now, t, columns, err));
    if (columns->n_rows && strcmp(pt_result_cell(columns, 0, 4), "true") == 0) {
        return pt_fail(err, PT_E_USAGE,
                       "%s is a view, and rows go into tables only; give --table another name",
                       t->label);
    }
    if (columns->n_rows) {
        return PT_OK;
    }
    if (!asked) {
        return pt_fail(err, PT_E_USAGE, PT_TABLE_MISSING, t->label,
                       pt_table_name_hint(session, t->label).text);
    }
    return pt_table_check_new(session, t, asked,
                              err); /* one that cannot be used must not leave a table behind */
}

static int parse_asked(const pt_table *t, const char *schema_text, bool own, pt_schema **out,
                       pt_error *err) {
    *out = NULL;
    if (!schema_text) {
        return PT_OK;
    }
    if (pt_schema_parse(schema_text, out, err) != PT_OK) {
        return own ? (int)err->code : pt_fail_in(err, "schema of table %s", t->label);
    }
    return pt_table_check_asked(*out, t->label, own, err);
}

/* One that this version cannot read any more tells nothing. */
static int take_noted(pt_table *t, const char *text, pt_error *err) {
    pt_schema *noted = NULL;
    pt_error why = {0};
    if (pt_schema_parse(text, &noted, &why) != PT_OK) {
        return why.code == PT_E_NOMEM ? pt_fail_nomem(err, "a schema") : PT_OK;
    }
    pt_table_take_noted(t, noted);
    pt_schema_free(&noted);
    return PT_OK;
}

static int open_named(pt_session *session, const pt_seen *seen, pt_table *t,
                      const char *schema_text, const char *noted_text, bool own, pt_metas metas,
                      const char *other_topic, pt_error *err) {
    pt_schema *asked = NULL;
    pt_result columns = {0};
    int code = parse_asked(t, schema_text, own, &asked, err);
    if (code == PT_OK) {
        code = pt_shape_read(session, t, err);
    }
    if (code == PT_OK) {
        code = find_columns(session, seen, false, t, asked, &columns, err);
    }
    if (code == PT_OK && columns.n_rows == 0) {
        pt_result_clear(&columns);
        pt_text sql = {0};
        pt_table_add_create(session, t, asked, metas, &sql);
        code = pt_tables_make(session, t->label, &sql, err);
        pt_text_free(&sql);
        if (code == PT_OK) {
            code = pt_shape_read(session, t, err);
        }
        if (code == PT_OK) {
            code = pt_table_read_columns(session, t, &columns, err);
        }
    }
    if (code == PT_OK) {
        code = pt_table_take_columns(t, &columns, asked, own, metas, other_topic, err);
    }
    if (code == PT_OK && !schema_text && noted_text) {
        code = take_noted(t, noted_text, err);
    }
    if (code == PT_OK) {
        code = pt_table_evaluate_defaults(session, t->label, t->schema, err);
    }
    if (code == PT_OK) {
        code = pt_table_lay_out(t, err);
    }
    if (code == PT_OK) {
        code = pt_table_find_folder(session, t, own, err);
    }
    if (code == PT_OK && !own && t->way == PT_WAY_INSERT) {
        code = pt_partition_open(session, t, err);
    }
    pt_result_clear(&columns);
    pt_schema_free(&asked);
    return code;
}

static int finish(pt_table *t, int code, pt_table **out) {
    if (code != PT_OK) {
        pt_table_free(&t);
    }
    *out = t;
    return code;
}

static int know_other_topic(pt_session *session, const pt_table_options *options, const char *label,
                            char **other, pt_error *err) {
    const char *seen = options->seen ? pt_seen_other_topic(options->seen, label, options->topic)
                                     : NULL;
    *other = NULL;
    if (!options->seen) {
        return pt_history_other_topic(session, label, options->topic, other, err);
    }
    return !seen || (*other = strdup(seen)) ? PT_OK : pt_fail_nomem(err, "a topic");
}

/* Its names as the lake spells them, and the metadata columns that it gets; *other: the topic
 * because of which it needs _kafka_topic, or NULL. */
static int name_target(pt_session *session, const pt_table_options *options, pt_table *t,
                       pt_metas *metas, char **other, pt_error *err) {
    *other = NULL;
    *metas = PT_METAS_ALWAYS | options->extra;
    PT_TRY(pt_table_name_split(options->table, &t->schema_name, &t->name, err));
    PT_TRY(pt_table_name_refuse_alias(options->table, pt_session_alias(session), err));
    PT_TRY(pt_table_know_spelling(session, options->seen, t, err));
    t->label = pt_table_name_label(t->schema_name, t->name);
    if (!t->label) {
        return pt_fail_nomem(err, "a table's name");
    }
    if (options->topic && !(*metas & (1U << PT_META_TOPIC))) {
        PT_TRY(know_other_topic(session, options, t->label, other, err));
        *metas |= *other ? 1U << PT_META_TOPIC : 0;
    }
    return PT_OK;
}

int pt_table_plan(pt_session *session, const pt_table_options *options, pt_table_planned *out,
                  pt_text *sql, pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    pt_schema *asked = NULL;
    pt_result columns = {0};
    char *other = NULL;
    *out = (pt_table_planned){0};
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    int code = name_target(session, options, t, &out->metas, &other, err);
    if (code == PT_OK) {
        code = parse_asked(t, options->schema_text, false, &asked, err);
    }
    if (code == PT_OK) {
        code = find_columns(session, options->seen, true, t, asked, &columns, err);
    }
    if (code == PT_OK && columns.n_rows == 0) {
        pt_table_add_create(session, t, asked, out->metas, sql);
        out->missing = t->label;
        t->label = NULL;
    }
    free(other);
    pt_result_clear(&columns);
    pt_schema_free(&asked);
    pt_table_free(&t);
    return code;
}

int pt_table_open(pt_session *session, const pt_table_options *options, pt_table **out,
                  pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    pt_metas metas;
    char *other = NULL;
    *out = NULL;
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    int code = name_target(session, options, t, &metas, &other, err);
    if (code == PT_OK) {
        const char *noted = options->notes && options->topic
                                ? pt_identities_find_schema(options->notes, options->topic,
                                                            t->label)
                                : NULL;
        code = open_named(session, options->seen, t, options->schema_text, noted, false, metas,
                          other, err);
    }
    free(other);
    return finish(t, code, out);
}

int pt_table_open_own(pt_session *session, const char *name, const char *schema_text,
                      pt_table **out, pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    t->schema_name = strdup("pintail");
    t->name = strdup(name);
    t->label = strdup(name);
    t->dead_letters = strcmp(name, "dead_letters") == 0;
    int code = t->schema_name && t->name && t->label ? PT_OK : pt_fail_nomem(err, "a table");
    if (code == PT_OK) {
        code = open_named(session, NULL, t, schema_text, NULL, true, 0, NULL, err);
    }
    return finish(t, code, out);
}

int pt_table_open_place(pt_session *session, const char *schema, const char *name, pt_table **out,
                        pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) {
        return pt_fail_nomem(err, "a table");
    }
    t->schema_name = strdup(schema);
    t->name = strdup(name);
    t->label = pt_table_name_label(schema, name);
    int code = t->schema_name && t->name && t->label ? PT_OK : pt_fail_nomem(err, "a table");
    if (code == PT_OK) {
        code = pt_shape_read(session, t, err);
    }
    if (code == PT_OK) {
        code = pt_table_find_folder(session, t, false, err);
    }
    return finish(t, code, out);
}
