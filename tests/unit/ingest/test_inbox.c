/* The committer's inbox: who asks gets an answer, or learns at once that the committer cannot
 * answer now; and jobs. */
#include "counting_catalog.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

typedef struct question {
    pt_claim claim;
    pt_ask ask;
} question;

static void put(world *w, question *q, pt_ask_kind kind, int32_t partition) {
    *q = (question){.claim = {.topic = "orders", .partition = partition, .next_offset = -1}};
    q->ask = (pt_ask){.kind = kind, .claims = &q->claim, .n = 1};
    pt_inbox_ask(&w->committer.inbox, &q->ask);
}

static void wait_for_state(world *w, const char *name) {
    int64_t until = pt_monotonic_us() + SOON;
    while (strcmp(pt_inbox_state_name(&w->committer.inbox), name) != 0) {
        assert_true(pt_monotonic_us() < until);
        pt_sleep_us(500);
    }
}

/* A member that begins to wait answers nothing: the asker looks again. */
static void wait_until_answered(world *w, const question *q) {
    int64_t until = pt_monotonic_us() + SOON;
    while (!pt_inbox_await(&w->committer.inbox, &q->ask, PT_SECOND)) {
        assert_true(pt_monotonic_us() < until);
        pt_sleep_us(500);
    }
}

/* The catalog is away, and a flush of five records is in recovery. */
static void start_recovering(world *w) {
    w->catalog.refuses = -1;
    start(w);
    w->catalog.away = true;
    hand_on(w, 5);
    wait_for_state(w, "recovering");
}

static void a_claim_is_not_waited_for_during_a_recovery_and_is_answered_after_it(void **state) {
    (void)state;
    world w = {0};
    question q;
    start_recovering(&w);
    put(&w, &q, PT_ASK_CLAIM, 4);
    int64_t asked = pt_monotonic_us();
    assert_false(pt_inbox_await(&w.committer.inbox, &q.ask, 10 * SOON));
    assert_true(pt_monotonic_us() - asked < SOON);
    assert_string_equal(pt_inbox_state_name(&w.committer.inbox), "recovering");
    w.catalog.away = false;
    wait_until_answered(&w, &q);
    assert_int_equal(q.ask.code, PT_OK);
    assert_true(pt_batches_drain(&w.batches, SOON));
    stop(&w);
    assert_int_equal(w.catalog.landed, 5);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_RECOVERIES), 1);
    assert_string_equal(pt_committer_state_name(PT_COMMITTER_ENDED), "ended");
}

static void a_claim_that_is_withdrawn_during_a_recovery_is_never_made(void **state) {
    (void)state;
    world w = {0};
    question q;
    start_recovering(&w);
    put(&w, &q, PT_ASK_CLAIM, 4);
    assert_true(pt_inbox_withdraw(&w.committer.inbox, &q.ask));
    assert_false(pt_inbox_withdraw(&w.committer.inbox, &q.ask));
    w.catalog.away = false;
    assert_true(pt_batches_drain(&w.batches, SOON));
    stop(&w);
    assert_int_equal(w.catalog.n_claims, 1); /* of the start */
    assert_int_equal(w.catalog.landed, 5);
}

static void a_release_is_served_during_a_recovery(void **state) {
    (void)state;
    world w = {.catalog.refuses = -1};
    question q;
    start(&w);
    assert_int_equal(claim(&w, 4), PT_OK);
    w.catalog.away = true;
    hand_on(&w, 5);
    wait_for_state(&w, "recovering");
    put(&w, &q, PT_ASK_RELEASE, 4);
    assert_true(pt_inbox_await(&w.committer.inbox, &q.ask, SOON));
    assert_string_equal(pt_inbox_state_name(&w.committer.inbox), "recovering");
    w.catalog.away = false;
    assert_true(pt_batches_drain(&w.batches, SOON));
    assert_null(pt_catalog_find_claim(&w.catalog.base, "orders", 4));
    stop(&w);
    assert_int_equal(w.catalog.landed, 5);
}

