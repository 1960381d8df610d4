/* Ingest needs nothing of a catalog but its interface: the real threads work against one that only
 * counts, and whose answers the test writes down before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ingest/workers.h"
#include "lake/catalog_ops.h"
#include "lake/dead_letter.h"

#define ANSWERS 8
#define SOON    (30 * PT_SECOND) /* of a loaded machine */

typedef struct answer {
    pt_outcome outcome;
    pt_code code;
} answer;

typedef struct counting {
    pt_catalog base;
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
    (void)err;
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
    pt_line line;
    pt_stager *stager;
    pt_workers workers;
    pt_identities identities;
    pt_ledger_starts starts;
    int64_t next; /* offset of the next record */
    /* The workers' words. */
    unsigned n_committed, n_claimed;
    int64_t refused_at;
} world;

static int may_commit(void *arg, pt_error *err) {
    (void)arg;
    (void)err;
    return PT_OK;
}

static int on_claimed(void *arg, pt_claim *claims, size_t n, pt_error *err) {
    (void)claims;
    (void)n;
    (void)err;
    ((world *)arg)->n_claimed++;
    return PT_OK;
}

static void on_committed(void *arg, const pt_flush *flush) {
    (void)flush;
    ((world *)arg)->n_committed++;
}

static int on_refused(void *arg, const char *topic, int32_t partition, int64_t offset,
                      const char *words, bool passed, pt_error *err) {
    (void)topic;
    (void)partition;
    (void)passed;
    ((world *)arg)->refused_at = offset;
    return pt_fail(err, PT_E_REFUSED, "%s", words);
}

static int on_alone(void *arg, const pt_flush *flush, pt_error *err) {
    (void)arg;
    (void)flush;
    (void)err;
    return PT_OK;
}

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
    w->refused_at = -1;
    assert_int_equal(pt_catalog_begin(&w->catalog.base, &counting_ops, "g", "me", &err), PT_OK);
    assert_int_equal(pt_stager_open(&(pt_lake_options){.threads = 1}, false, &w->stager, &err),
                     PT_OK);
    assert_int_equal(pt_line_init(&w->line, w->list, 2, &err), PT_OK);
    w->workers = (pt_workers){.line = &w->line,
                              .stager = w->stager,
                              .catalog = &w->catalog.base,
                              .checked = may_commit,
                              .claimed = on_claimed,
                              .committed = on_committed,
                              .refused = on_refused,
                              .alone = on_alone,
                              .arg = w,
                              .identities = &w->identities,
                              .tables = w->list,
                              .n_tables = 2};
    assert_int_equal(pt_workers_start(&w->workers, &err), PT_OK);
    pt_claim claim = {.topic = "orders", .partition = 3, .next_offset = -1};
    w->line.starts = &w->starts;
    assert_int_equal(pt_line_claim(&w->line, &claim, 1, &err), PT_OK);
}

static void stop(world *w) {
    pt_workers_stop(&w->workers);
    pt_line_clear(&w->line);
    pt_stager_close(&w->stager);
    pt_catalog *catalog = &w->catalog.base;
    pt_catalog_close(&catalog);
    pt_schema_free(&w->schemas[0]);
    pt_schema_free(&w->schemas[1]);
}

/* Hands n records on, and waits until they are committed or the run has failed. */
static bool flush(world *w, int64_t n) {
    pt_error err = {0};
    pt_batch *batch = pt_line_take_free(&w->line, SOON);
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
    pt_line_seal(&w->line, batch);
    return pt_line_drain(&w->line, SOON);
}

static int64_t position(const world *w) {
    return pt_catalog_find_claim(&w->catalog.base, "orders", 3)->next_offset;
}

static pt_code failure(world *w) {
    pt_error err = {0};
    int ignored = pt_line_failed(&w->line, &err);
    (void)ignored;
    return err.code;
}

/* ---- commits ---- */

static void what_is_in_the_way_is_tried_again_until_it_is_committed(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = w.catalog.commits[1] = (answer){PT_TRY_AGAIN, PT_E_LAKE_BUSY};
    start(&w);
    assert_true(flush(&w, 5));
    assert_int_equal(position(&w), 5);
    assert_true(flush(&w, 5));
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 4);
    assert_int_equal(w.catalog.n_settles, 0);
    assert_int_equal(w.catalog.n_inspected, 2);
    assert_int_equal(w.catalog.landed, 10);
    assert_int_equal(w.n_committed, 2);
    assert_int_equal(w.line.counters.rows, 10);
}

static void an_unknown_outcome_that_landed_is_not_committed_again(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    start(&w);
    assert_true(flush(&w, 5));
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 1);
    assert_int_equal(w.catalog.n_settles, 2);
    assert_int_equal(w.catalog.landed, 5);
    assert_int_equal(w.n_committed, 1);
}

static void an_unknown_outcome_that_did_not_land_is_committed_once_more(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = (answer){PT_UNKNOWN, PT_E_LAKE}; /* with a reason: settled at once */
    w.catalog.settles[0] = (answer){PT_TRY_AGAIN, PT_OK};
    start(&w);
    assert_true(flush(&w, 5));
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 2);
    assert_int_equal(w.catalog.n_settles, 1);
    assert_int_equal(w.catalog.landed, 5);
    assert_false(w.catalog.other_id); /* the ledger knows both attempts by one id */
}

