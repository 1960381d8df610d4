#include "ingest/reset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/signals.h"
#include "base/text.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "lake/catalog.h"
#include "lake/erasing.h"
#include "lake/history.h"
#include "lake/ledger.h"

#define SETTLED_WITHIN (60 * PT_SECOND) /* a COMMIT of unknown outcome */

typedef struct reset_job {
    const pt_reset_options *options;
    pt_consumer *consumer;
    pt_catalog *catalog;
    pt_outcome outcome; /* of the last attempt to commit */
    pt_flush *
        flush; /* its parts are the tables that lose rows, for the guards of what DuckLake writes */
    pt_table **tables; /* [n_targets] of the parts */
    size_t n_tables;
    char *group;       /* found in the ledger, or given */
    int32_t first, n;  /* partitions */
    pt_claim *claims;  /* [n] */
    pt_cut *cuts;      /* [n] */
    pt_erase erase;    /* with delete_rows */
    pt_erased *erased; /* [erase.n_tables * n] */
    pt_erasing erasing;
} reset_job;

static int no_assignment(void *arg, pt_assigned *partitions, size_t n, pt_error *err) {
    (void)arg;
    (void)partitions;
    (void)n;
    return pt_fail(err, PT_E_INTERNAL, "reset joins no group");
}

static void no_revocation(void *arg, const pt_assigned *partitions, size_t n, bool lost) {
    (void)arg;
    (void)partitions;
    (void)n;
    (void)lost;
}

/* ---- which pipeline ---- */

/* "a (topics t, u), b (topics t)", and which ones know the topic. */
static void list_pipelines(const reset_job *job, const pt_result *pipelines, pt_text *all,
                           const char **one, size_t *n_with_topic, bool *known) {
    const char *before = NULL;
    for (size_t row = 0; row < pipelines->n_rows; row++) {
        const char *name = pt_result_cell(pipelines, row, 0),
                   *topic = pt_result_cell(pipelines, row, 1);
        bool begins = !before || strcmp(before, name) != 0;
        pt_text_addf(all, "%s%s%s", begins ? (before ? "), " : "") : ", ", begins ? name : topic,
                     begins ? " (" : "");
        if (begins) {
            pt_text_add(all, topic);
        }
        before = name;
        if (strcmp(topic, job->options->topic) == 0) {
            (*n_with_topic)++;
            *one = name;
            *known |= job->options->consumer.group &&
                      strcmp(name, job->options->consumer.group) == 0;
        }
    }
    pt_text_add(all, before ? ")" : "none");
}

static int choose_pipeline(reset_job *job, pt_error *err) {
    const pt_reset_options *o = job->options;
    pt_result pipelines = {0};
    pt_text all = {0};
    const char *one = NULL;
    size_t n = 0;
    bool known = false;
    PT_TRY(pt_history_pipelines(pt_catalog_session(job->catalog), &pipelines, err));
    list_pipelines(job, &pipelines, &all, &one, &n, &known);
    int code = pt_text_check(&all, err);
    if (code == PT_OK && o->consumer.group && !known && !o->is_new) {
        code = pt_fail(err, PT_E_LAKE,
                       "pipeline %s has never read topic %s into this lake; the ledger knows: %s. "
                       "Give --group one of them, or --new when it is to begin there",
                       o->consumer.group, o->topic, pt_text_get(&all));
    } else if (code == PT_OK && !o->consumer.group && n != 1) {
        code = pt_fail(err, n ? PT_E_USAGE : PT_E_LAKE,
                       "%s has read topic %s into this lake; the ledger knows: %s%s",
                       n ? "more than one pipeline" : "no pipeline", o->topic, pt_text_get(&all),
                       n ? "; give --group one of them" : "");
    }
    if (code == PT_OK && !(job->group = strdup(o->consumer.group ? o->consumer.group : one))) {
        code = pt_fail_nomem(err, "a pipeline's name");
    }
    if (code == PT_OK) {
        code = pt_catalog_name(job->catalog, job->group, err);
    }
    pt_text_free(&all);
    pt_result_clear(&pipelines);
    return code;
}

/* ---- what is written ---- */

