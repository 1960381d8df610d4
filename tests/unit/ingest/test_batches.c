/* The line between the three threads. Under ThreadSanitizer (make unit-tsan) this is where a
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

#define ROUNDS 20000

typedef struct world {
    pt_line line;
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
    pt_line_ahead_done(&w->line, batch);
}

static void *stager(void *arg) {
    world *w = arg;
    pt_batch *batch;
    size_t slice;
    while ((batch = pt_line_next_to_stage(&w->line, &slice)) != NULL) {
        if (slice != SIZE_MAX) {
            follow(w, batch, slice);
        } else if (pt_line_abandoned(&w->line)) {
            pt_line_done(&w->line, batch);
        } else {
            batch->flush->commit_us++;
            pt_line_staged(&w->line, batch);
        }
    }
    return NULL;
}

/* As committing.c does it, with a list of numbers for a lake. */
static pt_batch *next_to_commit(pt_line *line) {
    pthread_mutex_lock(&line->lock);
    while (!line->to_commit && !(line->end && line->under_way == 0)) {
        struct timespec t = pt_deadline(pt_monotonic_us() + PT_SECOND / 100);
        (void)pthread_cond_timedwait(&line->changed, &line->lock, &t);
    }
    pt_batch *batch = line->to_commit;
    if (batch) {
        line->to_commit = batch->next;
        batch->next = NULL;
    }
    pthread_mutex_unlock(&line->lock);
    return batch;
}

static void *committer(void *arg) {
    world *w = arg;
    pt_batch *batch;
    while ((batch = next_to_commit(&w->line)) != NULL) {
        w->out_of_order += batch->flush->snapshot <= w->committed || batch->flush->commit_us != 1;
        w->committed = batch->flush->snapshot;
        pt_line_done(&w->line, batch);
    }
    return NULL;
}

static void start_with(world *w, const pt_table *const *tables, size_t n_tables,
                       pthread_t threads[2]) {
    pt_error err;
    assert_int_equal(pt_line_init(&w->line, tables, n_tables, &err), PT_OK);
    assert_int_equal(pthread_create(&threads[0], NULL, stager, w), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, committer, w), 0);
}

static void start(world *w, pthread_t threads[2]) {
    start_with(w, NULL, 0, threads);
}

static void end(world *w, pthread_t threads[2]) {
    pthread_mutex_lock(&w->line.lock);
    w->line.end = true;
    (void)pthread_cond_broadcast(&w->line.changed);
    pthread_mutex_unlock(&w->line.lock);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
}

static void stop(world *w, pthread_t threads[2]) {
    end(w, threads);
    pt_line_clear(&w->line);
}

