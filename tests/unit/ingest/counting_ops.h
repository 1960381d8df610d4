/* A catalog that only counts, and whose answers a test writes down before. It has no DuckDB. */
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

#include "lake/catalog_ops.h"

#define ANSWERS 64

typedef struct answer {
    pt_outcome outcome;
    pt_code code;
} answer;

typedef struct counting {
    pt_catalog base;
    _Atomic bool away;                                         /* nothing answers */
    answer commits[ANSWERS], settles[ANSWERS], folds[ANSWERS]; /* then: committed */
    bool lands[ANSWERS]; /* that commit, although it is PT_UNKNOWN */
    unsigned n_claims, n_commits, n_settles, n_settles_alone, n_folds, n_looks, n_inspected;
    int64_t refuses; /* commits of this offset; -1: none */
    int64_t held;    /* rows that the catalog reports as held */
    int64_t landed;  /* records */
    bool truthful;   /* a settle that is not to answer PT_UNKNOWN says what has landed */
    char ledger[ANSWERS][PT_UUID_SIZE]; /* [n_ledger] ids that have landed */
    unsigned n_ledger;
    unsigned n_planned, n_made, n_opened; /* tables */
    char made[64];                        /* what it was told to make */
    uint64_t memory;                      /* that it may take */
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

static bool has_landed(const counting *c, const char *id) {
    for (unsigned i = 0; i < c->n_ledger; i++) {
        if (strcmp(c->ledger[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static void land(counting *c, const pt_flush *flush) {
    if (c->n_ledger < ANSWERS) {
        memcpy(c->ledger[c->n_ledger++], flush->commit_id, PT_UUID_SIZE);
    }
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
    bool lands = c->n_commits < ANSWERS && c->lands[c->n_commits];
    pt_outcome outcome = next_answer(c->commits, &c->n_commits, err);
    if (outcome == PT_COMMITTED && has(flush, c->refuses)) {
        (void)pt_fail(err, PT_E_LAKE, "this record cannot be taken");
        return PT_REFUSED;
    }
    if (outcome == PT_COMMITTED || lands) {
        land(c, flush);
    }
    return outcome;
}

/* As a claim after the fence reads it. */
static pt_outcome settle_by_ledger(counting *c, const pt_flush *flush) {
    if (!has_landed(c, flush->commit_id)) {
        return PT_TRY_AGAIN;
    }
    for (size_t i = 0; i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        pt_catalog_find_claim(&c->base, e->topic, e->partition)->next_offset = e->next_offset;
    }
    return PT_COMMITTED;
}

static pt_outcome count_settle(pt_catalog *catalog, pt_flush *flush, pt_error *err) {
    counting *c = (counting *)catalog;
    if (c->away) {
        (void)pt_fail(err, PT_E_LAKE_DOWN, "away");
        return PT_UNKNOWN;
    }
    pt_outcome outcome = next_answer(c->settles, &c->n_settles, err);
    c->n_settles_alone += !flush;
    if (c->truthful && flush && outcome != PT_UNKNOWN) {
        return settle_by_ledger(c, flush);
    }
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

/* ---- tables: it has those that it was told to make ---- */

static int count_plan(pt_catalog *catalog, const pt_table_options *options, pt_table_planned *out,
                      pt_text *to_make, pt_error *err) {
    counting *c = (counting *)catalog;
    c->n_planned++;
    out->metas = options->extra;
    if (!strstr(c->made, options->table)) {
        out->missing = strdup(options->table);
        pt_text_addf(to_make, "%s;", options->table);
        return out->missing ? pt_text_check(to_make, err) : pt_fail_nomem(err, "a name");
    }
    return PT_OK;
}

static int count_make(pt_catalog *catalog, const char *what, pt_text *to_make, pt_error *err) {
    counting *c = (counting *)catalog;
    (void)what;
    c->n_made++;
    PT_TRY(pt_text_check(to_make, err));
    size_t n = strlen(c->made);
    (void)snprintf(c->made + n, sizeof c->made - n, "%s", pt_text_get(to_make));
    return PT_OK;
}

static int open_named(counting *c, const char *label, const char *columns, pt_table **out,
                      pt_error *err) {
    pt_table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    PT_TRY(pt_schema_parse(columns, &t->schema, err));
    t->label = strdup(label);
    t->name = strdup(label);
    t->n_columns = t->schema->n_columns;
    t->types = calloc(t->n_columns, sizeof *t->types);
    t->names = calloc(t->n_columns, sizeof *t->names);
    assert_true(t->label && t->name && t->types && t->names);
    for (size_t i = 0; i < t->n_columns; i++) {
        t->types[i] = t->schema->columns[i].type;
        t->names[i] = t->schema->columns[i].name;
    }
    for (size_t m = 0; m < PT_META_COUNT; m++) {
        t->meta_at[m] = SIZE_MAX;
    }
    t->inline_rows = c->held ? 10 : 0;
    c->n_opened++;
    *out = t;
    return PT_OK;
}

/* The metadata columns that it knows are the first two of the schema. */
static int count_open_table(pt_catalog *catalog, const pt_table_options *options, pt_table **out,
                            pt_error *err) {
    PT_TRY(open_named((counting *)catalog, options->table, options->schema_text, out, err));
    (*out)->meta_at[PT_META_PARTITION] = 0;
    (*out)->meta_at[PT_META_OFFSET] = 1;
    return PT_OK;
}

static int count_open_own(pt_catalog *catalog, const char *name, const char *columns,
                          pt_table **out, pt_error *err) {
    PT_TRY(open_named((counting *)catalog, name, columns, out, err));
    (*out)->dead_letters = true;
    (*out)->inline_rows = 0;
    return PT_OK;
}

static int count_look_for_rows(pt_catalog *catalog, pt_table *table, pt_error *err) {
    (void)err;
    table->has_rows = ((counting *)catalog)->landed > 0;
    return PT_OK;
}

static int count_limit(pt_catalog *catalog, uint64_t bytes, pt_error *err) {
    (void)err;
    ((counting *)catalog)->memory = bytes;
    return PT_OK;
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
    .limit_memory = count_limit,
    .plan_table = count_plan,
    .make_tables = count_make,
    .open_table = count_open_table,
    .open_own = count_open_own,
    .look_for_rows = count_look_for_rows,
    .close = count_close,
};
