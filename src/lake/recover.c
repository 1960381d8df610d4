#include <inttypes.h>
#include <string.h>

#include "base/failpoint.h"
#include "lake/commit_internal.h"
#include "lake/guard.h"

/* Our epochs must still stand: whoever raised them has gone on from the ledger already. An epoch that we raised ourselves, in an earlier attempt
 * whose COMMIT got no answer, is ours too. */
static int check_claims(pt_committer *c, pt_error *err) {
    pt_table epochs = {0};
    PT_TRY(pt_ledger_epochs(c->engine, c->session, c->pipeline, &epochs, err));
    int code = PT_OK;
    for (size_t r = 0; code == PT_OK && r < epochs.n_rows; r++) {
        const pt_claim *claim = pt_committer_find(c, pt_table_cell(&epochs, r, 0), (int32_t)pt_table_int(&epochs, r, 1));
        const char *owner = pt_table_cell(&epochs, r, 3);
        if (claim && owner && strcmp(owner, c->owner) != 0) {
            code = pt_committer_check_epoch(&epochs, claim, err);
        }
    }
    pt_table_clear(&epochs);
    return code;
}

static bool same_partition(const pt_ledger_entry *a, const pt_ledger_entry *b) {
    return a->partition == b->partition && strcmp(a->topic, b->topic) == 0;
}

/* The last entry of a partition says where the flush would have left it, the first where it began. */
static int decide(const pt_committer *c, const pt_flush *flush, bool *committed, pt_error *err) {
    size_t landed = 0;
    size_t asked = 0;
    for (size_t i = 0; i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        if (i > 0 && same_partition(e, e - 1)) {
            continue;
        }
        const pt_ledger_entry *last = e;
        while (last + 1 < flush->entries + flush->n_entries && same_partition(e, last + 1)) {
            last++;
        }
        const pt_claim *claim = pt_committer_find(c, e->topic, e->partition);
        int64_t stands = claim ? claim->next_offset : INT64_MIN;
        asked++;
        if (stands == last->next_offset) {
            landed++;
        } else if (stands != e->from_offset && stands != -1) {
            return pt_fail(err, PT_E_FENCED, "topic %s partition %" PRId32 ": the ledger stands at %" PRId64 ", neither before nor after the flush %" PRId64
                           "..%" PRId64, e->topic, e->partition, stands, e->from_offset, last->next_offset);
        }
    }
    if (landed != 0 && landed != asked) {
        return pt_fail(err, PT_E_INTERNAL, "%zu of the %zu partitions of one transaction are in the ledger", landed, asked);
    }
    *committed = landed != 0;
    return PT_OK;
}

int pt_committer_recover(pt_committer *c, pt_flush *flush, bool *committed, pt_error *err) {
    pt_committer_detach(c);
    PT_TRY(pt_committer_attach(c, err));
    (void)pt_failpoint("recover.attached");
    int code = check_claims(c, err);
    if (code != PT_OK && flush->n_entries == 0) { /* whoever took over has committed since: a fold is settled */
        pt_error later;
        int ignored = pt_committer_mend_fold(c, flush, &later);
        (void)ignored;
    }
    PT_TRY(code);
    PT_TRY(pt_committer_raise_and_read(c, c->claims, c->n_claims, NULL, err));
    (void)pt_failpoint("recover.claimed");
    PT_TRY(decide(c, flush, committed, err));
    if (*committed) {
        PT_TRY(pt_guards_restore(c->session, flush, err));
    } else if (flush->n_entries == 0) { /* a fold: only the catalog knows */
        uint64_t restored;
        PT_TRY(pt_guards_mend(c->engine, c->session, flush->parts->target, &restored, err));
    }
    pt_guards_drop(c->session, flush);
    return PT_OK;
}
