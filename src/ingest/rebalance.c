#include "ingest/member_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "ingest/first_start.h"
#include "ingest/group.h"
#include "ingest/start.h"
#include "ingest/verify.h"
#include "lake/guard.h"
#include "lake/last_record.h"

static int take_over(pt_member *r, pt_assigned *partitions, const pt_claim *claims, size_t n,
                     pt_error *err) {
    for (size_t i = 0; i < n; i++) {
        int64_t start;
        int64_t skipped_from;
        PT_TRY(pt_start_find(&r->reader, &partitions[i], &claims[i], &start, &skipped_from, err));
        pt_partition *p = pt_reader_partition(&r->reader, partitions[i].topic,
                                              partitions[i].partition);
        if (!p) {
            return pt_fail_nomem(err, "a partition");
        }
        p->assigned = true;
        p->next = p->sealed = p->position = start;
        pt_verify_begin(p, &claims[i], &partitions[i]);
        p->rows = p->dead_letters = 0;
        p->skipped_from = skipped_from;
        r->reader.jumped |= skipped_from >= 0;
    }
    return PT_OK;
}

/* What librdkafka was seen to do by itself: to go on behind records that nobody has read, in the
 * middle or at the end of a partition. */
static void skip_ahead(pt_assigned *partitions, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t middle = partitions[i].start + (partitions[i].high - partitions[i].start) / 2;
        partitions[i].start = i % 2 ? partitions[i].high : middle;
    }
}

int pt_member_on_assigned(void *arg, pt_assigned *partitions, size_t n, pt_error *err) {
    pt_member *r = arg;
    (void)pt_failpoint("assign.before");
    if (!r->assigned_once) {
        PT_TRY(pt_group_is_ours(r, err));
    }
    pt_claim *claims = calloc(n + 1, sizeof *claims);
    if (!claims) {
        return pt_fail_nomem(err, "claims");
    }
    for (size_t i = 0; i < n; i++) {
        claims[i] = (pt_claim){.topic = partitions[i].topic,
                               .partition = partitions[i].partition,
                               .next_offset = -1};
    }
    int code = pt_first_start_find(r, partitions, n, err);
    r->line.starts = &r->reader.starts;
    if (code == PT_OK && n) {
        code = pt_line_claim(&r->line, claims, n, err);
    }
    if (code == PT_OK) {
        pt_first_start_settle(r, partitions, n);
        code = pt_consumer_read_bounds(r->consumer, partitions, n, err);
    }
    if (code == PT_OK) {
        code = take_over(r, partitions, claims, n, err);
    }
    free(claims);
    pt_reader_unverify(&r->reader);
    if (code == PT_OK && pt_failpoint("assign.skip")) {
        skip_ahead(partitions, n);
    }
    if (code == PT_OK) {
        pt_log(PT_LOG_INFO, PT_EVENT("assigned"), PT_INT("partitions", n));
    }
    r->assigned_once = true;
    (void)pt_failpoint("assign.after");
    return code;
}

/* What is buffered for partitions that go is flushed, all of it, before they are let go; if they
 * are lost already it is dropped. */
void pt_member_on_revoked(void *arg, const pt_assigned *partitions, size_t n, bool lost) {
    pt_member *r = arg;
    pt_error err = {0};
    bool flushed = false;
    (void)pt_failpoint("revoke.before");
    pt_line_hold_folds(&r->line, true);
    if (!lost && !r->gave_up) {
        flushed = pt_reader_seal(&r->reader, true, &err) == PT_OK &&
                  pt_line_drain(&r->line, r->options->stop_timeout_us);
    }
    if (!flushed) {
        r->lost = true;
        pt_reader_drop(&r->reader);
        int ignored =
            pt_fail(&err, PT_E_FENCED,
                    "partitions were %s before their rows were committed; going on from the lake",
                    lost ? "lost" : "revoked");
        (void)ignored;
        if (pt_line_failed(&r->line, &err) == PT_OK) {
            pt_line_fail(&r->line, &err);
        }
    }
    (void)pt_failpoint("revoke.drained");
    pt_reader_unverify(&r->reader);
    for (size_t i = 0; i < n; i++) {
        pt_partition *p = pt_reader_partition(&r->reader, partitions[i].topic,
                                              partitions[i].partition);
        if (p) {
            p->assigned = false;
        }
        if (flushed) { /* nothing is under way, so the committer's thread does not look at its
                          claims now */
            pt_catalog_release(r->catalog, partitions[i].topic, partitions[i].partition);
        }
    }
    pt_line_hold_folds(&r->line, false);
    if (partitions) { /* else all of them, and the end of this life says why */
        pt_log(PT_LOG_INFO, PT_EVENT(lost ? "lost" : "revoked"), PT_INT("partitions", n));
    }
}

int pt_member_restore_files(pt_member *r, const pt_table *table, pt_error *err) {
    uint64_t restored = 0;
    PT_TRY(pt_guards_restore_table(pt_catalog_session(r->catalog), table, &restored, err));
    if (restored) {
        pt_log(PT_LOG_WARN, PT_EVENT("data files that a commit of unknown outcome lost are back"),
               PT_STR("table", table->label), PT_INT("files", restored));
    }
    return PT_OK;
}

