#include "ingest/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "lake/history.h"
#include "lake/table_name.h"

#define GROUP_MAX 255 /* of Kafka's names */

/* ---- the lake before it is opened for good ---- */

typedef struct look {
    const pt_lake_options *options;
    pt_lake_id id;       /* "": there is no lake, or no ledger in it */
    pt_result pipelines; /* rows of pipeline, topic */
} look;

static int look_inside(look *l, pt_engine *engine, pt_error *err) {
    pt_session *session = NULL;
    PT_TRY(pt_session_open(engine, &session, err));
    int code = pt_history_lake_id(session, &l->id, err);
    if (code == PT_OK && *l->id.text) {
        code = pt_history_pipelines(session, &l->pipelines, err);
    }
    pt_session_close(&session);
    return code;
}

static int look_once(void *arg, pt_error *err) {
    look *l = arg;
    pt_engine *engine = NULL;
    pt_lake_options options = *l->options;
    options.create = false;
    int code = pt_engine_open(&options, &engine, err);
    if (code == PT_OK) {
        code = look_inside(l, engine, err);
    } else if (pt_error_is(err, PT_WHY_NO_LAKE)) {
        code = PT_OK;
    }
    pt_engine_close(&engine);
    return code;
}

/* ---- several topics ---- */

/* How many of the routes' topics the pipeline in row `at`, the first of its own, knows. */
static size_t covered(const pt_member *r, const pt_result *pipelines, size_t at) {
    size_t n = 0;
    for (size_t i = 0; i < r->options->n_routes; i++) {
        for (size_t row = at;
             row < pipelines->n_rows &&
             strcmp(pt_result_cell(pipelines, row, 0), pt_result_cell(pipelines, at, 0)) == 0;
             row++) {
            n += strcmp(pt_result_cell(pipelines, row, 1), r->options->routes[i].topic) == 0;
        }
    }
    return n;
}

typedef struct coverage {
    const char *whole; /* the pipeline that knows every topic */
    const char *most;  /* the one that knows the most of them; NULL: none knows any */
    size_t n_whole, n_most;
    pt_text names; /* of those that know every topic */
} coverage;

static coverage cover(const pt_member *r, const pt_result *pipelines) {
    coverage c = {0};
    for (size_t row = 0; row < pipelines->n_rows; row++) {
        const char *name = pt_result_cell(pipelines, row, 0);
        if (row && strcmp(name, pt_result_cell(pipelines, row - 1, 0)) == 0) {
            continue;
        }
        size_t n = covered(r, pipelines, row);
        if (n == r->options->n_routes) {
            pt_text_addf(&c.names, "%s%s", c.n_whole++ ? ", " : "", name);
            c.whole = name;
        }
        if (n > c.n_most) {
            c.n_most = n;
            c.most = name;
        }
    }
    return c;
}

static int refuse_several(const pt_member *r, const coverage *c, pt_error *err) {
    size_t n = r->options->n_routes;
    if (c->n_whole > 1) {
        return pt_fail(err, PT_E_USAGE,
                       "%zu topics and no --group (group: in the config): the lake's ledger has "
                       "several pipelines for all of them: %s; name the one that is to go on",
                       n, pt_text_get(&c->names));
    }
    if (c->most) {
        return pt_fail(err, PT_E_USAGE,
                       "%zu topics and no --group (group: in the config): no pipeline in the "
                       "lake's ledger has all of them, %s has %zu; to go on with it, which begins "
                       "the others, give --group '%s', else a new name",
                       n, c->most, c->n_most, c->most);
    }
    char *group = NULL;
    int code = pt_table_name_group(r->options->routes[0].table, &group, err);
    if (code == PT_OK) {
        code = pt_fail(err, PT_E_USAGE,
                       "%zu topics need a name for their pipeline, which the lake remembers them "
                       "by: give --group (group: in the config), such as '%s-and-more'",
                       n, group);
    }
    free(group);
    return code;
}

int pt_group_of_several(pt_member *r, pt_error *err) {
    if (r->options->consumer.group || r->options->n_routes < 2) {
        return PT_OK;
    }
    look l = {.options = &r->committing};
    PT_TRY(pt_retry_busy(look_once, &l, err));
    coverage c = cover(r, &l.pipelines);
    int code = pt_text_check(&c.names, err);
    if (code == PT_OK && c.n_whole != 1) {
        code = refuse_several(r, &c, err);
    }
    if (code == PT_OK && !(r->group = strdup(c.whole))) {
        code = pt_fail_nomem(err, "a group's name");
    }
    pt_text_free(&c.names);
    pt_result_clear(&l.pipelines);
    return code;
}

/* ---- one lake a group ---- */

