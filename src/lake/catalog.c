/* What every catalog shares: which partitions we own, and where they stand. */
#include "lake/catalog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "lake/catalog_ops.h"

int pt_catalog_begin(pt_catalog *c, const pt_catalog_ops *ops, const char *pipeline,
                     const char *owner, pt_error *err) {
    c->ops = ops;
    c->owner = strdup(owner);
    if (!c->owner) {
        return pt_fail_nomem(err, "the catalog");
    }
    return pipeline ? pt_catalog_name(c, pipeline, err) : PT_OK;
}

void pt_catalog_end(pt_catalog *c) {
    for (size_t i = 0; i < c->n_claims; i++) {
        free((char *)(uintptr_t)c->claims[i].topic);
    }
    pt_table_free(&c->ledger);
    free(c->claims);
    free(c->pipeline);
    free(c->owner);
}

int pt_catalog_name(pt_catalog *c, const char *pipeline, pt_error *err) {
    free(c->pipeline);
    c->pipeline = strdup(pipeline);
    return c->pipeline ? PT_OK : pt_fail_nomem(err, "a pipeline's name");
}

void pt_catalog_close(pt_catalog **catalog) {
    if (*catalog) {
        (*catalog)->ops->close(*catalog);
        *catalog = NULL;
    }
}

pt_session *pt_catalog_session(pt_catalog *c) {
    return c->ops->session ? c->ops->session(c) : NULL;
}

const pt_table *pt_catalog_ledger(const pt_catalog *c) {
    return c->ledger;
}

uint64_t pt_catalog_conflicts(const pt_catalog *c) {
    return c->conflicts;
}

int pt_catalog_limit_memory(pt_catalog *c, uint64_t bytes, pt_error *err) {
    return c->ops->limit_memory ? c->ops->limit_memory(c, bytes, err) : PT_OK;
}

int pt_catalog_check_erase(const pt_catalog *c, pt_error *err) {
    return c->ops->erases
               ? PT_OK
               : pt_fail(err, PT_E_USAGE,
                         "--delete-rows: a %s catalog cannot take rows back; delete them by hand, "
                         "or leave --delete-rows out",
                         c->ops->name);
}

/* ---- tables ---- */

int pt_catalog_plan_table(pt_catalog *c, const pt_table_options *options, pt_table_planned *out,
                          pt_text *to_make, pt_error *err) {
    *out = (pt_table_planned){0};
    return c->ops->plan_table(c, options, out, to_make, err);
}

int pt_catalog_make_tables(pt_catalog *c, const char *what, pt_text *to_make, pt_error *err) {
    return c->ops->make_tables(c, what, to_make, err);
}

int pt_catalog_open_table(pt_catalog *c, const pt_table_options *options, pt_table **out,
                          pt_error *err) {
    *out = NULL;
    return c->ops->open_table(c, options, out, err);
}

int pt_catalog_open_own(pt_catalog *c, const char *name, const char *schema_text, pt_table **out,
                        pt_error *err) {
    *out = NULL;
    return c->ops->open_own(c, name, schema_text, out, err);
}

int pt_catalog_open_place(pt_catalog *c, const char *schema, const char *name, pt_table **out,
                          pt_error *err) {
    *out = NULL;
    return c->ops->open_place(c, schema, name, out, err);
}

int pt_catalog_look_for_rows(pt_catalog *c, pt_table *table, pt_error *err) {
    return c->ops->look_for_rows(c, table, err);
}

/* ---- partitions ---- */

pt_claim *pt_catalog_find_claim(const pt_catalog *c, const char *topic, int32_t partition) {
    for (size_t i = 0; i < c->n_claims; i++) {
        if (c->claims[i].partition == partition && strcmp(c->claims[i].topic, topic) == 0) {
            return &c->claims[i];
        }
    }
    return NULL;
}

static int keep_claim(pt_catalog *c, const pt_claim *claim, pt_error *err) {
    pt_claim *known = pt_catalog_find_claim(c, claim->topic, claim->partition);
    const char *topic = known ? known->topic : NULL;
    if (!known) {
        pt_claim *grown = realloc(c->claims, (c->n_claims + 1) * sizeof *grown);
        if (!grown) {
            return pt_fail_nomem(err, "a claim");
        }
        c->claims = grown;
        topic = strdup(claim->topic);
        if (!topic) {
            return pt_fail_nomem(err, "a claim");
        }
        known = &c->claims[c->n_claims++];
    }
    *known = *claim;
    known->topic = topic;
    return PT_OK;
}

