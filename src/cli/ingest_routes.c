#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/ingest_args.h"
#include "cli/names.h"
#include "lake/table_name.h"
#include "lake/table_open.h"

typedef struct topic_key {
    char text[64];
} topic_key;

/* topics.3.schema */
static topic_key key_of(size_t entry, const char *name) {
    topic_key key;
    (void)snprintf(key.text, sizeof key.text, "topics.%zu.%s", entry, name);
    return key;
}

static const char *entry_text(const pt_option_values *s, size_t entry, const char *name) {
    return pt_config_text(s->file, key_of(entry, name).text);
}

/* Puts the line of the entry's key before the error; a key that is missing stands for its topic. */
static int in_entry(const pt_option_values *s, size_t entry, const char *name, pt_error *err) {
    topic_key key = key_of(entry, name);
    if (!pt_config_find(s->file, key.text)) {
        key = key_of(entry, "topic");
    }
    return pt_fail_in(err, "%s", pt_values_line(s, key.text).text);
}

/* A topic's name as a table name: quoted when it has dots, so that they do not part schema and
 * name. */
static int table_name(const char *topic, const char *table, char **out, pt_error *err) {
    if (table) {
        *out = strdup(table);
    } else if (!strchr(topic, '.')) {
        *out = strdup(topic);
    } else if (asprintf(out, "\"%s\"", topic) < 0) {
        *out = NULL;
    }
    return *out ? PT_OK : pt_fail_nomem(err, "a table name");
}

/* Each part is checked again when it is used, but there nobody knows the place any more. which: the
 * part that is wrong. */
static int check_route(const pt_route_options *r, const char **which, pt_error *err) {
    *which = "topic";
    PT_TRY(pt_check_topic(r->topic, NULL, err));
    *which = "table";
    PT_TRY(pt_check_table(r->table, NULL, err));
    char *schema_name = NULL;
    char *name = NULL;
    int code = pt_table_name_split(r->table, &schema_name, &name, err);
    free(schema_name);
    free(name);
    if (code == PT_OK) {
        *which = "schema";
        code = pt_table_check(&(pt_table_options){.table = r->table, .schema_text = r->schema},
                              err);
    }
    return code;
}

/* ---- the entries of the file ---- */

/* What one topic's entry says goes before what is said for all. */
static int entry_columns(const pt_option_values *s, size_t entry, const char *topic,
                         pt_metas *extra, pt_error *err) {
    static const char *const names[] = {"topic_column", "key_column", "headers_column"};
    const pt_meta metas[] = {PT_META_TOPIC, PT_META_KEY, PT_META_HEADERS};
    for (size_t i = 0; i < sizeof metas / sizeof *metas; i++) {
        const char *text = entry_text(s, entry, names[i]);
        bool wanted = *extra & (1U << metas[i]);
        if (text && pt_parse_flag(text, &wanted, err) != PT_OK) {
            (void)pt_fail_in(err, "topic %s: %s", topic, names[i]);
            return in_entry(s, entry, names[i], err);
        }
        *extra = (*extra & ~(1U << metas[i])) | (wanted ? 1U << metas[i] : 0);
    }
    return PT_OK;
}

static int entry_route(const pt_option_values *s, size_t entry, pt_metas all, pt_route_options *out,
                       pt_error *err) {
    const char *which;
    char *table = NULL;
    out->topic = entry_text(s, entry, "topic");
    out->schema = entry_text(s, entry, "schema");
    out->extra = all;
    PT_TRY(table_name(out->topic, entry_text(s, entry, "table"), &table, err));
    out->table = table; /* the routes own it */
    PT_TRY(entry_columns(s, entry, out->topic, &out->extra, err));
    return check_route(out, &which, err) == PT_OK ? PT_OK : in_entry(s, entry, which, err);
}

/* ---- the topics of --topic ---- */

static int flag_route(const pt_ingest_args *a, const pt_option_values *s, const char *topic,
                      pt_metas all, pt_route_options *out, pt_error *err) {
    const char *which;
    char *table = NULL;
    PT_TRY(table_name(topic, a->table, &table, err));
    *out = (pt_route_options){.topic = topic, .table = table, .schema = a->schema, .extra = all};
    if (check_route(out, &which, err) == PT_OK) {
        return PT_OK;
    }
    return pt_values_source(s, which) == PT_FROM_VARIABLE
               ? pt_fail_in(err, "%s", pt_values_place(s, which).text)
               : (int)err->code; /* the text says table, schema or topic */
}

static int refuse_twice(const pt_option_values *s, bool from_file, const char *topic, size_t i,
                        pt_error *err) {
    if (from_file) {
        return pt_fail(err, PT_E_USAGE, "%s: topic %s is there twice",
                       pt_values_line(s, key_of(i, "topic").text).text, topic);
    }
    return pt_fail(err, PT_E_USAGE, "%s %s is there twice", pt_values_place(s, "topic").text,
                   topic);
}

/* The file's topics say table and schema themselves: an option beside them would be for none. */
static int refuse_beside_file(const pt_option_values *s, pt_error *err) {
    static const char *const options[] = {"table", "schema"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (pt_values_given(s, options[i])) {
            return pt_fail(err, PT_E_USAGE,
                           "%s goes with --topic, and the topics are those of %s: write %s: there, "
                           "in the topic's entry",
                           pt_values_place(s, options[i]).text, s->file->path, options[i]);
        }
    }
    return PT_OK;
}

int pt_ingest_routes(const pt_ingest_args *a, const pt_option_values *s, pt_route_options **routes,
                     size_t *n, pt_error *err) {
    bool from_file = s->file && !a->topics.n;
    *n = from_file ? pt_config_count(s->file, "topics") : a->topics.n;
    if (*n == 0) {
        return pt_fail(err, PT_E_USAGE, "--topic is missing (or --config FILE with topics)");
    }
    if (from_file) {
        PT_TRY(refuse_beside_file(s, err));
    }
    *routes = calloc(*n, sizeof **routes);
    if (!*routes) {
        return pt_fail_nomem(err, "the routes");
    }
    pt_metas all = (a->topic_column ? 1U << PT_META_TOPIC : 0) |
                   (a->key_column ? 1U << PT_META_KEY : 0) |
                   (a->headers_column ? 1U << PT_META_HEADERS : 0);
    for (size_t i = 0; i < *n; i++) {
        pt_route_options *route = &(*routes)[i];
        PT_TRY(from_file ? entry_route(s, i, all, route, err)
                         : flag_route(a, s, a->topics.items[i], all, route, err));
        for (size_t k = 0; k < i; k++) {
            if (strcmp((*routes)[k].topic, route->topic) == 0) {
                return refuse_twice(s, from_file, route->topic, i, err);
            }
        }
    }
    return PT_OK;
}

void pt_ingest_routes_free(pt_route_options **routes, size_t n) {
    for (size_t i = 0; *routes && i < n; i++) {
        free((char *)(uintptr_t)(*routes)[i].table);
    }
    free(*routes);
    *routes = NULL;
}
