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
#include "ingest/committer_thread.h"

#define TRIALS_MAX   64 /* of one flush */
#define SINGLE_TRIES 2  /* of a record alone, before it is believed to be refused */

/* A row or a dead letter of the flush. */
typedef struct item {
    size_t entry;
    int64_t offset;
} item;

typedef struct items {
    item *all;
    size_t n;
} items;

typedef struct halving {
    pt_committer_thread *t;
    const pt_flush *flush;
    items rows, dead;  /* in the order of the entries and offsets */
    item from;         /* what lies before is committed */
    size_t *first_row; /* [n_parts] the first of `rows` that is of the table; rows.n: none */
    bool *passed;   /* [n_parts] a row of the table has been committed, or nothing can show that one
                       would */
    item *suspects; /* [flush->n_suspects] their places, in order */
    size_t *suspect_of; /* [flush->n_suspects] the part of each */
    unsigned trials;
} halving;

/* ---- where each row stands ---- */

static int compare(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->entry != y->entry) {
        return x->entry < y->entry ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The columns of a part that say where its rows come from. */
typedef struct place_columns {
    size_t topic, partition, offset; /* topic: SIZE_MAX, a single topic feeds the table */
} place_columns;

static place_columns columns_of(const pt_flush *flush, size_t slice) {
    const size_t *at = flush->slices[slice].table->meta_at;
    return slice == flush->dead_letters
               ? (place_columns){0, 1, 2}
               : (place_columns){at[PT_META_TOPIC], at[PT_META_PARTITION], at[PT_META_OFFSET]};
}

static bool feeds(const pt_flush *flush, size_t slice, const pt_ledger_entry *e) {
    return strcmp(e->kind, "commit") == 0 &&
           (slice == flush->dead_letters ||
            strcmp(e->target_table, flush->slices[slice].table->label) == 0);
}

static bool is_text(const duckdb_string_t *s, const char *text) {
    size_t len = s->value.inlined.length;
    const char *data = len <= sizeof s->value.inlined.inlined ? s->value.inlined.inlined
                                                              : s->value.pointer.ptr;
    return len == strlen(text) && memcmp(data, text, len) == 0;
}

static size_t entry_of(const pt_flush *flush, size_t slice, const duckdb_string_t *topic,
                       int32_t partition, int64_t offset) {
    for (size_t i = 0; i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        if (e->partition == partition && offset >= e->from_offset && offset < e->next_offset &&
            feeds(flush, slice, e) && (!topic || is_text(topic, e->topic))) {
            return i;
        }
    }
    return SIZE_MAX;
}

static int find_items(const pt_flush *flush, size_t slice, items *out, pt_error *err) {
    pt_rows *rows = flush->slices[slice].rows;
    place_columns at = columns_of(flush, slice);
    for (size_t c = 0; c < pt_rows_chunks(rows); c++) {
        duckdb_data_chunk chunk = pt_rows_chunk(rows, c);
        const int32_t *partitions = duckdb_vector_get_data(
            duckdb_data_chunk_get_vector(chunk, at.partition));
        const int64_t *offsets = duckdb_vector_get_data(
            duckdb_data_chunk_get_vector(chunk, at.offset));
        const duckdb_string_t *topics = at.topic == SIZE_MAX
                                            ? NULL
                                            : duckdb_vector_get_data(
                                                  duckdb_data_chunk_get_vector(chunk, at.topic));
        for (size_t i = 0, n = duckdb_data_chunk_get_size(chunk); i < n; i++) {
            item found = {entry_of(flush, slice, topics ? &topics[i] : NULL, partitions[i],
                                   offsets[i]),
                          offsets[i]};
            if (found.entry == SIZE_MAX) {
                return pt_fail(err, PT_E_INTERNAL,
                               "a row of the flush belongs to none of its ledger rows");
            }
            out->all[out->n++] = found;
        }
    }
    return PT_OK;
}

static size_t slice_of(const pt_flush *flush, size_t entry) {
    size_t slice = 0;
    while (slice + 1 < flush->n_slices && !feeds(flush, slice, &flush->entries[entry])) {
        slice++;
    }
    return slice;
}

static void find_first_rows(halving *h) {
    for (size_t i = 0; i < h->flush->n_slices; i++) {
        h->first_row[i] = h->rows.n;
        h->passed[i] = pt_slice_rows(&h->flush->slices[i]) == 0;
    }
    size_t slice = 0;
    for (size_t i = h->rows.n; i-- > 0;) {
        slice = i + 1 == h->rows.n || h->rows.all[i].entry != h->rows.all[i + 1].entry
                    ? slice_of(h->flush, h->rows.all[i].entry)
                    : slice;
        h->first_row[slice] = i;
    }
}

/* Those whose records the flush has no ledger row for are of no interest here. */
static void find_suspects(halving *h) {
    for (size_t k = 0; k < h->flush->n_suspects; k++) {
        const pt_suspect *s = &h->flush->suspects[k];
        h->suspects[k] = (item){SIZE_MAX, s->offset};
        h->suspect_of[k] = s->slice;
        for (size_t i = 0; i < h->flush->n_entries; i++) {
            const pt_ledger_entry *e = &h->flush->entries[i];
            if (e->partition == s->partition && strcmp(e->topic, s->topic) == 0 &&
                s->offset >= e->from_offset && s->offset < e->next_offset) {
                h->suspects[k].entry = i;
            }
        }
    }
}

static int list_items(halving *h, pt_error *err) {
    const pt_flush *f = h->flush;
    size_t dead = pt_rows_count(f->slices[f->dead_letters].rows);
    size_t rows = (size_t)pt_flush_rows(f) - dead;
    h->rows.all = calloc(rows + 1, sizeof *h->rows.all);
    h->dead.all = calloc(dead + 1, sizeof *h->dead.all);
    h->first_row = calloc(f->n_slices, sizeof *h->first_row);
    h->passed = calloc(f->n_slices, sizeof *h->passed);
    h->suspects = calloc(f->n_suspects + 1, sizeof *h->suspects);
    h->suspect_of = calloc(f->n_suspects + 1, sizeof *h->suspect_of);
    if (!h->rows.all || !h->dead.all || !h->first_row || !h->passed || !h->suspects ||
        !h->suspect_of) {
        return pt_fail_nomem(err, "the places of a flush's rows");
    }
    for (size_t i = 0; i < f->n_slices; i++) {
        PT_TRY(find_items(f, i, i == f->dead_letters ? &h->dead : &h->rows, err));
    }
    qsort(h->rows.all, h->rows.n, sizeof *h->rows.all, compare);
    qsort(h->dead.all, h->dead.n, sizeof *h->dead.all, compare);
    find_first_rows(h);
    find_suspects(h);
    return PT_OK;
}

/* ---- a piece ---- */

/* How many stand before `until`; the list is in order. */
static size_t count_before(const items *list, item until) {
    size_t low = 0;
    size_t high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&list->all[middle], &until) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t count_within(const items *list, size_t entry, int64_t from, int64_t next) {
    return (int64_t)(count_before(list, (item){entry, next}) -
                     count_before(list, (item){entry, from}));
}

static void add_condition(const pt_flush *flush, size_t slice, const pt_ledger_entry *e,
                          pt_text *sql) {
    place_columns at = columns_of(flush, slice);
    const char *const *names = flush->slices[slice].table->names;
    pt_text_add(sql, sql->len ? " OR (" : "(");
    pt_text_add_sql_name(sql, names[at.partition]);
    pt_text_addf(sql, " = %" PRId32 " AND ", e->partition);
    pt_text_add_sql_name(sql, names[at.offset]);
    pt_text_addf(sql, " BETWEEN %" PRId64 " AND %" PRId64, e->from_offset, e->next_offset - 1);
    if (at.topic != SIZE_MAX) {
        pt_text_add(sql, " AND ");
        pt_text_add_sql_name(sql, names[at.topic]);
        pt_text_add(sql, " = ");
        pt_text_add_sql_string(sql, e->topic);
    }
    pt_text_add(sql, ")");
}

static int fill_part(pt_flush *piece, size_t slice, pt_error *err) {
    pt_text sql = {0};
    pt_slice *p = &piece->slices[slice];
    for (size_t i = 0; i < piece->n_entries; i++) {
        const pt_ledger_entry *e = &piece->entries[i];
        if (feeds(piece, slice, e)) {
            p->piece_rows += (size_t)(slice == piece->dead_letters ? e->dead_letters : e->rows);
            add_condition(piece, slice, e, &sql);
        }
    }
    if (!sql.len) {
        pt_text_add(&sql, "false");
    }
    int code = pt_text_check(&sql, err);
    p->piece = code == PT_OK ? strdup(pt_text_get(&sql)) : NULL;
    pt_text_free(&sql);
    return p->piece ? PT_OK : pt_fail_nomem(err, "a piece of a flush");
}

/* From h->from up to `until`, which is not in it. */
static int make_piece(const halving *h, item until, pt_flush **out, pt_error *err) {
    PT_TRY(pt_flush_piece_new(h->flush, out, err));
    for (size_t i = h->from.entry; i <= until.entry && i < h->flush->n_entries; i++) {
        const pt_ledger_entry *e = &h->flush->entries[i];
        bool whole = strcmp(e->kind, "commit") != 0;
        int64_t from = i == h->from.entry && !whole ? h->from.offset : e->from_offset;
        int64_t next = i == until.entry && !whole ? until.offset : e->next_offset;
        if (i == until.entry && (whole || next == from)) {
            continue;
        }
        pt_ledger_entry *added = pt_flush_add_entry(*out);
        if (!added) {
            return pt_fail_nomem(err, "a piece of a flush");
        }
        *added = *e;
        added->from_offset = from;
        added->next_offset = next;
        added->rows = count_within(&h->rows, i, from, next);
        added->leader_epoch = next == e->next_offset ? e->leader_epoch
                                                     : -1; /* it is the last record's */
        added->dead_letters = count_within(&h->dead, i, from, next);
    }
    for (size_t i = 0; i < (*out)->n_slices; i++) {
        PT_TRY(fill_part(*out, i, err));
    }
    return PT_OK;
}

/* ---- a trial ---- */

typedef enum trial { LANDED, REFUSED, FAILED } trial;

static trial commit_piece(halving *h, pt_flush *piece, pt_error *err) {
    pt_committer_thread *t = h->t;
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
        h->passed[i] |= piece->slices[i].piece_rows > 0;
    }
}

