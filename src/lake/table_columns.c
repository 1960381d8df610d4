#include "lake/table_columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static char key_name[] = "key", value_name[] = "value";
static pt_field header_parts[] = {{key_name, sizeof key_name - 1, {.id = PT_VARCHAR}},
                                  {value_name, sizeof value_name - 1, {.id = PT_BLOB}}};
static pt_field header[] = {{NULL, 0, {.id = PT_STRUCT, .fields = header_parts, .n_fields = 2}}};

const pt_meta_column pt_meta_columns[PT_META_COUNT] = {
    {"_kafka_partition", "INTEGER", {.id = PT_INTEGER}},
    {"_kafka_offset", "BIGINT", {.id = PT_BIGINT}},
    {"_kafka_timestamp", "TIMESTAMPTZ", {.id = PT_TIMESTAMPTZ}},
    {"ingest_time", "TIMESTAMPTZ", {.id = PT_TIMESTAMPTZ}},
    {"_kafka_topic", "VARCHAR", {.id = PT_VARCHAR}},
    {"_kafka_key", "BLOB", {.id = PT_BLOB}},
    {"_kafka_headers",
     "STRUCT(key VARCHAR, value BLOB)[]",
     {.id = PT_LIST, .fields = header, .n_fields = 1}},
};

static int meta_index(const char *name) {
    for (int i = 0; i < PT_META_COUNT; i++) {
        if (strcasecmp(pt_meta_columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- fitting the schema that was asked for to the table that is there ---- */

static const pt_column *find_column(const pt_schema *schema, const char *name) {
    for (size_t i = 0; schema && i < schema->n_columns; i++) {
        if (strcasecmp(schema->columns[i].name, name) == 0) {
            return &schema->columns[i];
        }
    }
    return NULL;
}

static const pt_type *find_lossy(const pt_type *type) {
    if (type->id == PT_HUGEINT || type->id == PT_UHUGEINT) {
        return type;
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        const pt_type *found = find_lossy(&type->fields[i].type);
        if (found) {
            return found;
        }
    }
    return NULL;
}

static int refuse_lossy(const pt_schema *schema, pt_error *err) {
    for (size_t i = 0; i < schema->n_columns; i++) {
        if (find_lossy(&schema->columns[i].type)) {
            return pt_fail(err, PT_E_USAGE,
                           "column %s: Parquet in a DuckLake keeps (U)HUGEINT as DOUBLE, which "
                           "loses digits; use DECIMAL(38,0)",
                           schema->columns[i].name);
        }
    }
    return PT_OK;
}

static int take_over_name(char **name, const char *from, pt_error *err) {
    if (!*name || !from || strcmp(*name, from) == 0) {
        return PT_OK;
    }
    char *copy = strdup(from);
    if (!copy) {
        return pt_fail_nomem(err, "a name");
    }
    free(*name);
    *name = copy;
    return PT_OK;
}

/* EPOCH and BASE64/HEX are pintail's own and not in the catalog: taken over from what was asked
 * for. So is the spelling of names, which is the records': to the lake upper and lower case are the
 * same. */
static int take_over_reading(pt_type *to, const pt_type *from, pt_error *err) {
    to->epoch = from->epoch;
    to->blob = from->blob;
    for (size_t i = 0; i < to->n_fields && i < from->n_fields; i++) {
        PT_TRY(take_over_name(&to->fields[i].name, from->fields[i].name, err));
        PT_TRY(take_over_reading(&to->fields[i].type, &from->fields[i].type, err));
    }
    return PT_OK;
}

static int fit_column(const pt_table *t, pt_column *have, const pt_schema *asked, pt_error *err) {
    const pt_column *want = find_column(asked, have->name);
    if (!want) {
        return PT_OK;
    }
    char *a = pt_type_sql(&want->type);
    char *b = pt_type_sql(&have->type);
    int code = a && b ? PT_OK : pt_fail_nomem(err, "a type");
    if (code == PT_OK && strcasecmp(a, b) != 0) {
        code = pt_fail(err, PT_E_USAGE,
                       "table %s does not fit: column %s is %s in the lake and %s in the schema; "
                       "change the schema, or ALTER the table",
                       t->label, have->name, b, a);
    }
    free(a);
    free(b);
    PT_TRY(code);
    PT_TRY(take_over_name(&have->name, want->name, err));
    PT_TRY(take_over_reading(&have->type, &want->type, err));
    have->not_null = have->not_null || want->not_null;
    if (!have->default_sql && want->default_sql &&
        !(have->default_sql = strdup(want->default_sql))) {
        return pt_fail_nomem(err, "a default");
    }
    return PT_OK;
}

static int check_known(const pt_table *t, const pt_schema *asked, pt_error *err) {
    for (size_t i = 0; asked && i < asked->n_columns; i++) {
        if (!find_column(t->schema, asked->columns[i].name)) {
            return pt_fail(err, PT_E_USAGE,
                           "table %s does not fit: it has no column %s; ALTER TABLE %s ADD COLUMN "
                           "%s ..., or leave it out of the schema",
                           t->label, asked->columns[i].name, t->label, asked->columns[i].name);
        }
    }
    return PT_OK;
}

static int add_column(pt_table *t, const pt_result *table, size_t row, pt_error *err) {
    pt_column *c = &t->schema->columns[t->schema->n_columns];
    const char *name = pt_result_cell(table, row, 0);
    if (pt_type_parse(pt_result_cell(table, row, 1), &c->type, err) != PT_OK) {
        return pt_fail_in(err, "table %s, column %s", t->label, name);
    }
    t->schema->n_columns++;
    c->name = strdup(name);
    c->name_len = strlen(name);
    c->not_null = strcmp(pt_result_cell(table, row, 2), "false") == 0;
    const char *fallback = pt_result_cell(table, row, 3);
    if (fallback && *fallback && strcasecmp(fallback, "NULL") != 0) {
        c->default_sql = strdup(fallback);
        if (!c->default_sql) {
            return pt_fail_nomem(err, "a default");
        }
    }
    return c->name ? PT_OK : pt_fail_nomem(err, "a column");
}

/* One that the table has. */
static int take_meta(pt_table *t, const pt_result *columns, size_t row, size_t meta,
                     pt_error *err) {
    const pt_meta_column *m = &pt_meta_columns[meta];
    pt_type have = {0};
    int code = pt_type_parse(pt_result_cell(columns, row, 1), &have, err);
    char *a = code == PT_OK ? pt_type_sql(&have) : NULL;
    char *b = code == PT_OK ? pt_type_sql(&m->type) : NULL;
    bool fits = a && b && strcasecmp(a, b) == 0;
    if (code == PT_OK && (!a || !b)) {
        code = pt_fail_nomem(err, "a type");
    }
    free(a);
    free(b);
    pt_type_clear(&have);
    if (code == PT_E_NOMEM) {
        return code;
    }
    if (!fits) {
        return pt_fail(err, PT_E_USAGE,
                       "table %s does not fit: the metadata column %s is %s, it must be %s",
                       t->label, m->name, pt_result_cell(columns, row, 1), m->sql);
    }
    if (meta == PT_META_KEY && strcmp(pt_result_cell(columns, row, 2), "false") ==
                                   0) { /* DuckLake would believe it, and fail to merge the files */
        return pt_fail(err, PT_E_USAGE,
                       "table %s does not fit: %s is NOT NULL, and records may have no key; ALTER "
                       "TABLE %s ALTER COLUMN %s DROP NOT NULL",
                       t->label, m->name, t->label, m->name);
    }
    t->metas |= 1U << meta;
    return PT_OK;
}

static int check_meta(const pt_table *t, pt_metas wanted, const char *other_topic, pt_error *err) {
    if (other_topic && (wanted & ~t->metas & (1U << PT_META_TOPIC))) {
        return pt_fail(err, PT_E_USAGE,
                       "table %s holds rows of topic %s, which could not be told from those of "
                       "another one: the metadata column _kafka_topic is missing; "
                       "ALTER TABLE %s ADD COLUMN _kafka_topic VARCHAR; UPDATE %s SET _kafka_topic "
                       "= '%s'; or give another --table",
                       t->label, other_topic, t->label, t->label, other_topic);
    }
    for (size_t m = 0; m < PT_META_COUNT; m++) {
        if (wanted & ~t->metas & (1U << m)) {
            return pt_fail(err, PT_E_USAGE,
                           "table %s does not fit: the metadata column %s is missing; ALTER TABLE "
                           "%s ADD COLUMN %s %s",
                           t->label, pt_meta_columns[m].name, t->label, pt_meta_columns[m].name,
                           pt_meta_columns[m].sql);
        }
    }
    return PT_OK;
}

int pt_table_take_columns(pt_table *t, const pt_result *columns, const pt_schema *asked, bool own,
                          pt_metas wanted, const char *other_topic, pt_error *err) {
    t->schema = calloc(1, sizeof *t->schema);
    if (!t->schema || !(t->schema->columns = calloc(columns->n_rows, sizeof *t->schema->columns))) {
        return pt_fail_nomem(err, "a schema");
    }
    for (size_t row = 0; row < columns->n_rows; row++) {
        int meta = own ? -1 : meta_index(pt_result_cell(columns, row, 0));
        if (meta >= 0) {
            PT_TRY(take_meta(t, columns, row, (size_t)meta, err));
        } else {
            PT_TRY(add_column(t, columns, row, err));
            PT_TRY(fit_column(t, &t->schema->columns[t->schema->n_columns - 1], asked, err));
        }
    }
    PT_TRY(check_known(t, asked, err));
    PT_TRY(refuse_lossy(t->schema, err));
    return check_meta(t, wanted, other_topic, err);
}

/* ---- what was asked for once ---- */

/* A part of the same name, in the same place where names tell nothing (LIST, MAP). */
static const pt_field *part_of(const pt_type *noted, const pt_type *now, size_t i) {
    if (now->id != PT_STRUCT) {
        return i < noted->n_fields ? &noted->fields[i] : NULL;
    }
    for (size_t k = 0; k < noted->n_fields; k++) {
        if (strcasecmp(noted->fields[k].name, now->fields[i].name) == 0) {
            return &noted->fields[k];
        }
    }
    return NULL;
}

static void take_noted_reading(pt_type *to, const pt_type *from) {
    if (to->id != from->id) {
        return;
    }
    to->epoch = from->epoch;
    to->blob = from->blob;
    for (size_t i = 0; i < to->n_fields; i++) {
        const pt_field *part = part_of(from, to, i);
        if (part) {
            take_noted_reading(&to->fields[i].type, &part->type);
        }
    }
}

void pt_table_take_noted(pt_table *t, const pt_schema *noted) {
    for (size_t i = 0; i < t->schema->n_columns; i++) {
        pt_column *c = &t->schema->columns[i];
        const pt_column *was = find_column(noted, c->name);
        if (was) {
            take_noted_reading(&c->type, &was->type);
        }
    }
}

/* ---- before the table is looked at ---- */

int pt_table_check_asked(const pt_schema *asked, const char *label, bool own, pt_error *err) {
    PT_TRY(refuse_lossy(asked, err));
    for (size_t i = 0; !own && i < asked->n_columns; i++) {
        if (meta_index(asked->columns[i].name) >= 0) {
            return pt_fail(err, PT_E_USAGE,
                           "schema of table %s: column %s is a metadata column that pintail fills; "
                           "leave it out",
                           label, asked->columns[i].name);
        }
    }
    return PT_OK;
}

size_t pt_table_meta_types(pt_metas metas, pt_type *out) {
    size_t n = 0;
    for (size_t m = 0; m < PT_META_COUNT; m++) {
        if (metas & (1U << m)) {
            out[n++] = pt_meta_columns[m].type;
        }
    }
    return n;
}