static void an_outcome_that_nobody_can_settle_ends_the_run(void **state) {
    world w = {.catalog.refuses = -1};
    (void)state;
    w.catalog.commits[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[0] = (answer){PT_REFUSED, PT_E_FENCED};
    start(&w);
    assert_false(flush(&w, 5));
    assert_int_equal(failure(&w), PT_E_FENCED);
    stop(&w);
    assert_true(w.line.left);
    assert_int_equal(w.catalog.n_commits, 1);
    assert_int_equal(w.n_committed, 0);
}

static void a_refusal_that_waiting_does_not_mend_ends_the_run_at_once(void **state) {
    static const pt_code codes[] = {PT_E_FENCED, PT_E_LAKE_CHANGED, PT_E_RESTART, PT_E_NOMEM};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        world w = {.catalog.refuses = -1};
        w.catalog.commits[0] = (answer){PT_REFUSED, codes[i]};
        start(&w);
        assert_false(flush(&w, 5));
        assert_int_equal(failure(&w), codes[i]);
        stop(&w);
        assert_int_equal(w.catalog.n_commits, 1);
        assert_int_equal(w.catalog.n_settles, 0);
        assert_int_equal(w.catalog.landed, 0);
    }
}

static void the_record_that_is_refused_is_found_and_all_before_it_lands(void **state) {
    world w = {.catalog.refuses = 7};
    (void)state;
    start(&w);
    assert_false(flush(&w, 16));
    assert_int_equal(failure(&w), PT_E_REFUSED);
    assert_int_equal(w.refused_at, 7);
    assert_int_equal(position(&w), 7);
    stop(&w);
    assert_int_equal(w.catalog.landed, 7);
    assert_int_equal(w.catalog.n_settles, 0);
}

/* ---- claims and upkeep ---- */

static void a_claim_brings_the_starts_and_once_the_notes_of_tables(void **state) {
    world w = {.catalog.refuses = -1};
    pt_error err;
    (void)state;
    start(&w);
    assert_int_equal(w.catalog.n_claims, 1);
    assert_int_equal(w.n_claimed, 1);
    assert_ptr_equal(w.catalog.starts, &w.starts);
    assert_ptr_equal(w.catalog.tables, &w.identities);
    pt_claim more = {.topic = "orders", .partition = 4, .next_offset = -1};
    assert_int_equal(pt_line_claim(&w.line, &more, 1, &err), PT_OK);
    assert_null(w.catalog.tables);
    assert_int_equal(w.catalog.base.n_claims, 2);
    pt_line_hold_folds(&w.line, true); /* as a revocation does it */
    pt_catalog_release(&w.catalog.base, "orders", 3);
    pt_line_hold_folds(&w.line, false);
    assert_false(flush(&w, 5));
    assert_int_equal(failure(&w), PT_E_FENCED);
    stop(&w);
    assert_int_equal(w.catalog.n_commits, 0);
}

/* A fold is due at once here; whoever drains waits for it. */
static void a_fold_is_an_upkeep_that_is_settled_without_a_flush(void **state) {
    world w = {.catalog.refuses = -1, .catalog.held = 7};
    (void)state;
    w.catalog.folds[0] = (answer){PT_UNKNOWN, PT_E_LAKE_DOWN};
    w.catalog.settles[0] = (answer){PT_TRY_AGAIN, PT_OK};
    w.catalog.folds[1] = (answer){PT_TRY_AGAIN, PT_E_LAKE_BUSY};
    start(&w);
    assert_true(pt_line_drain(&w.line, SOON));
    int64_t until = pt_monotonic_us() + SOON;
    for (unsigned folds = 0; folds < 3 && pt_monotonic_us() < until; pt_sleep_us(1000)) {
        pt_line_hold_folds(&w.line, true); /* none is under way while we look */
        folds = w.catalog.n_folds;
        pt_line_hold_folds(&w.line, false);
    }
    stop(&w);
    assert_int_equal(w.catalog.n_folds, 3);
    assert_int_equal(w.catalog.n_settles, 1);
    assert_int_equal(w.catalog.n_settles_alone, 1);
    assert_int_equal(w.catalog.held, 0);
    assert_int_equal(w.catalog.n_commits, 0);
    assert_true(w.catalog.n_looks <= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_the_way_is_tried_again_until_it_is_committed),
        cmocka_unit_test(an_unknown_outcome_that_landed_is_not_committed_again),
        cmocka_unit_test(an_unknown_outcome_that_did_not_land_is_committed_once_more),
        cmocka_unit_test(an_outcome_that_nobody_can_settle_ends_the_run),
        cmocka_unit_test(a_refusal_that_waiting_does_not_mend_ends_the_run_at_once),
        cmocka_unit_test(the_record_that_is_refused_is_found_and_all_before_it_lands),
        cmocka_unit_test(a_claim_brings_the_starts_and_once_the_notes_of_tables),
        cmocka_unit_test(a_fold_is_an_upkeep_that_is_settled_without_a_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