/* Commits what lies before `until`; then h->from is there. */
static trial try_up_to(halving *h, item until, pt_error *err) {
    pt_flush *piece = NULL;
    if (make_piece(h, until, &piece, err) != PT_OK) {
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
        h->from = until;
    }
    pt_flush_piece_free(&piece);
    return result;
}

/* ---- the search ---- */

/* Whether suspect k would be a dead letter without a row of its table in a commit that ends before
 * row i. */
static bool unproven(const halving *h, size_t k, size_t i) {
    size_t slice = h->suspect_of[k];
    return !h->passed[slice] && h->first_row[slice] >= i;
}

/* A piece may end here: behind row i - 1 and whatever follows it, up to row i; behind everything
 * when there is no row i. A suspect goes with what comes behind it, which may be the first row of
 * its table. */
static item before_row(const halving *h, size_t i) {
    item place = i < h->rows.n ? h->rows.all[i] : (item){h->flush->n_entries, 0};
    for (size_t k = 0; k < h->flush->n_suspects && i < h->rows.n; k++) {
        bool behind = i == 0 || compare(&h->suspects[k], &h->rows.all[i - 1]) > 0;
        if (behind && compare(&h->suspects[k], &place) < 0 && unproven(h, k, i)) {
            place = h->suspects[k];
        }
    }
    return place;
}

