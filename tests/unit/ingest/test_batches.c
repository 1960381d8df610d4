/* Batches between the three threads. Under ThreadSanitizer (make unit-tsan) this is where a
 * missing lock shows. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ingest/batches.h"
#include "ingest/inbox.h"

#define ROUNDS 20000

typedef struct world {
    pt_monitor monitor;
    pt_batches batches;
    pt_inbox inbox;
    int64_t committed; /* committer's */
    int64_t out_of_order;
    int64_t followed; /* stager's: rows of batches that were offered and are complete */
} world;

/* Rows that the reader may still be writing. */
static void follow(world *w, pt_batch *batch, size_t slice) {
    pt_rows *rows = batch->flush->slices[slice].rows;
    int64_t seen = 0;
    duckdb_data_chunk chunk;
    for (size_t i = 0; (chunk = pt_rows_follow(rows, i)) != NULL; i++) {
        seen += (int64_t)duckdb_data_chunk_get_size(chunk);
    }
    if (pt_rows_complete(rows)) {
        w->followed += seen;
    }
    pt_batches_ahead_done(&w->batches, batch);
}

static void *stager(void *arg) {
    world *w = arg;
    pt_batch *batch;
    size_t slice;
    while ((batch = pt_batches_next_to_stage(&w->batches, &slice)) != NULL) {
        if (slice != SIZE_MAX) {
            follow(w, batch, slice);
        } else if (pt_monitor_given_up(&w->monitor)) {
            pt_batches_done(&w->batches, batch);
        } else {
            batch->flush->commit_us++;
            pt_inbox_commit(&w->inbox, batch);
        }
    }
    return NULL;
}

/* With a list of numbers for a lake. */
static pt_batch *next_to_commit(pt_inbox *inbox) {
    pt_ask *ask = NULL;
    pt_batch *batch = NULL;
    return pt_inbox_next(inbox, INT64_MAX, &ask, &batch) == PT_NEXT_BATCH ? batch : NULL;
}

static void *committer(void *arg) {
    world *w = arg;
    pt_batch *batch;
    while ((batch = next_to_commit(&w->inbox)) != NULL) {
        w->out_of_order += batch->opened_us <= w->committed || batch->flush->commit_us != 1;
        w->committed = batch->opened_us;
        pt_batches_done(&w->batches, batch);
    }
    return NULL;
}

static void start_with(world *w, const pt_table *const *tables, size_t n_tables,
                       pthread_t threads[2]) {
    pt_error err;
    pt_monitor_init(&w->monitor);
    assert_int_equal(pt_batches_init(&w->batches, &w->monitor, tables, n_tables, &err), PT_OK);
    pt_inbox_init(&w->inbox, &w->batches);
    assert_int_equal(pthread_create(&threads[0], NULL, stager, w), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, committer, w), 0);
}

static void start(world *w, pthread_t threads[2]) {
    start_with(w, NULL, 0, threads);
}

static void end(world *w, pthread_t threads[2]) {
    pt_monitor_end(&w->monitor);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
}

static void clear(world *w) {
    pt_batches_clear(&w->batches);
    pt_monitor_clear(&w->monitor);
}

static void stop(world *w, pthread_t threads[2]) {
    end(w, threads);
    clear(w);
}

static void batches_come_out_in_the_order_in_which_they_were_sealed(void **state) {
    (void)state;
    world w = {.committed = 0};
    pthread_t threads[2];
    start(&w, threads);
    for (int64_t i = 1; i <= ROUNDS; i++) {
        pt_batch *batch = NULL;
        while (!batch) {
            batch = pt_batches_take_free(&w.batches, PT_SECOND);
        }
        batch->opened_us = i;
        pt_batches_seal(&w.batches, batch);
    }
    assert_true(pt_batches_drain(&w.batches, 60 * PT_SECOND));
    stop(&w, threads);
    assert_int_equal(w.committed, ROUNDS);
    assert_int_equal(w.out_of_order, 0);
}