static void a_stop_during_a_recovery_gives_the_rows_up_at_once(void **state) {
    (void)state;
    world w = {0};
    question q;
    start_recovering(&w);
    put(&w, &q, PT_ASK_CLAIM, 4); /* nobody takes it back */
    pt_batches_abandon(&w.batches);
    stop(&w);
    assert_int_equal(w.batches.rows_left, 5);
    assert_int_equal(w.catalog.landed, 0);
    assert_int_equal(w.committer.inbox.state, PT_COMMITTER_ENDED);
    assert_int_equal(q.ask.state, PT_ASK_QUEUED);
}

static void a_claim_that_finds_the_catalog_away_is_tried_again_until_it_is_back(void **state) {
    (void)state;
    world w = {.catalog.refuses = -1};
    question q, taken_back;
    start(&w);
    w.catalog.away = true;
    put(&w, &q, PT_ASK_CLAIM, 4);
    put(&w, &taken_back, PT_ASK_CLAIM, 5);
    assert_false(pt_inbox_await(&w.committer.inbox, &q.ask, 10 * SOON));
    int64_t until = pt_monotonic_us() + SOON;
    while (!pt_inbox_withdraw(&w.committer.inbox, &taken_back.ask)) { /* between two attempts */
        assert_true(pt_monotonic_us() < until);
    }
    hand_on(&w, 5); /* waits behind the claim */
    w.catalog.away = false;
    wait_until_answered(&w, &q);
    assert_int_equal(q.ask.code, PT_OK);
    assert_true(pt_batches_drain(&w.batches, SOON));
    stop(&w);
    assert_int_equal(w.catalog.n_claims, 2);
    assert_int_equal(w.catalog.landed, 5);
}

/* ---- jobs: a second one beside folding ---- */

typedef struct twice {
    _Atomic unsigned runs;
    unsigned settled;
    bool first_unknown;
    int64_t due_us;
} twice;

static int64_t twice_due(void *arg) {
    const twice *t = arg;
    return t->runs < 2 ? t->due_us : INT64_MAX;
}

static pt_outcome twice_run(void *arg, pt_error *err) {
    twice *t = arg;
    bool unknown = t->runs++ == 0 && t->first_unknown;
    if (unknown) {
        (void)pt_fail(err, PT_E_LAKE_DOWN, "no answer");
    }
    return unknown ? PT_UNKNOWN : PT_COMMITTED;
}

static void twice_settle(void *arg) {
    ((twice *)arg)->settled++;
}

static pt_job job_of(twice *t) {
    return (pt_job){.name = "running twice",
                    .awaited = true,
                    .due = twice_due,
                    .run = twice_run,
                    .settle = twice_settle,
                    .arg = t};
}

