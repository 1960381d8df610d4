/* The real threads of ingest around the catalog that only counts. */
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
#include "counting_ops.h"
#include "ingest/committer_thread.h"
#include "lake/dead_letter.h"
#include "lake/ledger_form.h"

#define SOON (30 * PT_SECOND) /* of a loaded machine */

/* ---- the threads around it ---- */

typedef struct world {
    counting catalog;
    pt_table *tables[2]; /* of the rows, of the dead letters */
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
    const pt_table_options orders = {.table = "t",
                                     .schema_text = "\"partition\" INTEGER, \"offset\" BIGINT",
                                     .topic = "orders"};
    pt_catalog *catalog = &w->catalog.base;
    pt_error err = {0};
    assert_int_equal(pt_catalog_begin(catalog, &counting_ops, "g", "me", &err), PT_OK);
    assert_int_equal(pt_catalog_open_table(catalog, &orders, &w->tables[0], &err), PT_OK);
    assert_int_equal(pt_catalog_open_own(catalog, "dead_letters", PT_DEAD_LETTER_COLUMNS,
                                         &w->tables[1], &err),
                     PT_OK);
    assert_int_equal(pt_stager_open(&(pt_lake_options){.threads = 1}, false, &w->stager, &err),
                     PT_OK);
    pt_monitor_init(&w->monitor);
    assert_int_equal(pt_batches_init(&w->batches, &w->monitor, (const pt_table *const *)w->tables,
                                     2, &err),
                     PT_OK);
    w->route = (pt_route){.topic = "orders", .table = w->tables[0], .tally = &w->tally};
    w->committer.batches = &w->batches;
    w->committer.catalog = &w->catalog.base;
    w->committer.stager = &w->staging;
    w->committer.stats = w->shared ? w->shared : &w->stats;
    w->committer.pipeline = "g";
    w->committer.tables = w->tables;
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
    pt_table_free(&w->tables[0]);
    pt_table_free(&w->tables[1]);
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