static void after_abandoning_every_batch_is_free_again(void **state) {
    (void)state;
    world w = {.committed = 0};
    pthread_t threads[2];
    start(&w, threads);
    for (int64_t i = 1; i <= 2000; i++) {
        pt_batch *batch = pt_batches_take_free(&w.batches, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->opened_us = i;
        pt_batches_seal(&w.batches, batch);
        if (i % 3 == 0) {
            pt_batches_abandon(&w.batches);
            assert_int_equal(w.batches.under_way, 0);
        }
    }
    stop(&w, threads);
    assert_int_equal(w.out_of_order, 0);
}

static void the_first_failure_stays_and_no_batch_is_given_out_any_more(void **state) {
    (void)state;
    world w = {.committed = 0};
    pthread_t threads[2];
    pt_error err = {0};
    start(&w, threads);
    int first = pt_fail(&err, PT_E_IO, "the first");
    pt_monitor_fail(&w.monitor, &err);
    int second = pt_fail(&err, PT_E_LAKE, "the second");
    pt_monitor_fail(&w.monitor, &err);
    assert_int_not_equal(first, second);
    assert_int_equal(pt_monitor_failed(&w.monitor, &err), PT_E_IO);
    assert_string_equal(err.text, "the first");
    assert_null(pt_batches_take_free(&w.batches, PT_SECOND));
    assert_false(pt_batches_drain(&w.batches, PT_SECOND));
    stop(&w, threads);
}

/* Writes n rows and offers the slice at row `offer_at`. */
static void fill(world *w, pt_batch *batch, size_t slice, int64_t n, int64_t offer_at) {
    pt_error err;
    pt_rows *rows = batch->flush->slices[slice].rows;
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(pt_rows_open(rows, &err), PT_OK);
        ((int64_t *)pt_rows_data(rows, 0))[pt_rows_at(rows)] = i;
        pt_rows_commit(rows);
        if (i == offer_at) {
            pt_batches_offer(&w->batches, batch, slice);
        }
    }
}

