/* A catalog that only counts, whose answers a test writes down before, and the real threads of
 * ingest around it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ingest/committer_thread.h"
#include "lake/catalog_ops.h"
#include "lake/dead_letter.h"
#include "lake/ledger_form.h"

#define ANSWERS 8
#define SOON    (30 * PT_SECOND) /* of a loaded machine */

typedef struct answer {
    pt_outcome outcome;
    pt_code code;
} answer;

typedef struct counting {
    pt_catalog base;
    _Atomic bool away;                                         /* nothing answers */
    answer commits[ANSWERS], settles[ANSWERS], folds[ANSWERS]; /* then: committed */
    unsigned n_claims, n_commits, n_settles, n_settles_alone, n_folds, n_looks, n_inspected;
    int64_t refuses; /* commits of this offset; -1: none */
    int64_t held;    /* rows that the catalog is said to hold */
    int64_t landed;  /* records */
    char first_id[PT_UUID_SIZE];
    unsigned ids;
    bool other_id; /* an attempt came with another one */
    const pt_ledger_starts *starts;
    const pt_identities *tables;
} counting;

static pt_outcome next_answer(const answer *list, unsigned *n, pt_error *err) {
    const answer *a = *n < ANSWERS ? &list[*n] : &(const answer){PT_COMMITTED, PT_OK};
    ++*n;
    if (a->outcome != PT_COMMITTED && a->code != PT_OK) {
        (void)pt_fail(err, a->code, "as the test wants it");
    }
    return a->outcome;
}

static int count_claim(pt_catalog *catalog, const pt_claiming *what, pt_error *err) {
    counting *c = (counting *)catalog;
    if (c->away) {
        return pt_fail(err, PT_E_LAKE_DOWN, "away");
    }
    c->n_claims++;
    c->starts = what->starts;
    c->tables = what->tables;
    for (size_t i = 0; i < what->n; i++) {
        what->claims[i].epoch = (int64_t)c->n_claims;
        what->claims[i].next_offset = 0;
    }
    return PT_OK;
}

static int count_look(pt_catalog *catalog, pt_error *err) {
    (void)err;
    ((counting *)catalog)->n_looks++;
    return PT_OK;
}

static bool has(const pt_flush *flush, int64_t offset) {
    for (size_t i = 0; i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        if (offset >= e->from_offset && offset < e->next_offset) {
            return true;
        }
    }
    return false;
}

static void land(counting *c, const pt_flush *flush) {
    for (size_t i = 0; i < flush->n_entries; i++) {
        c->landed += flush->entries[i].next_offset - flush->entries[i].from_offset;
    }
}

static pt_outcome count_commit(pt_catalog *catalog, pt_flush *flush, pt_error *err) {
    counting *c = (counting *)catalog;
    if (!*flush->commit_id) { /* a catalog gives it, once for all attempts */
        (void)snprintf(flush->commit_id, sizeof flush->commit_id, "commit %u", ++c->ids);
    }
    if (!*c->first_id) {
        memcpy(c->first_id, flush->commit_id, sizeof c->first_id);
    }
    c->other_id |= strcmp(c->first_id, flush->commit_id) != 0;
    if (c->away) {
        (void)pt_fail(err, PT_E_LAKE_DOWN, "away");
        return PT_UNKNOWN;
    }
    pt_outcome outcome = next_answer(c->commits, &c->n_commits, err);
    if (outcome == PT_COMMITTED && has(flush, c->refuses)) {
        (void)pt_fail(err, PT_E_LAKE, "this record cannot be taken");
        return PT_REFUSED;
    }
    if (outcome == PT_COMMITTED) {
        land(c, flush);
    }
    return outcome;
}

static pt_outcome count_settle(pt_catalog *catalog, pt_flush *flush, pt_error *err) {
    counting *c = (counting *)catalog;
    if (c->away) {
        (void)pt_fail(err, PT_E_LAKE_DOWN, "away");
        return PT_UNKNOWN;
    }
    pt_outcome outcome = next_answer(c->settles, &c->n_settles, err);
    c->n_settles_alone += !flush;
    if (outcome == PT_COMMITTED && flush) {
        land(c, flush);
    }
    return outcome;
}