static void a_job_runs_while_it_is_due_and_a_drain_waits_for_it(void **state) {
    (void)state;
    twice t = {.first_unknown = true};
    pt_job job = job_of(&t);
    world w = {.catalog.refuses = -1, .extra = &job};
    w.catalog.settles[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[1] = (answer){PT_TRY_AGAIN, PT_OK};
    start(&w);
    assert_true(pt_inbox_drain(&w.committer.inbox, SOON));
    stop(&w);
    assert_int_equal(t.runs, 2);
    assert_int_equal(t.settled, 1); /* once, when the catalog knew */
    assert_int_equal(w.catalog.n_settles, 2);
    assert_int_equal(w.catalog.n_settles_alone, 2);
    assert_int_equal(pt_stats_get(&w.stats, PT_COUNT_JOBS), 2);
}

static void a_job_whose_outcome_nobody_can_settle_ends_the_member(void **state) {
    (void)state;
    twice t = {.first_unknown = true};
    pt_job job = job_of(&t);
    world w = {.catalog.refuses = -1, .extra = &job};
    w.catalog.settles[0] = (answer){PT_REFUSED, PT_E_FENCED};
    start(&w);
    while (failure(&w) == PT_OK) {
        pt_sleep_us(500);
    }
    assert_int_equal(failure(&w), PT_E_FENCED);
    stop(&w);
    assert_int_equal(t.settled, 0);
}

static void a_job_waits_for_its_time_and_a_stop_does_not_wait_for_the_job(void **state) {
    (void)state;
    twice t = {.due_us = pt_monotonic_us() + 1000 * PT_SECOND};
    pt_job job = job_of(&t);
    world w = {.catalog.refuses = -1, .extra = &job};
    start(&w);
    assert_true(flush(&w, 5));
    assert_true(pt_inbox_drain(&w.committer.inbox, SOON)); /* not due, so it is not waited for */
    stop(&w);
    assert_int_equal(t.runs, 0);
    assert_int_equal(w.catalog.landed, 5);
}

static void of_several_jobs_the_one_that_is_due_first_is_next(void **state) {
    (void)state;
    twice late = {.due_us = 900}, soon = {.due_us = 100}, over = {.runs = 2};
    const pt_job jobs[] = {job_of(&late), job_of(&soon), job_of(&over)};
    int64_t due_us;
    assert_ptr_equal(pt_jobs_first(jobs, 3, &due_us), &jobs[1]);
    assert_int_equal(due_us, 100);
    assert_true(pt_jobs_awaited(jobs, 3));
    assert_null(pt_jobs_first(&jobs[2], 1, &due_us));
    assert_int_equal(due_us, INT64_MAX);
    assert_false(pt_jobs_awaited(&jobs[2], 1));
    assert_null(pt_jobs_first(NULL, 0, &due_us));
}

static void every_state_has_a_name(void **state) {
    (void)state;
    for (int i = 0; i < PT_COMMITTER_STATES; i++) {
        const char *name = pt_committer_state_name((pt_committer_state)i);
        assert_non_null(name);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(name, pt_committer_state_name((pt_committer_state)k));
        }
    }
}

/* Standard error goes into a file until the text is taken. */
static int log_into(FILE *file) {
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    pt_log_setup(PT_LOG_DEBUG, PT_LOG_LOGFMT);
    return before;
}

static void take_log(FILE *file, int before, char *out, size_t size) {
    pt_log_setup(PT_LOG_INFO, PT_LOG_LOGFMT);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    out[fread(out, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

static void the_log_names_each_state_in_its_order(void **state) {
    (void)state;
    static const char *const states[] = {"state=claiming",   "state=idle",       "state=committing",
                                         "state=recovering", "state=committing", "state=idle",
                                         "state=ended"};
    world w = {0};
    char text[8192];
    FILE *file = tmpfile();
    assert_non_null(file);
    int before = log_into(file);
    start_recovering(&w);
    w.catalog.away = false;
    assert_true(pt_batches_drain(&w.batches, SOON));
    wait_for_state(&w, "idle");
    stop(&w);
    take_log(file, before, text, sizeof text);
    const char *at = text;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        at = strstr(at, states[i]);
        assert_non_null(at);
        at++;
    }
    assert_null(strstr(at, "state="));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_is_not_waited_for_during_a_recovery_and_is_answered_after_it),
        cmocka_unit_test(a_claim_that_is_withdrawn_during_a_recovery_is_never_made),
        cmocka_unit_test(a_release_is_served_during_a_recovery),
        cmocka_unit_test(a_stop_during_a_recovery_gives_the_rows_up_at_once),
        cmocka_unit_test(a_claim_that_finds_the_catalog_away_is_tried_again_until_it_is_back),
        cmocka_unit_test(a_job_runs_while_it_is_due_and_a_drain_waits_for_it),
        cmocka_unit_test(a_job_whose_outcome_nobody_can_settle_ends_the_member),
        cmocka_unit_test(a_job_waits_for_its_time_and_a_stop_does_not_wait_for_the_job),
        cmocka_unit_test(of_several_jobs_the_one_that_is_due_first_is_next),
        cmocka_unit_test(every_state_has_a_name),
        cmocka_unit_test(the_log_names_each_state_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