static void an_offered_batch_is_followed_to_its_end_or_comes_back_when_it_is_dropped(void **state) {
    (void)state;
    static pt_type bigint = {.id = PT_BIGINT};
    static const pt_table table = {.types = &bigint, .n_columns = 1};
    const pt_table *tables[] = {&table, &table};
    world w = {.committed = 0};
    pthread_t threads[2];
    start_with(&w, tables, 2, threads);
    unsigned seed = 7;
    int64_t most = 0;
    for (int64_t i = 1; i <= 600; i++) {
        pt_batch *batch = pt_batches_take_free(&w.batches, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->opened_us = i;
        int64_t n = rand_r(&seed) % 10000;
        int64_t offer_at = rand_r(&seed) % 10000;
        fill(&w, batch, (size_t)(rand_r(&seed) % 2), n, offer_at);
        if (rand_r(&seed) % 3 == 0) {
            pt_batches_return(&w.batches, batch);
        } else {
            most += offer_at < n ? n : 0;
            pt_batches_seal(&w.batches, batch);
        }
    }
    assert_true(pt_batches_drain(&w.batches, 60 * PT_SECOND));
    end(&w, threads);
    size_t n_free = 0;
    for (pt_batch *b = w.batches.free; b; b = b->next) {
        n_free++;
    }
    clear(&w);
    assert_int_equal(n_free, PT_BATCHES);
    assert_int_equal(w.out_of_order, 0);
    assert_true(w.followed > 0 && w.followed <= most);
}

static void wait_until_taken(world *w) {
    for (bool taken = false; !taken; pt_sleep_us(100)) {
        pthread_mutex_lock(&w->monitor.lock);
        taken = !w->batches.offered;
        pthread_mutex_unlock(&w->monitor.lock);
    }
}

/* Who comes to rows that are offered before they are complete sees every one of them. */
static void rows_are_followed_while_they_are_written(void **state) {
    (void)state;
    static pt_type bigint = {.id = PT_BIGINT};
    static const pt_table table = {.types = &bigint, .n_columns = 1};
    world w = {.committed = 0};
    pthread_t threads[2];
    start_with(&w, &(const pt_table *){&table}, 1, threads);
    for (int64_t i = 1; i <= 50; i++) {
        pt_batch *batch = pt_batches_take_free(&w.batches, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->opened_us = i;
        fill(&w, batch, 0, 5000, 3000);
        wait_until_taken(&w);
        fill(&w, batch, 0, 5000, -1);
        pt_batches_seal(&w.batches, batch);
        assert_true(pt_batches_drain(&w.batches, 60 * PT_SECOND));
    }
    stop(&w, threads);
    assert_int_equal(w.followed, 50 * 10000);
}

/* A flush is being committed in pieces meanwhile. */
static void what_is_read_ahead_is_left_when_the_stager_is_wanted_and_never_taken_for_the_whole(
    void **state) {
    (void)state;
    static pt_type bigint = {.id = PT_BIGINT};
    static const pt_table table = {.types = &bigint, .n_columns = 1};
    const pt_table *tables[] = {&table};
    world w = {.committed = 0};
    pthread_t threads[2];
    start_with(&w, tables, 1, threads);
    int64_t most = 0;
    unsigned seed = 7;
    for (int64_t i = 1; i <= 300; i++) {
        pt_batch *batch = pt_batches_take_free(&w.batches, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->opened_us = i;
        fill(&w, batch, 0, 70000, 30000);
        if (i % 2) { /* as soon as it begins, or before, or not at all */
            pt_sleep_us(rand_r(&seed) % 300);
            pt_batches_in_pieces(&w.batches, true);
            pthread_mutex_lock(
                &w.monitor.lock); /* the reader has not sealed it: it must not be waited for */
            while (w.batches.ahead) {
                struct timespec t = pt_deadline(pt_monotonic_us() + 20 * PT_SECOND);
                assert_int_equal(pthread_cond_timedwait(&w.monitor.changed, &w.monitor.lock, &t),
                                 0);
            }
            pthread_mutex_unlock(&w.monitor.lock);
            pt_batches_in_pieces(&w.batches, false);
        } else {
            most += 70000;
        }
        pt_batches_seal(&w.batches, batch);
    }
    assert_true(pt_batches_drain(&w.batches, 60 * PT_SECOND));
    stop(&w, threads);
    assert_int_equal(w.out_of_order, 0);
    assert_true(w.followed > 0 && w.followed <= most && w.followed % 70000 == 0);
}

static void *finish_late(void *arg) {
    world *w = arg;
    pt_sleep_us(PT_SECOND / 10);
    pt_batches_done(&w->batches, pt_batch_take_first(&w->batches.to_stage));
    w->committed = 1;
    return NULL;
}

static void while_a_flush_is_committed_in_pieces_a_drain_waits_on(void **state) {
    (void)state;
    world w = {.committed = 0};
    pt_error err;
    pthread_t late;
    pt_monitor_init(&w.monitor);
    assert_int_equal(pt_batches_init(&w.batches, &w.monitor, NULL, 0, &err), PT_OK);
    pt_batches_seal(&w.batches, pt_batches_take_free(&w.batches, 0));
    assert_false(pt_batches_drain(&w.batches, PT_SECOND / 100));
    pt_batches_in_pieces(&w.batches, true);
    assert_int_equal(pthread_create(&late, NULL, finish_late, &w), 0);
    assert_true(
        pt_batches_drain(&w.batches, PT_SECOND / 100)); /* nothing changes for ten times as long */
    assert_int_equal(pthread_join(late, NULL), 0);
    assert_int_equal(w.committed, 1);
    clear(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_out_in_the_order_in_which_they_were_sealed),
        cmocka_unit_test(after_abandoning_every_batch_is_free_again),
        cmocka_unit_test(the_first_failure_stays_and_no_batch_is_given_out_any_more),
        cmocka_unit_test(
            what_is_read_ahead_is_left_when_the_stager_is_wanted_and_never_taken_for_the_whole),
        cmocka_unit_test(while_a_flush_is_committed_in_pieces_a_drain_waits_on),
        cmocka_unit_test(an_offered_batch_is_followed_to_its_end_or_comes_back_when_it_is_dropped),
        cmocka_unit_test(rows_are_followed_while_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