static int count_inspect(pt_catalog *catalog, const pt_flush *flush, pt_error *err) {
    (void)flush;
    (void)err;
    ((counting *)catalog)->n_inspected++;
    return PT_OK;
}

static pt_outcome count_upkeep(pt_catalog *catalog, pt_upkeep *what, pt_error *err) {
    counting *c = (counting *)catalog;
    if (what->kind == PT_UPKEEP_FOLD) {
        pt_outcome outcome = next_answer(c->folds, &c->n_folds, err);
        if (outcome == PT_COMMITTED) {
            what->n = c->held;
            c->held = 0;
        }
        return outcome;
    }
    what->n = what->kind == PT_UPKEEP_COUNT ? c->held : 0;
    return PT_COMMITTED;
}

static void count_close(pt_catalog *catalog) {
    pt_catalog_end(catalog);
}

static const pt_catalog_ops counting_ops = {
    .name = "counting",
    .claim = count_claim,
    .look_back = count_look,
    .commit = count_commit,
    .settle = count_settle,
    .inspect = count_inspect,
    .upkeep = count_upkeep,
    .close = count_close,
};

/* ---- the threads around it ---- */

typedef struct world {
    counting catalog;
    pt_schema *schemas[2]; /* of the table, of the dead letters */
    pt_type types[2][16];
    const char *names[2][16];
    pt_table tables[2];
    const pt_table *list[2];
    pt_table *tabled[2];
    pt_monitor monitor;
    pt_batches batches;
    pt_stats stats;
    pt_stats *shared;    /* of several members; NULL: stats */
    const pt_job *extra; /* a job beside the usual ones; NULL: none */
    pt_stager *stager;
    pt_stager_thread staging;
    pt_committer committer;
    pt_route route;
    pt_tally tally;
    pt_identities identities;
    pt_ledger_starts starts;
    int64_t next; /* offset of the next record */
} world;

static void open_table(world *w, size_t at, const char *columns, char *label) {
    pt_error err;
    assert_int_equal(pt_schema_parse(columns, &w->schemas[at], &err), PT_OK);
    for (size_t i = 0; i < w->schemas[at]->n_columns; i++) {
        w->types[at][i] = w->schemas[at]->columns[i].type;
        w->names[at][i] = w->schemas[at]->columns[i].name;
    }
    w->tables[at] = (pt_table){.label = label,
                               .name = label,
                               .types = w->types[at],
                               .names = w->names[at],
                               .n_columns = w->schemas[at]->n_columns};
    w->list[at] = &w->tables[at];
}

static int claim(world *w, int32_t partition) {
    pt_claim what = {.topic = "orders", .partition = partition, .next_offset = -1};
    pt_ask ask = {.kind = PT_ASK_CLAIM, .claims = &what, .n = 1, .starts = &w->starts};
    pt_inbox_ask(&w->committer.inbox, &ask);
    int64_t until = pt_monotonic_us() + SOON;
    while (!pt_inbox_await(&w->committer.inbox, &ask, SOON)) { /* it waits for something else */
        assert_true(pt_monotonic_us() < until);
        pt_sleep_us(500);
    }
    return ask.code;
}