static int find_cuts(reset_job *job, pt_error *err) {
    const pt_reset_options *o = job->options;
    int32_t all = pt_consumer_partitions(job->consumer, 0);
    if (o->partition >= all) {
        return pt_fail(err, PT_E_USAGE,
                       "--partition %" PRId32 ": topic %s has the partitions 0 to %" PRId32,
                       o->partition, o->topic, all - 1);
    }
    job->first = o->partition < 0 ? 0 : o->partition;
    job->n = o->partition < 0 ? all : 1;
    job->claims = calloc((size_t)job->n + 1, sizeof *job->claims);
    job->cuts = calloc((size_t)job->n + 1, sizeof *job->cuts);
    pt_found *found = calloc((size_t)job->n + 1, sizeof *found);
    int code = job->claims && job->cuts && found
                   ? pt_consumer_find(job->consumer, o->topic, job->first, job->n, &o->to, found,
                                      err)
                   : pt_fail_nomem(err, "claims");
    if (code == PT_E_USAGE) {
        code = pt_fail_in(err, "--to");
    }
    for (int32_t i = 0; code == PT_OK && i < job->n; i++) {
        job->claims[i] =
            (pt_claim){.topic = o->topic, .partition = job->first + i, .next_offset = -1};
        job->cuts[i] = (pt_cut){.partition = job->first + i, .from = found[i].offset};
    }
    free(found);
    return code;
}

/* The ids stay empty, so that the next start takes the topic as it finds it. */
static int add_entry(reset_job *job, int32_t i, const pt_erase_table *table, bool first,
                     pt_error *err) {
    pt_ledger_entry *e = pt_flush_add_entry(job->flush);
    if (!e) {
        return pt_fail_nomem(err, "the ledger rows of a reset");
    }
    e->topic = job->options->topic;
    e->partition = job->cuts[i].partition;
    e->kind = "reset";
    e->next_offset = job->cuts[i].from;
    e->from_offset = first && job->claims[i].next_offset >= 0 ? job->claims[i].next_offset
                                                              : e->next_offset;
    e->target_table = table ? table->label : "";
    return PT_OK;
}

/* A row for each partition, and with delete_rows for each table of it, whose counts go back. */
static int make_entries(reset_job *job, pt_error *err) {
    for (int32_t i = 0; i < job->n; i++) {
        if (job->erase.n_tables == 0) {
            PT_TRY(add_entry(job, i, NULL, true, err));
        }
        for (size_t t = 0; t < job->erase.n_tables; t++) {
            PT_TRY(add_entry(job, i, &job->erase.tables[t], t == 0, err));
        }
    }
    return PT_OK;
}

/* Before it is committed: the tables that lose rows. No rows go into them, so the parts are pieces
 * of nothing. */
static int open_targets(reset_job *job, pt_error *err) {
    job->tables = calloc(job->erase.n_tables + 1, sizeof(pt_table *));
    pt_slice *slices = calloc(job->erase.n_tables + 1, sizeof *slices);
    if (!job->tables || !slices) {
        free(slices);
        return pt_fail_nomem(err, "tables");
    }
    free(job->flush->slices);
    job->flush->slices = slices;
    for (size_t i = 0; i <= job->erase.n_tables; i++) {
        bool dead = i == job->erase.n_tables;
        const pt_erase_table *t = dead ? NULL : &job->erase.tables[i];
        if (!dead && !t->name) {
            continue;
        }
        PT_TRY(pt_catalog_open_place(job->catalog, dead ? "pintail" : t->schema,
                                     dead ? "dead_letters" : t->name, &job->tables[job->n_tables],
                                     err));
        slices[job->n_tables] = (pt_slice){.table = job->tables[job->n_tables],
                                           .piece = strdup("false")};
        if (!slices[job->n_tables].piece) {
            return pt_fail_nomem(err, "tables");
        }
        job->flush->n_slices = ++job->n_tables;
    }
    return PT_OK;
}

static int commit_once(void *arg, pt_error *err) {
    reset_job *job = arg;
    job->outcome = pt_catalog_commit(job->catalog, job->flush, err);
    return job->outcome == PT_COMMITTED ? PT_OK : (int)err->code;
}

/* Without an answer to its COMMIT it may have landed, and DuckLake has removed what it wrote:
 * whoever knows brings that back. Until then the guards stay, for the next start of ingest. */
static pt_outcome settle(reset_job *job, pt_error *err) {
    int64_t start = pt_monotonic_us();
    pt_outcome outcome = PT_UNKNOWN;
    for (unsigned attempt = 1; outcome == PT_UNKNOWN; attempt++) {
        if (pt_stop_asked() || pt_monotonic_us() - start > SETTLED_WITHIN) {
            break;
        }
        pt_backoff_sleep(attempt);
        outcome = pt_catalog_settle(job->catalog, job->flush, err);
    }
    return outcome;
}

