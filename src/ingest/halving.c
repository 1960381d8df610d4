#include "ingest/halving.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "duck/failure.h"
#include "duck/transaction.h"
#include "ingest/account.h"
#include "ingest/pieces.h"

#define TRIALS_MAX   64 /* of one flush */
#define SINGLE_TRIES 2  /* of a record alone, before it is believed to be refused */

typedef struct halving {
    pt_committer *t;
    pt_pieces p;
    unsigned trials;
} halving;

/* ---- a trial ---- */

typedef enum trial { LANDED, REFUSED, FAILED } trial;

static trial commit_piece(halving *h, pt_flush *piece, pt_error *err) {
    pt_committer *t = h->t;
    for (unsigned attempt = 1; !pt_monitor_given_up(t->inbox.monitor); attempt++) {
        pt_outcome outcome = pt_catalog_commit(t->catalog, piece, err);
        pt_error why = *err;
        if (outcome == PT_UNKNOWN) {
            outcome = pt_committer_settle(t, piece, err);
            if (outcome == PT_UNKNOWN || outcome == PT_REFUSED) {
                return FAILED;
            }
        }
        if (outcome == PT_COMMITTED) {
            return LANDED;
        }
        *err = why;
        if (why.code == PT_E_LAKE) {
            h->trials++;
            return REFUSED;
        }
        if (outcome == PT_REFUSED) {
            return FAILED;
        }
        pt_committer_rest(t, attempt);
    }
    return FAILED;
}

static void note_passed(halving *h, const pt_flush *piece) {
    for (size_t i = 0; i < piece->n_slices; i++) {
        h->p.passed[i] |= piece->slices[i].piece_rows > 0;
    }
}

/* Commits what lies before `until`; then h->p.from is there. */
static trial try_up_to(halving *h, pt_item until, pt_error *err) {
    pt_flush *piece = NULL;
    if (pt_pieces_make(&h->p, until, &piece, err) != PT_OK) {
        pt_flush_piece_free(&piece);
        return FAILED;
    }
    trial result = LANDED;
    if (piece->n_entries) {
        result = pt_stager_thread_stage(h->t->stager, piece, err) == PT_OK
                     ? commit_piece(h, piece, err)
                     : FAILED;
        if (result == LANDED) {
            note_passed(h, piece);
            pt_committer_landed(h->t, piece);
        } else if (result == REFUSED) {
            pt_stager_thread_unstage(h->t->stager, piece);
        }
    }
    if (result == LANDED) {
        h->p.from = until;
    }
    pt_flush_piece_free(&piece);
    return result;
}

/* ---- the search ---- */

/* Whether suspect k would be a dead letter without a row of its table in a commit that ends before
 * row i. */
static bool unproven(const halving *h, size_t k, size_t i) {
    size_t slice = h->p.suspect_of[k];
    return !h->p.passed[slice] && h->p.first_row[slice] >= i;
}

/* A piece may end here: behind row i - 1 and whatever follows it, up to row i; behind everything
 * when there is no row i. A suspect goes with what comes behind it, which may be the first row of
 * its table. */
static pt_item before_row(const halving *h, size_t i) {
    pt_item place = i < h->p.rows.n ? h->p.rows.all[i] : (pt_item){h->p.flush->n_entries, 0};
    for (size_t k = 0; k < h->p.flush->n_suspects && i < h->p.rows.n; k++) {
        bool behind = i == 0 || pt_item_compare(&h->p.suspects[k], &h->p.rows.all[i - 1]) > 0;
        if (behind && pt_item_compare(&h->p.suspects[k], &place) < 0 && unproven(h, k, i)) {
            place = h->p.suspects[k];
        }
    }
    return place;
}

/* No suspect before it waits for a row behind it. */
static bool may_end_before(const halving *h, size_t i) {
    pt_item place = before_row(h, i);
    for (size_t k = 0; k < h->p.flush->n_suspects && i < h->p.rows.n; k++) {
        if (pt_item_compare(&h->p.suspects[k], &place) < 0 && unproven(h, k, i)) {
            return false;
        }
    }
    return true;
}