/* Both threads, with one partition claimed. */
static void start(world *w) {
    static char table[] = "t", dead[] = "pintail.dead_letters";
    pt_error err = {0};
    open_table(w, 0, "\"partition\" INTEGER, \"offset\" BIGINT", table);
    open_table(w, 1, PT_DEAD_LETTER_COLUMNS, dead);
    w->tables[1].dead_letters = true;
    w->tables[0].meta_at[PT_META_TOPIC] = SIZE_MAX;
    w->tables[0].meta_at[PT_META_PARTITION] = 0;
    w->tables[0].meta_at[PT_META_OFFSET] = 1;
    w->tables[0].inline_rows = w->catalog.held ? 10 : 0;
    assert_int_equal(pt_catalog_begin(&w->catalog.base, &counting_ops, "g", "me", &err), PT_OK);
    assert_int_equal(pt_stager_open(&(pt_lake_options){.threads = 1}, false, &w->stager, &err),
                     PT_OK);
    pt_monitor_init(&w->monitor);
    assert_int_equal(pt_batches_init(&w->batches, &w->monitor, w->list, 2, &err), PT_OK);
    w->route = (pt_route){.topic = "orders", .table = &w->tables[0], .tally = &w->tally};
    w->tabled[0] = &w->tables[0];
    w->tabled[1] = &w->tables[1];
    w->committer.batches = &w->batches;
    w->committer.catalog = &w->catalog.base;
    w->committer.stager = &w->staging;
    w->committer.stats = w->shared ? w->shared : &w->stats;
    w->committer.pipeline = "g";
    w->committer.tables = w->tabled;
    w->committer.n_tables = 2;
    w->committer.routes = &w->route;
    w->committer.n_routes = 1;
    w->committer.identities = &w->identities;
    w->staging = (pt_stager_thread){.batches = &w->batches,
                                    .inbox = &w->committer.inbox,
                                    .stager = w->stager};
    pt_inbox_init(&w->committer.inbox, &w->batches);
    assert_int_equal(pt_committer_jobs(&w->committer, 0, &err), PT_OK);
    if (w->extra) {
        w->committer.jobs[w->committer.n_jobs++] = *w->extra;
    }
    assert_int_equal(pt_stager_thread_start(&w->staging, &err), PT_OK);
    assert_int_equal(pt_committer_start(&w->committer, &err), PT_OK);
    assert_int_equal(claim(w, 3), PT_OK);
}

static void stop(world *w) {
    pt_monitor_end(&w->monitor);
    pt_stager_thread_join(&w->staging);
    pt_committer_join(&w->committer);
    pt_fold_close(&w->committer.fold);
    pt_batches_clear(&w->batches);
    pt_monitor_clear(&w->monitor);
    pt_stager_close(&w->stager);
    pt_catalog *catalog = &w->catalog.base;
    pt_catalog_close(&catalog);
    pt_tally_clear(&w->tally);
    pt_schema_free(&w->schemas[0]);
    pt_schema_free(&w->schemas[1]);
}

/* Hands n records on. */
static void hand_on(world *w, int64_t n) {
    pt_error err = {0};
    pt_batch *batch = pt_batches_take_free(&w->batches, SOON);
    assert_non_null(batch);
    pt_ledger_entry *e = pt_flush_add_entry(batch->flush);
    e->topic = "orders";
    e->partition = 3;
    e->from_offset = w->next;
    e->next_offset = w->next + n;
    e->rows = n;
    e->target_table = "t";
    pt_rows *rows = batch->flush->slices[0].rows;
    for (; w->next < e->next_offset; w->next++) {
        assert_int_equal(pt_rows_open(rows, &err), PT_OK);
        ((int32_t *)pt_rows_data(rows, 0))[pt_rows_at(rows)] = 3;
        ((int64_t *)pt_rows_data(rows, 1))[pt_rows_at(rows)] = w->next;
        pt_rows_commit(rows);
    }
    pt_batches_seal(&w->batches, batch);
}

/* ... and waits until they are committed or the member has failed. */
static inline bool flush(world *w, int64_t n) {
    hand_on(w, n);
    return pt_batches_drain(&w->batches, SOON);
}

static inline int64_t position(const world *w) {
    return pt_catalog_find_claim(&w->catalog.base, "orders", 3)->next_offset;
}

static inline pt_code failure(world *w) {
    pt_error err = {0};
    int ignored = pt_monitor_failed(&w->monitor, &err);
    (void)ignored;
    return err.code;
}
