#include "ingest/member_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "duck/transaction.h"
#include "duck/uri.h"
#include "lake/history.h"
#include "lake/ledger_form.h"
#include "lake/table_columns.h"
#include "lake/table_make.h"
#include "lake/table_name.h"
#include "lake/table_open.h"

/* ---- options ---- */

/* Of all routes into the route's table; _kafka_topic distinguishes several of them. */
static pt_metas extra_columns(const pt_ingest_options *o, size_t route) {
    pt_metas extra = 0;
    for (size_t i = 0; i < o->n_routes; i++) {
        if (pt_table_name_same(o->routes[i].table, o->routes[route].table)) {
            extra |= o->routes[i].extra | (i == route ? 0 : 1U << PT_META_TOPIC);
        }
    }
    return extra;
}

pt_table_options pt_member_tables_options(const pt_ingest_options *o, size_t i) {
    return (pt_table_options){.table = o->routes[i].table,
                              .schema_text = o->routes[i].schema,
                              .topic = o->routes[i].topic,
                              .extra = extra_columns(o, i)};
}

/* The first route into the table of route i. */
static size_t first_into(const pt_ingest_options *o, size_t i) {
    size_t k = 0;
    while (!pt_table_name_same(o->routes[k].table, o->routes[i].table)) {
        k++;
    }
    return k;
}

int pt_member_tables_check(const pt_ingest_options *o, pt_error *err) {
    pt_least least = {0};
    pt_type metas[PT_META_COUNT];
    for (size_t i = 0; i < o->n_routes; i++) {
        pt_table_options t = pt_member_tables_options(o, i);
        PT_TRY(pt_table_check(&t, err));
        if (t.schema_text && first_into(o, i) == i) {
            size_t n = pt_table_meta_types(PT_METAS_ALWAYS | t.extra, metas);
            PT_TRY(pt_least_add_schema(&least, t.schema_text, metas, n, err));
        }
    }
    PT_TRY(pt_least_add_schema(&least, PT_DEAD_LETTER_COLUMNS, NULL, 0, err));
    return pt_memory_check_batch(&o->memory, &least, err);
}

static int check_all_names(const pt_member *r, pt_catalog_kind catalog, bool inlining,
                           pt_error *err) {
    for (size_t i = 0; i < r->options->n_routes; i++) {
        pt_table_options t = pt_member_tables_options(r->options, i);
        if (first_into(r->options, i) == i) {
            PT_TRY(pt_table_check_names(t.table, t.schema_text, catalog, inlining, err));
        }
    }
    return PT_OK;
}

typedef struct look_job {
    const pt_lake_options *options;
    bool there;
} look_job;

static int look(void *arg, pt_error *err) {
    look_job *job = arg;
    return pt_catalog_look(job->options, &job->there, err);
}

/* Only what would be refused by one catalog or another is worth a look at the lake, which takes a
 * while. */
int pt_member_tables_check_new(const pt_member *r, pt_error *err) {
    look_job job = {&r->committing, false};
    pt_lake_uri uri;
    pt_error unverify;
    if (check_all_names(r, PT_CATALOG_POSTGRES, true, &unverify) == PT_OK) {
        return PT_OK;
    }
    PT_TRY(pt_lake_uri_parse(r->committing.lake, &uri, err));
    if (uri.is_file && pt_path_exists(uri.rest)) {
        return PT_OK;
    }
    PT_TRY(pt_retry_busy(look, &job, err));
    return job.there ? PT_OK : check_all_names(r, uri.catalog, r->committing.inline_rows > 0, err);
}

/* ---- what the lake has ---- */

int pt_member_tables_see(pt_member *r, pt_error *err) {
    const char **tables = calloc(r->options->n_routes + 1, sizeof *tables);
    if (!tables) {
        return pt_fail_nomem(err, "the tables");
    }
    for (size_t i = 0; i < r->options->n_routes; i++) {
        tables[i] = r->options->routes[i].table;
    }
    pt_seen_clear(&r->seen);
    int code = pt_seen_read(pt_catalog_session(r->catalog), r->reader.pipeline, tables,
                            r->options->n_routes, &r->seen, err);
    free(tables);
    return code;
}

/* ---- making them ---- */