static bool has_unproven(const halving *h) {
    for (size_t k = 0; k < h->p.flush->n_suspects; k++) {
        if (h->p.suspects[k].entry != SIZE_MAX &&
            pt_item_compare(&h->p.suspects[k], &h->p.from) >= 0 &&
            !h->p.passed[h->p.suspect_of[k]]) {
            return true;
        }
    }
    return false;
}

/* Where to divide rows [lo, hi); hi: they cannot be. The smallest piece goes first while suspects
 * wait for a row. */
static size_t middle_of(const halving *h, size_t lo, size_t hi) {
    size_t middle = hi - lo > 1 ? has_unproven(h) ? lo + 1 : lo + (hi - lo) / 2 : hi;
    size_t found = middle;
    while (found < hi && !may_end_before(h, found)) {
        found++;
    }
    if (found < hi) {
        return found;
    }
    for (found = middle; found > lo + 1 && found < hi; found--) {
        if (may_end_before(h, found - 1)) {
            return found - 1;
        }
    }
    return hi;
}

/* Rows [lo, hi) are refused together. Leaves in *lo the row that is refused alone, or, when they
 * pass one by one, hi. */
static trial narrow(halving *h, size_t *lo, size_t hi, pt_error *err) {
    while (*lo < hi && h->trials < TRIALS_MAX) {
        size_t middle = middle_of(h, *lo, hi);
        unsigned tries = middle == hi ? SINGLE_TRIES : 1;
        trial result = REFUSED;
        for (unsigned i = 0; i < tries && result == REFUSED; i++) {
            result = try_up_to(h, before_row(h, middle), err);
        }
        if (result == FAILED) {
            return FAILED;
        }
        if (result == LANDED) {
            *lo = middle;
        } else if (middle == hi) {
            return hi - *lo == 1 ? REFUSED : FAILED; /* rows of several tables that cannot go one by
                                                        one: nothing shows which one it is */
        } else {
            hi = middle;
        }
    }
    return *lo < hi ? FAILED : LANDED;
}

static void name_culprit(halving *h, size_t row, pt_error *err) {
    const pt_item *culprit = &h->p.rows.all[row];
    const pt_ledger_entry *e = &h->p.flush->entries[culprit->entry];
    char words[PT_ERROR_TEXT];
    (void)snprintf(words, sizeof words, "%s", pt_failure_words(err->text));
    int code = pt_account_refused(h->t->routes, h->t->n_routes, e->topic, e->partition,
                                  culprit->offset, words,
                                  h->p.passed[pt_pieces_slice_of(h->p.flush, culprit->entry)], err);
    (void)code; /* in err */
}

static pt_halved search(halving *h, pt_error *err) {
    trial result = try_up_to(h, before_row(h, 0),
                             err); /* dead letters and jumps before the first row */
    size_t lo = 0;
    while (result == LANDED && h->p.from.entry < h->p.flush->n_entries) {
        result = narrow(h, &lo, h->p.rows.n, err);
        if (result == REFUSED) {
            name_culprit(h, lo, err);
            return PT_HALVED_ENDED;
        }
    }
    if (result != LANDED && h->trials >= TRIALS_MAX) {
        int ignored = pt_fail_in(err, "after %u trials to find the record that the lake refuses",
                                 h->trials);
        (void)ignored;
    }
    return result == LANDED ? PT_HALVED_COMMITTED : PT_HALVED_ENDED;
}

pt_halved pt_halve(pt_committer *t, const pt_flush *flush, const pt_error *why, pt_error *err) {
    halving h = {.t = t, .p.flush = flush};
    pt_halved result = PT_HALVED_ENDED;
    *err = *why;
    if (pt_error_is(why, PT_WHY_NO_RECORD)) { /* a right that is missing meets every record */
        return PT_HALVED_ENDED;
    }
    h.p.from = (pt_item){0, flush->entries[0].from_offset};
    pt_log(PT_LOG_WARN,
           PT_EVENT("the lake refuses a flush; committing it in pieces to find the record"),
           PT_INT("rows", pt_flush_rows(flush)), PT_STR("error", why->text));
    pt_batches_in_pieces(t->batches, true);
    if (pt_pieces_list(&h.p, err) == PT_OK) {
        *err = *why;
        result = search(&h, err);
    }
    pt_batches_in_pieces(t->batches, false);
    pt_pieces_clear(&h.p);
    return result;
}
