#include "ingest/pieces.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- where each row stands ---- */

int pt_item_compare(const void *a, const void *b) {
    const pt_item *x = a, *y = b;
    if (x->entry != y->entry) {
        return x->entry < y->entry ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The columns of a slice that hold where its rows come from. */
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

static int find_items(const pt_flush *flush, size_t slice, pt_items *out, pt_error *err) {
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
            pt_item found = {entry_of(flush, slice, topics ? &topics[i] : NULL, partitions[i],
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

size_t pt_pieces_slice_of(const pt_flush *flush, size_t entry) {
    size_t slice = 0;
    while (slice + 1 < flush->n_slices && !feeds(flush, slice, &flush->entries[entry])) {
        slice++;
    }
    return slice;
}

static void find_first_rows(pt_pieces *h) {
    for (size_t i = 0; i < h->flush->n_slices; i++) {
        h->first_row[i] = h->rows.n;
        h->passed[i] = pt_slice_rows(&h->flush->slices[i]) == 0;
    }
    size_t slice = 0;
    for (size_t i = h->rows.n; i-- > 0;) {
        slice = i + 1 == h->rows.n || h->rows.all[i].entry != h->rows.all[i + 1].entry
                    ? pt_pieces_slice_of(h->flush, h->rows.all[i].entry)
                    : slice;
        h->first_row[slice] = i;
    }
}

/* Those whose records the flush has no ledger row for are of no interest here. */
static void find_suspects(pt_pieces *h) {
    for (size_t k = 0; k < h->flush->n_suspects; k++) {
        const pt_suspect *s = &h->flush->suspects[k];
        h->suspects[k] = (pt_item){SIZE_MAX, s->offset};
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

int pt_pieces_list(pt_pieces *h, pt_error *err) {
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
    qsort(h->rows.all, h->rows.n, sizeof *h->rows.all, pt_item_compare);
    qsort(h->dead.all, h->dead.n, sizeof *h->dead.all, pt_item_compare);
    find_first_rows(h);
    find_suspects(h);
    return PT_OK;
}

/* ---- a piece ---- */

/* How many stand before `until`; the list is in order. */
static size_t count_before(const pt_items *list, pt_item until) {
    size_t low = 0;
    size_t high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pt_item_compare(&list->all[middle], &until) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t count_within(const pt_items *list, size_t entry, int64_t from, int64_t next) {
    return (int64_t)(count_before(list, (pt_item){entry, next}) -
                     count_before(list, (pt_item){entry, from}));
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
int pt_pieces_make(const pt_pieces *h, pt_item until, pt_flush **out, pt_error *err) {
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

void pt_pieces_clear(pt_pieces *h) {
    free(h->rows.all);
    free(h->dead.all);
    free(h->first_row);
    free(h->passed);
    free(h->suspects);
    free(h->suspect_of);
}