static int refuse_member(const char *group, const char *member, const char *lake, pt_error *err) {
    return pt_fail(err, PT_E_USAGE,
                   "group %s has a member that writes into another lake: %s; this lake is %s%s. "
                   "Each would get a part of the records: give --group another name "
                   "here, or stop that process",
                   group, member, *lake ? "" : "new", lake);
}

static const char *given_group(const pt_member *r) {
    return r->options->consumer.group ? r->options->consumer.group : r->group;
}

int pt_group_is_free(pt_member *r, pt_error *err) {
    pt_group_lakes lakes;
    const char *group = given_group(r);
    if (!group) {
        return PT_OK;
    }
    pt_consumer_look_at_group(r->consumer, group, "", false, &lakes);
    if (!*lakes.member) {
        return PT_OK;
    }
    look l = {.options = &r->committing}; /* somebody has a lake: is it this one? */
    PT_TRY(pt_retry_busy(look_once, &l, err));
    pt_result_clear(&l.pipelines);
    pt_consumer_look_at_group(r->consumer, group, l.id.text, false, &lakes);
    return *lakes.member ? refuse_member(group, lakes.member, l.id.text, err) : PT_OK;
}

static bool knows(const pt_result *pipelines, const char *name) {
    for (size_t row = 0; row < pipelines->n_rows; row++) {
        if (strcmp(pt_result_cell(pipelines, row, 0), name) == 0) {
            return true;
        }
    }
    return false;
}

/* pintail-<table>-<the lake's digits>; a lake of an earlier version, whose ledger knows
 * pintail-<table>, keeps that. */
static int default_group(pt_member *r, pt_error *err) {
    char *table = NULL;
    pt_result pipelines = {0};
    PT_TRY(pt_table_name_group(r->options->routes[0].table, &table, err));
    int code = pt_history_pipelines(pt_catalog_session(r->catalog), &pipelines, err);
    char *own = code == PT_OK ? pt_history_group(table, &r->lake_id) : NULL;
    if (code == PT_OK && !own) {
        code = pt_fail_nomem(err, "a group's name");
    }
    if (code == PT_OK) {
        bool old = knows(&pipelines, table) && !knows(&pipelines, own);
        r->group = old ? table : own;
        free(old ? own : table);
        own = table = NULL;
    }
    pt_result_clear(&pipelines);
    free(own);
    free(table);
    return code;
}

static int check_length(const char *group, pt_error *err) {
    size_t n = strlen(group);
    return n > GROUP_MAX ? pt_fail(err, PT_E_USAGE,
                                   "the group's name '%.40s...' has %zu bytes, Kafka takes %d: "
                                   "give --group a shorter one",
                                   group, n, GROUP_MAX)
                         : PT_OK;
}

/* A member of another lake may have come since, and a default group is looked at for the first
 * time. */
static int look_at_group(const pt_member *r, bool resumes, pt_error *err) {
    pt_group_lakes lakes;
    const char *group = r->consumer_options.group;
    pt_consumer_look_at_group(r->consumer, group, r->lake_id.text, !resumes, &lakes);
    if (*lakes.member) {
        return refuse_member(group, lakes.member, r->lake_id.text, err);
    }
    if (*lakes.offsets) {
        pt_log(PT_LOG_WARN,
               PT_EVENT("the group's offsets are of another lake; this one goes by its own ledger, "
                        "and an own --group keeps lag tools apart"),
               PT_STR("group", group), PT_STR("other_lake", lakes.offsets),
               PT_STR("this_lake", r->lake_id.text));
    }
    return PT_OK;
}

static int read_id(void *arg, pt_error *err) {
    pt_member *r = arg;
    return pt_history_lake_id(pt_catalog_session(r->catalog), &r->lake_id, err);
}

static int name_default(void *arg, pt_error *err) {
    return default_group(arg, err);
}

int pt_group_take(pt_member *r, bool resumes, pt_error *err) {
    PT_TRY(pt_retry_busy(read_id, r, err));
    if (!given_group(r)) {
        PT_TRY(pt_retry_busy(name_default, r, err));
    }
    r->consumer_options.group = r->reader.pipeline = given_group(r);
    r->consumer_options.stamp = r->lake_id.text;
    PT_TRY(check_length(r->consumer_options.group, err));
    PT_TRY(pt_catalog_name(r->catalog, r->consumer_options.group, err));
    return look_at_group(r, resumes, err);
}

int pt_group_is_ours(const pt_member *r, pt_error *err) {
    pt_group_lakes lakes;
    pt_consumer_look_at_group(r->consumer, r->consumer_options.group, r->lake_id.text, false,
                              &lakes);
    return *lakes.member
               ? refuse_member(r->consumer_options.group, lakes.member, r->lake_id.text, err)
               : PT_OK;
}