/* No suspect before it waits for a row behind it. */
static bool may_end_before(const halving *h, size_t i) {
    item place = before_row(h, i);
    for (size_t k = 0; k < h->flush->n_suspects && i < h->rows.n; k++) {
        if (compare(&h->suspects[k], &place) < 0 && unproven(h, k, i)) {
            return false;
        }
    }
    return true;
}

static bool has_unproven(const halving *h) {
    for (size_t k = 0; k < h->flush->n_suspects; k++) {
        if (h->suspects[k].entry != SIZE_MAX && compare(&h->suspects[k], &h->from) >= 0 &&
            !h->passed[h->suspect_of[k]]) {
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
                                                        one: which one it is cannot be told */
        } else {
            hi = middle;
        }
    }
    return *lo < hi ? FAILED : LANDED;
}

static void tell(halving *h, size_t row, pt_error *err) {
    const item *culprit = &h->rows.all[row];
    const pt_ledger_entry *e = &h->flush->entries[culprit->entry];
    char words[PT_ERROR_TEXT];
    (void)snprintf(words, sizeof words, "%s", pt_failure_words(err->text));
    int code = pt_account_refused(h->t->routes, h->t->n_routes, e->topic, e->partition,
                                  culprit->offset, words,
                                  h->passed[slice_of(h->flush, culprit->entry)], err);
    (void)code; /* in err */
}

static pt_halved search(halving *h, pt_error *err) {
    trial result = try_up_to(h, before_row(h, 0),
                             err); /* dead letters and jumps before the first row */
    size_t lo = 0;
    while (result == LANDED && h->from.entry < h->flush->n_entries) {
        result = narrow(h, &lo, h->rows.n, err);
        if (result == REFUSED) {
            tell(h, lo, err);
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

pt_halved pt_halve(pt_committer_thread *t, const pt_flush *flush, const pt_error *why,
                   pt_error *err) {
    halving h = {.t = t, .flush = flush};
    pt_halved result = PT_HALVED_ENDED;
    *err = *why;
    if (pt_error_is(why, PT_WHY_NO_RECORD)) { /* a right that is missing meets every record */
        return PT_HALVED_ENDED;
    }
    h.from = (item){0, flush->entries[0].from_offset};
    pt_log(PT_LOG_WARN,
           PT_EVENT("the lake refuses a flush; committing it in pieces to find the record"),
           PT_INT("rows", pt_flush_rows(flush)), PT_STR("error", why->text));
    pt_batches_in_pieces(t->batches, true);
    if (list_items(&h, err) == PT_OK) {
        *err = *why;
        result = search(&h, err);
    }
    pt_batches_in_pieces(t->batches, false);
    free(h.rows.all);
    free(h.dead.all);
    free(h.first_row);
    free(h.passed);
    free(h.suspects);
    free(h.suspect_of);
    return result;
}