/* In the committer's thread. A COMMIT that came late, of a process that is dead or fenced, has
 * landed by now or never will: only now its files are missed. */
int pt_member_on_claimed(void *arg, pt_claim *claims, size_t n, pt_error *err) {
    pt_member *r = arg;
    for (size_t i = 0; i < r->n_tables; i++) {
        int code = pt_member_restore_files(r, r->tables[i], err);
        if (code == PT_E_LAKE_DOWN &&
            r->tables[i]->way == PT_WAY_REGISTER) { /* an object store that is away; what a fold
                                      lost can wait for the next claim */
            pt_log(PT_LOG_WARN, PT_EVENT("cannot look for lost data files"),
                   PT_STR("table", r->tables[i]->label), PT_STR("error", err->text));
            code = PT_OK;
        }
        PT_TRY(code);
    }
    const char *pipeline = r->options->consumer.group ? r->options->consumer.group : r->group;
    return pt_last_records_read(pt_catalog_engine(r->catalog), pt_catalog_session(r->catalog),
                                pipeline, r->tables, r->n_tables, claims, n, err);
}

/* In the stager's thread: nothing of a topic that was made anew under our hands is committed. */
int pt_member_on_staged(void *arg, pt_error *err) {
    pt_member *r = arg;
    return pt_consumer_check_topics(r->consumer, err);
}

/* Entries of a topic stand together, in the order of the routes. */
static void count_rows(const pt_member *r, const pt_flush *flush) {
    size_t at = 0;
    for (size_t i = 0; i < flush->n_entries; i++) {
        while (at < r->options->n_routes &&
               strcmp(r->options->routes[at].topic, flush->entries[i].topic) != 0) {
            at++;
        }
        if (at < r->options->n_routes) {
            r->options->tallies[at].committed += (uint64_t)flush->entries[i].rows;
        }
    }
}

/* What proves that a table takes rows. */
static void note_passed(const pt_member *r, const pt_flush *flush) {
    for (size_t i = 0; i < r->reader.n_routes; i++) {
        if (pt_slice_rows(&flush->slices[r->reader.routes[i].slice])) {
            pt_tally_passed(&r->options->tallies[i]);
        }
    }
}

static void tell_group(const pt_member *r, const pt_flush *flush) {
    pt_place *places = calloc(flush->n_entries + 1, sizeof *places);
    for (size_t i = 0; places && i < flush->n_entries; i++) {
        const pt_ledger_entry *e = &flush->entries[i];
        places[i] = (pt_place){e->topic, e->partition, e->next_offset, -1};
    }
    if (places) { /* without memory a lag tool hears of it with the next flush */
        pt_consumer_commit(r->consumer, places, flush->n_entries);
    }
    free(places);
}

/* In the committer's thread. */
void pt_member_on_committed(void *arg, const pt_flush *flush) {
    pt_member *r = arg;
    (void)pt_failpoint("offsets.before");
    count_rows(r, flush);
    note_passed(r, flush);
    tell_group(r, flush);
    for (size_t i = 0; i < flush->n_slices; i++) {
        if (pt_slice_rows(&flush->slices[i])) {
            pt_log(PT_LOG_DEBUG, PT_EVENT("flush"),
                   PT_INT("rows", pt_slice_rows(&flush->slices[i])),
                   PT_INT("stage_us", flush->stage_us), PT_INT("commit_us", flush->commit_us),
                   PT_STR("table", flush->slices[i].table->label));
        }
    }
}

/* In the committer's thread, while the reader still reads. */
int pt_member_on_refused(void *arg, const char *topic, int32_t partition, int64_t offset,
                         const char *words, bool passed, pt_error *err) {
    pt_member *r = arg;
    for (size_t i = 0; i < r->options->n_routes; i++) {
        if (strcmp(r->options->routes[i].topic, topic) == 0) {
            return pt_tally_refuse(&r->options->tallies[i], topic, partition, offset, words, passed,
                                   err);
        }
    }
    return pt_fail(err, PT_E_INTERNAL, "topic %s is none of ours", topic);
}

/* In the committer's thread. */
int pt_member_on_alone(void *arg, const pt_flush *flush, pt_error *err) {
    pt_member *r = arg;
    for (size_t k = 0; k < flush->n_suspects; k++) {
        const pt_suspect *s = &flush->suspects[k];
        for (size_t i = 0; i < r->reader.n_routes && pt_slice_rows(&flush->slices[s->slice]) == 0;
             i++) {
            if (strcmp(r->reader.routes[i].topic, s->topic) == 0) {
                PT_TRY(
                    pt_tally_pass_alone(&r->options->tallies[i],
                                        (pt_tally_of){s->topic, r->reader.routes[i].table->label},
                                        s->partition, s->offset, err));
            }
        }
    }
    return PT_OK;
}
