#include "lake/table_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "duck/result.h"

static int bad_name(const char *table, pt_error *err) {
    return pt_fail(err, PT_E_USAGE,
                   "bad table name '%s': write name or schema.name, a part that has dots or quotes "
                   "of its own as \"part\" (schema pintail is pintail's own)",
                   table);
}

/* One part of the name at *p, which is moved behind it: bare up to a dot, or "in quotes" with ""
 * for a quote. NULL with code PT_OK: there is none. */
static int read_part(const char **p, char **out, pt_error *err) {
    bool quoted = **p == '"';
    const char *from = *p + quoted;
    size_t n = 0;
    char *part = malloc(strlen(from) + 1);
    *out = NULL;
    if (!part) {
        return pt_fail_nomem(err, "a table name");
    }
    const char *q = from;
    for (; *q && (quoted ? *q != '"' || q[1] == '"' : !strchr(".\"", *q)); q++) {
        part[n++] = *q;
        q += quoted && *q == '"';
    }
    part[n] = '\0';
    if (n && (!quoted || *q == '"')) {
        *p = q + quoted;
        *out = part;
    } else {
        free(part);
    }
    return PT_OK;
}

int pt_table_name_split(const char *table, char **schema, char **name, pt_error *err) {
    const char *p = table;
    PT_TRY(read_part(&p, name, err));
    if (*name && *p == '.') {
        p++;
        *schema = *name;
        *name = NULL;
        PT_TRY(read_part(&p, name, err));
    } else if (*name && !(*schema = strdup("main"))) {
        return pt_fail_nomem(err, "a table name");
    }
    return *name && !*p && strcasecmp(*schema, "pintail") != 0 ? PT_OK : bad_name(table, err);
}

bool pt_table_name_same(const char *a, const char *b) {
    char *names[4] = {0};
    pt_error ignored;
    bool same = strcmp(a, b) == 0;
    if (!same && pt_table_name_split(a, &names[0], &names[1], &ignored) == PT_OK &&
        pt_table_name_split(b, &names[2], &names[3], &ignored) == PT_OK) {
        same = strcasecmp(names[0], names[2]) == 0 && strcasecmp(names[1], names[3]) == 0;
    }
    for (size_t i = 0; i < 4; i++) {
        free(names[i]);
    }
    return same;
}

void pt_table_name_add_is(pt_query *query, const char *expr, const char *name) {
    static const char fold[] = ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')";
    pt_query_addf(query, "translate(%s%s = translate(", expr, fold);
    pt_query_value(query, pt_str(name));
    pt_query_add(query, fold);
}

int pt_table_name_refuse_alias(const char *table, const char *alias, pt_error *err) {
    size_t n = strlen(alias);
    if (strncasecmp(table, alias, n) == 0 && table[n] == '.') {
        return pt_fail(err, PT_E_USAGE,
                       "table %s: %s is the lake itself (--alias), not a schema in it; write %s",
                       table, alias, table + n + 1);
    }
    return PT_OK;
}

char *pt_table_name_label(const char *schema, const char *name) {
    char *label = NULL;
    int n = strcmp(schema, "main") == 0 ? asprintf(&label, "%s", name)
                                        : asprintf(&label, "%s.%s", schema, name);
    return n < 0 ? NULL : label;
}

static void add_part(pt_text *out, const char *part) {
    if (strpbrk(part, ".\"")) {
        pt_text_add_sql_name(out, part);
    } else {
        pt_text_add(out, part);
    }
}

int pt_table_name_group(const char *table, char **out, pt_error *err) {
    char *schema = NULL, *name = NULL;
    pt_text group = {0};
    int code = pt_table_name_split(table, &schema, &name, err);
    if (code == PT_OK) {
        pt_text_add(&group, "pintail-");
        if (strcasecmp(schema, "main") == 0) {
            pt_text_add(&group, name);
        } else {
            add_part(&group, schema);
            pt_text_add(&group, ".");
            add_part(&group, name);
        }
        code = pt_text_check(&group, err);
    }
    if (code == PT_OK && !(*out = strdup(pt_text_get(&group)))) {
        code = pt_fail_nomem(err, "the group's name");
    }
    pt_text_free(&group);
    free(schema);
    free(name);
    return code;
}

pt_hint pt_table_name_hint(pt_session *session, const char *table) {
    pt_result known = {0};
    pt_nearest nearest;
    pt_error ignored;
    pt_nearest_begin(&nearest, table);
    if (pt_session_exec(
            session, &known, &ignored,
            "SELECT CASE schema_name WHEN 'main' THEN '' ELSE schema_name || '.' END || "
            "table_name FROM duckdb_tables() WHERE schema_name <> 'pintail' AND "
            "database_name = ?",
            PT_VALUES(pt_str(pt_session_alias(session)))) == PT_OK) {
        for (size_t i = 0; i < known.n_rows; i++) {
            pt_nearest_offer(&nearest, pt_result_cell(&known, i, 0));
        }
    }
    pt_result_clear(&known);
    return pt_nearest_hint(&nearest, "");
}