static int is_there(const pt_seen *seen, const char *table, bool *out, pt_error *err) {
    char *schema = NULL, *name = NULL;
    const char *found_schema, *found = NULL;
    int code = pt_table_name_split(table, &schema, &name, err);
    if (code == PT_OK) {
        pt_seen_spelling(seen, schema, name, &found_schema, &found);
    }
    *out = found != NULL;
    free(schema);
    free(name);
    return code;
}

/* The name that a table of the ledger has now; "": it is gone, or was not noted. */
static int name_of_now(const pt_member *r, const char *topic, const char *table, pt_replaced *out,
                       pt_error *err) {
    const char *was = pt_identities_find(&r->seen.notes, r->reader.pipeline, topic, table);
    *out = (pt_replaced){0};
    return was ? pt_replaced_find(pt_catalog_session(r->catalog), was, "", out, err) : PT_OK;
}

static int fail_gone(const pt_member *r, const char *topic, const char *label, const char *table,
                     int64_t rows, pt_error *err) {
    pt_replaced replaced;
    PT_TRY(name_of_now(r, topic, table, &replaced, err));
    const char *now = replaced.was_named;
    int code = pt_fail(
        err, PT_E_LAKE,
        "table %s is new, but the ledger stands at %" PRId64
        " rows of topic %s in table %s, which %s%s: they would not be read again. Ways out: %s%s%s"
        "pintail reset --delete-rows --topic %s --group '%s' (reads everything again), another "
        "--group, or the table back as it was (renamed, or from an older snapshot)",
        label, rows, topic, table, now ? "is now named " : "is gone", now ? now : "",
        now ? "--table " : "", now ? now : "", now ? " to go on in that one, " : "", topic,
        r->reader.pipeline);
    pt_replaced_clear(&replaced);
    return code;
}

/* A table that is new, while the pipeline has read the topic already: it would get only what comes
 * from here on. */
static int check_history(const pt_member *r, const char *topic, const char *label, pt_error *err) {
    char *table = NULL;
    int64_t rows = 0;
    bool there = false;
    PT_TRY(pt_history_stands(pt_catalog_session(r->catalog), r->reader.pipeline, topic, &table,
                             &rows, &there, err));
    int code = PT_OK;
    if (table && !there) {
        code = fail_gone(r, topic, label, table, rows, err);
    } else if (table) {
        pt_log(PT_LOG_WARN,
               PT_EVENT("the table is new, and gets only what this group has not read yet; the "
                        "rows before are in another one"),
               PT_STR("table", label), PT_STR("topic", topic), PT_STR("before", table),
               PT_INT("rows_before", rows));
    }
    free(table);
    return code;
}

/* Adds what makes the table of route i, which is missing. */
static int plan_table(const pt_member *r, size_t i, pt_text *to_make, pt_text *names,
                      pt_error *err) {
    const pt_ingest_options *o = r->options;
    pt_table_options target = pt_member_tables_options(o, i);
    target.seen = &r->seen;
    pt_table_planned planned;
    int code = pt_catalog_plan_table(r->catalog, &target, &planned, to_make, err);
    for (size_t k = i; code == PT_OK && planned.missing && k < o->n_routes; k++) {
        if (pt_table_name_same(o->routes[k].table, o->routes[i].table) &&
            pt_seen_recorded(&r->seen, o->routes[k].topic)) {
            code = check_history(r, o->routes[k].topic, planned.missing, err);
        }
    }
    if (code == PT_OK && planned.missing) {
        pt_text_addf(names, "%s%s", names->len ? ", " : "", planned.missing);
    }
    free(planned.missing);
    return code;
}

static int make_once(void *arg, pt_error *err) {
    pt_member *r = arg;
    pt_text to_make = {0}, names = {0};
    int code = pt_member_tables_see(r, err);
    for (size_t i = 0; code == PT_OK && i < r->options->n_routes; i++) {
        bool there = true;
        code = pt_member_check_stop(r, err);
        if (code == PT_OK && first_into(r->options, i) == i) {
            code = is_there(&r->seen, r->options->routes[i].table, &there, err);
        }
        if (code == PT_OK && !there) {
            code = plan_table(r, i, &to_make, &names, err);
        }
    }
    if (code == PT_OK) {
        r->made = names.len > 0;
        code = pt_catalog_make_tables(r->catalog, pt_text_get(&names), &to_make, err);
    }
    pt_text_free(&names);
    pt_text_free(&to_make);
    return code;
}

int pt_member_tables_make(pt_member *r, pt_error *err) {
    return pt_retry_busy(make_once, r, err); /* another process may be making the same ones */
}