static void batches_come_out_in_the_order_in_which_they_were_sealed(void **state) {
    (void)state;
    world w = {.committed = 0};
    pthread_t threads[2];
    start(&w, threads);
    for (int64_t i = 1; i <= ROUNDS; i++) {
        pt_batch *batch = NULL;
        while (!batch) {
            batch = pt_line_take_free(&w.line, PT_SECOND);
        }
        batch->flush->snapshot = i;
        pt_line_seal(&w.line, batch);
    }
    assert_true(pt_line_drain(&w.line, 60 * PT_SECOND));
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
        pt_batch *batch = pt_line_take_free(&w.line, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->flush->snapshot = i;
        pt_line_seal(&w.line, batch);
        if (i % 3 == 0) {
            pt_line_abandon(&w.line);
            assert_int_equal(w.line.under_way, 0);
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
    pt_line_fail(&w.line, &err);
    int second = pt_fail(&err, PT_E_LAKE, "the second");
    pt_line_fail(&w.line, &err);
    assert_int_not_equal(first, second);
    assert_int_equal(pt_line_failed(&w.line, &err), PT_E_IO);
    assert_string_equal(err.text, "the first");
    assert_null(pt_line_take_free(&w.line, PT_SECOND));
    assert_false(pt_line_drain(&w.line, PT_SECOND));
    stop(&w, threads);
}

static void *fold_a_while(void *arg) {
    world *w = arg;
    pt_sleep_us(PT_SECOND / 10);
    w->committed = 1;
    pt_line_folded(&w->line);
    return NULL;
}

static void nothing_is_drained_or_abandoned_before_a_fold_is_over(void **state) {
    (void)state;
    world w = {.committed = 0};
    pthread_t threads[2];
    start(&w, threads);
    for (int round = 0; round < 2; round++) {
        pthread_t folding;
        w.committed = 0;
        w.line.folding = true;
        assert_false(pt_line_drain(&w.line, PT_SECOND / 100));
        assert_int_equal(pthread_create(&folding, NULL, fold_a_while, &w), 0);
        if (round) {
            pt_line_abandon(&w.line);
        } else {
            assert_true(pt_line_drain(&w.line, 60 * PT_SECOND));
        }
        assert_int_equal(w.committed, 1);
        assert_int_equal(pthread_join(folding, NULL), 0);
    }
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
            pt_line_offer(&w->line, batch, slice);
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
        pt_batch *batch = pt_line_take_free(&w.line, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->flush->snapshot = i;
        int64_t n = rand_r(&seed) % 10000;
        int64_t offer_at = rand_r(&seed) % 10000;
        fill(&w, batch, (size_t)(rand_r(&seed) % 2), n, offer_at);
        if (rand_r(&seed) % 3 == 0) {
            pt_line_return(&w.line, batch);
        } else {
            most += offer_at < n ? n : 0;
            pt_line_seal(&w.line, batch);
        }
    }
    assert_true(pt_line_drain(&w.line, 60 * PT_SECOND));
    end(&w, threads);
    size_t n_free = 0;
    for (pt_batch *b = w.line.free; b; b = b->next) {
        n_free++;
    }
    pt_line_clear(&w.line);
    assert_int_equal(n_free, PT_BATCHES);
    assert_int_equal(w.out_of_order, 0);
    assert_true(w.followed > 0 && w.followed <= most);
}

static void wait_until_taken(world *w) {
    for (bool taken = false; !taken; pt_sleep_us(100)) {
        pthread_mutex_lock(&w->line.lock);
        taken = !w->line.offered;
        pthread_mutex_unlock(&w->line.lock);
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
        pt_batch *batch = pt_line_take_free(&w.line, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->flush->snapshot = i;
        fill(&w, batch, 0, 5000, 3000);
        wait_until_taken(&w);
        fill(&w, batch, 0, 5000, -1);
        pt_line_seal(&w.line, batch);
        assert_true(pt_line_drain(&w.line, 60 * PT_SECOND));
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
        pt_batch *batch = pt_line_take_free(&w.line, 20 * PT_SECOND);
        assert_non_null(batch);
        batch->flush->snapshot = i;
        fill(&w, batch, 0, 70000, 30000);
        if (i % 2) { /* as soon as it begins, or before, or not at all */
            pt_sleep_us(rand_r(&seed) % 300);
            pt_line_patience(&w.line, true);
            pthread_mutex_lock(
                &w.line.lock); /* the reader has not sealed it: it must not be waited for */
            while (w.line.ahead) {
                struct timespec t = pt_deadline(pt_monotonic_us() + 20 * PT_SECOND);
                assert_int_equal(pthread_cond_timedwait(&w.line.changed, &w.line.lock, &t), 0);
            }
            pthread_mutex_unlock(&w.line.lock);
            pt_line_patience(&w.line, false);
        } else {
            most += 70000;
        }
        pt_line_seal(&w.line, batch);
    }
    assert_true(pt_line_drain(&w.line, 60 * PT_SECOND));
    stop(&w, threads);
    assert_int_equal(w.out_of_order, 0);
    assert_true(w.followed > 0 && w.followed <= most && w.followed % 70000 == 0);
}

static void while_a_flush_is_committed_in_pieces_a_drain_waits_on(void **state) {
    (void)state;
    world w = {.committed = 0};
    pthread_t threads[2];
    pthread_t folding;
    start(&w, threads);
    w.line.folding = true;
    pt_line_patience(&w.line, true);
    assert_int_equal(pthread_create(&folding, NULL, fold_a_while, &w), 0);
    assert_true(
        pt_line_drain(&w.line, PT_SECOND / 100)); /* nothing changes for ten times as long */
    assert_int_equal(w.committed, 1);
    assert_int_equal(pthread_join(folding, NULL), 0);
    pt_line_patience(&w.line, false);
    stop(&w, threads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_out_in_the_order_in_which_they_were_sealed),
        cmocka_unit_test(after_abandoning_every_batch_is_free_again),
        cmocka_unit_test(the_first_failure_stays_and_no_batch_is_given_out_any_more),
        cmocka_unit_test(nothing_is_drained_or_abandoned_before_a_fold_is_over),
        cmocka_unit_test(
            what_is_read_ahead_is_left_when_the_stager_is_wanted_and_never_taken_for_the_whole),
        cmocka_unit_test(while_a_flush_is_committed_in_pieces_a_drain_waits_on),
        cmocka_unit_test(an_offered_batch_is_followed_to_its_end_or_comes_back_when_it_is_dropped),
        cmocka_unit_test(rows_are_followed_while_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
