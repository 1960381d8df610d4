/* The line between the three threads. Under ThreadSanitizer (make unit-tsan) this is where a missing lock shows. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pipeline/line.h"

#define ROUNDS 20000

typedef struct world {
    pt_line line;
    int64_t committed; /* committer's */
    int64_t out_of_order;
} world;

static void *stager(void *arg) {
    world *w = arg;
    pt_batch *batch;
    while ((batch = pt_line_next_to_stage(&w->line)) != NULL) {
        if (pt_line_abandoned(&w->line)) {
            pt_line_done(&w->line, batch);
        } else {
            batch->flush->stage_us++;
            pt_line_staged(&w->line, batch);
        }
    }
    return NULL;
}

/* As workers.c does it, with a list of numbers for a lake. */
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
        w->out_of_order += batch->flush->snapshot <= w->committed || batch->flush->stage_us != 1;
        w->committed = batch->flush->snapshot;
        pt_line_done(&w->line, batch);
    }
    return NULL;
}

static void start(world *w, pthread_t threads[2]) {
    pt_error err;
    assert_int_equal(pt_line_init(&w->line, NULL, 0, &err), PT_OK);
    assert_int_equal(pthread_create(&threads[0], NULL, stager, w), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, committer, w), 0);
}

static void stop(world *w, pthread_t threads[2]) {
    pthread_mutex_lock(&w->line.lock);
    w->line.end = true;
    (void)pthread_cond_broadcast(&w->line.changed);
    pthread_mutex_unlock(&w->line.lock);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
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
        pt_batch *batch = pt_line_take_free(&w.line, PT_SECOND);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_out_in_the_order_in_which_they_were_sealed),
        cmocka_unit_test(after_abandoning_every_batch_is_free_again),
        cmocka_unit_test(the_first_failure_stays_and_no_batch_is_given_out_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