int pt_catalog_claim(pt_catalog *c, const pt_claiming *what, pt_error *err) {
    PT_TRY(c->ops->claim(c, what, err));
    for (size_t i = 0; i < what->n; i++) {
        PT_TRY(keep_claim(c, &what->claims[i], err));
    }
    return PT_OK;
}

void pt_catalog_release(pt_catalog *c, const char *topic, int32_t partition) {
    pt_claim *claim = pt_catalog_find_claim(c, topic, partition);
    if (claim) {
        free((char *)(uintptr_t)claim->topic);
        *claim = c->claims[--c->n_claims];
    }
}

bool pt_catalog_owns(const pt_catalog *c) {
    return c->n_claims > 0;
}

int pt_catalog_look_back(pt_catalog *c, pt_error *err) {
    return c->ops->look_back(c, err);
}

/* ---- flushes ---- */

/* Where the partition of entry i stands when that entry is applied: after an earlier entry of the
 * same flush, else what is committed; -1 unknown. */
static int64_t stands_before(const pt_flush *flush, size_t i, const pt_claim *claim) {
    const pt_ledger_entry *e = &flush->entries[i];
    for (size_t k = i; k > 0; k--) {
        const pt_ledger_entry *before = &flush->entries[k - 1];
        if (before->partition == e->partition && strcmp(before->topic, e->topic) == 0) {
            return before->next_offset;
        }
    }
    return claim->next_offset;
}

/* In memory, before the transaction: we own the partition of each entry, and each begins where
 * the last one ended. */
static int check_entries(const pt_catalog *c, pt_flush *flush, pt_error *err) {
    if (flush->n_entries == 0) {
        return pt_fail(err, PT_E_INTERNAL,
                       "a flush without a ledger row is not fenced and must not be committed");
    }
    for (size_t i = 0; i < flush->n_entries; i++) {
        pt_ledger_entry *e = &flush->entries[i];
        const pt_claim *claim = pt_catalog_find_claim(c, e->topic, e->partition);
        if (!claim) {
            return pt_fail(err, PT_E_FENCED,
                           "topic %s partition %" PRId32 " is no longer assigned to this process",
                           e->topic, e->partition);
        }
        int64_t stands = stands_before(flush, i, claim);
        if (stands >= 0 && stands != e->from_offset && !pt_rule_broken("continuity")) {
            return pt_fail(err, PT_E_FENCED,
                           "topic %s partition %" PRId32 ": the lake stands at offset %" PRId64
                           ", the flush begins at %" PRId64,
                           e->topic, e->partition, stands, e->from_offset);
        }
        e->epoch = claim->epoch;
    }
    return PT_OK;
}

pt_outcome pt_catalog_commit(pt_catalog *c, pt_flush *flush, pt_error *err) {
    if ((flush->erasing && pt_catalog_check_erase(c, err) != PT_OK) ||
        check_entries(c, flush, err) != PT_OK) {
        return PT_REFUSED;
    }
    pt_outcome outcome = c->ops->commit(c, flush, err);
    for (size_t i = 0; outcome == PT_COMMITTED && i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        pt_catalog_find_claim(c, e->topic, e->partition)->next_offset = e->next_offset;
    }
    return outcome;
}

pt_outcome pt_catalog_settle(pt_catalog *c, pt_flush *flush, pt_error *err) {
    return c->ops->settle(c, flush, err);
}

int pt_catalog_inspect(pt_catalog *c, const pt_flush *flush, pt_error *err) {
    return c->ops->inspect ? c->ops->inspect(c, flush, err) : PT_OK;
}

/* ---- upkeep ---- */

pt_outcome pt_catalog_upkeep(pt_catalog *c, pt_upkeep *what, pt_error *err) {
    what->n = 0;
    return c->ops->upkeep(c, what, err);
}

int64_t pt_catalog_tend_at(const pt_catalog *c) {
    return c->ops->tend_at ? c->ops->tend_at(c) : INT64_MAX;
}
