#include "ingest/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"

/* Entries of a topic stand together, in the order of the routes. */
static void count_rows(const pt_route *routes, size_t n_routes, const pt_flush *flush) {
    size_t at = 0;
    for (size_t i = 0; i < flush->n_entries; i++) {
        while (at < n_routes && strcmp(routes[at].topic, flush->entries[i].topic) != 0) {
            at++;
        }
        if (at < n_routes) {
            routes[at].tally->committed += (uint64_t)flush->entries[i].rows;
        }
    }
}

/* What proves that a table takes rows. */
static void note_passed(const pt_route *routes, size_t n_routes, const pt_flush *flush) {
    for (size_t i = 0; i < n_routes; i++) {
        if (pt_slice_rows(&flush->slices[routes[i].slice])) {
            pt_tally_passed(routes[i].tally);
        }
    }
}

static void tell_group(pt_consumer *consumer, const pt_flush *flush) {
    pt_place *places = calloc(flush->n_entries + 1, sizeof *places);
    for (size_t i = 0; places && i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        places[i] = (pt_place){e->topic, e->partition, e->next_offset, -1};
    }
    if (places) { /* without memory a lag tool hears of it with the next flush */
        pt_consumer_commit(consumer, places, flush->n_entries);
    }
    free(places);
}

void pt_account_committed(const pt_route *routes, size_t n_routes, pt_consumer *consumer,
                          const pt_flush *flush) {
    (void)pt_failpoint("offsets.before");
    count_rows(routes, n_routes, flush);
    note_passed(routes, n_routes, flush);
    if (consumer) {
        tell_group(consumer, flush);
    }
    for (size_t i = 0; i < flush->n_slices; i++) {
        if (pt_slice_rows(&flush->slices[i])) {
            pt_log(PT_LOG_DEBUG, PT_EVENT("flush"),
                   PT_INT("rows", pt_slice_rows(&flush->slices[i])),
                   PT_INT("stage_us", flush->stage_us), PT_INT("commit_us", flush->commit_us),
                   PT_STR("table", flush->slices[i].table->label));
        }
    }
}

int pt_account_refused(const pt_route *routes, size_t n_routes, const char *topic,
                       int32_t partition, int64_t offset, const char *words, bool passed,
                       pt_error *err) {
    for (size_t i = 0; i < n_routes; i++) {
        if (strcmp(routes[i].topic, topic) == 0) {
            return pt_tally_refuse(routes[i].tally, topic, partition, offset, words, passed, err);
        }
    }
    return pt_fail(err, PT_E_INTERNAL, "topic %s is none of ours", topic);
}

int pt_account_alone(const pt_route *routes, size_t n_routes, const pt_flush *flush,
                     pt_error *err) {
    for (size_t k = 0; k < flush->n_suspects; k++) {
        const pt_suspect *s = &flush->suspects[k];
        for (size_t i = 0; i < n_routes && pt_slice_rows(&flush->slices[s->slice]) == 0; i++) {
            if (strcmp(routes[i].topic, s->topic) == 0) {
                PT_TRY(pt_tally_pass_alone(routes[i].tally,
                                           (pt_tally_of){s->topic, routes[i].table->label},
                                           s->partition, s->offset, err));
            }
        }
    }
    return PT_OK;
}