static int commit_and_settle(reset_job *job, pt_error *err) {
    int code = pt_retry_busy(commit_once, job, err);
    if (job->outcome != PT_UNKNOWN) {
        return code;
    }
    pt_error why = *err;
    switch (settle(job, err)) {
    case PT_COMMITTED: return PT_OK;
    case PT_TRY_AGAIN: return pt_retry_busy(commit_once, job, err);
    default: *err = why; return code;
    }
}

static int write_reset(reset_job *job, pt_error *err) {
    const pt_claiming what = {.claims = job->claims, .n = (size_t)job->n};
    PT_TRY(pt_catalog_claim(job->catalog, &what, err));
    for (int32_t i = 0; i < job->n; i++) { /* only now nobody moves it any more */
        job->cuts[i].until = job->claims[i].next_offset;
        if (job->options->to_ledger && job->cuts[i].until >= 0) {
            job->cuts[i].from = job->cuts[i].until;
        }
    }
    PT_TRY(make_entries(job, err));
    if (job->erase.n_tables) {
        job->erasing = (pt_erasing){.what = &job->erase,
                                    .cuts = job->cuts,
                                    .n_cuts = (size_t)job->n,
                                    .erased = job->erased};
        job->flush->erasing = &job->erasing;
        PT_TRY(open_targets(job, err));
    }
    int code = commit_and_settle(job, err);
    if (code == PT_E_FENCED) { /* trying again mends it */
        pt_error why = *err;
        code = pt_fail(err, PT_E_LAKE_BUSY,
                       "nothing was reset, since an ingest of this group began at the same moment: "
                       "run it again (%s)",
                       why.text);
    }
    return code;
}

static int look(reset_job *job, pt_error *err) {
    pt_session *session = pt_catalog_session(job->catalog);
    PT_TRY(pt_ledger_read(session, job->group, job->claims, (size_t)job->n, err));
    return pt_erase_count(session, &job->erase, job->cuts, (size_t)job->n, job->erased, err);
}

/* ---- all of it ---- */

static void tell(const reset_job *job, pt_reset_report report, void *arg) {
    for (int32_t i = 0; i < job->n; i++) {
        pt_reset_line line = {.partition = job->cuts[i].partition,
                              .was = job->claims[i].next_offset,
                              .to = job->cuts[i].from};
        for (size_t t = 0; t < job->erase.n_tables; t++) {
            line.rows += job->erased[t * (size_t)job->n + (size_t)i].rows;
            line.dead_letters += job->erased[t * (size_t)job->n + (size_t)i].dead_letters;
        }
        report(arg, &line);
    }
}

static int prepare(reset_job *job, pt_error *err) {
    PT_TRY(choose_pipeline(job, err));
    PT_TRY(find_cuts(job, err));
    if (job->options->delete_rows) {
        PT_TRY(pt_catalog_check_erase(job->catalog, err));
        PT_TRY(pt_erase_open(pt_catalog_session(job->catalog), job->group, job->options->topic,
                             &job->erase, err));
        job->erased = calloc(job->erase.n_tables * (size_t)job->n + 1, sizeof *job->erased);
    }
    return !job->options->delete_rows || job->erased ? PT_OK
                                                     : pt_fail_nomem(err, "what is deleted");
}

int pt_reset(const pt_reset_options *options, pt_reset_report report, void *arg, pt_error *err) {
    pt_consumer_options consumer_options = options->consumer;
    consumer_options.topics = &options->topic;
    consumer_options.n_topics = 1;
    pt_consumer_events events = {no_assignment, no_revocation, NULL};
    reset_job job = {.options = options};
    char owner[64];
    (void)snprintf(owner, sizeof owner, PT_RESET_OWNER "%ld:%" PRId64, (long)getpid(), pt_now_us());
    int code = pt_consumer_open(&consumer_options, &events, &job.consumer, err);
    if (code == PT_OK) {
        code = pt_catalog_open(&options->lake, NULL, owner, &job.catalog, err);
    }
    if (code == PT_OK) {
        code = pt_flush_new(NULL, 0, &job.flush, err);
    }
    if (code == PT_OK) {
        code = prepare(&job, err);
    }
    if (code == PT_OK) {
        code = options->dry_run ? look(&job, err) : write_reset(&job, err);
    }
    if (code == PT_OK) {
        tell(&job, report, arg);
    }
    pt_erasing_clear(&job.erasing);
    pt_erase_close(&job.erase);
    free(job.erased);
    free(job.cuts);
    free(job.claims);
    free(job.group);
    pt_flush_free(&job.flush);
    pt_catalog_close(&job.catalog);
    for (size_t i = 0; i < job.n_tables; i++) {
        pt_table_free(&job.tables[i]);
    }
    free(job.tables);
    pt_consumer_close(&job.consumer);
    return code;
}
