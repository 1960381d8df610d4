#include "lake/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "lake/attach_failed.h"
#include "lake/guard.h"
#include "lake/inlined.h"
#include "lake/lake_uri.h"
#include "lake/scan.h"
#include "lake/transaction.h"
#include "lake/turnstile.h"

#define OPEN_TRIES 12       /* of a catalog that others may be making */
#define OPEN_ANEW_AFTER 500 /* commits */
#define OPEN_ANEW_SOON 2    /* in a test */

struct pt_committer {
    const pt_lake_options *options;
    char *pipeline, *owner;
    pt_target *ledger; /* pintail.offsets, whose rows are folded, too */
    pt_engine *engine;
    pt_session *session;
    pt_scan *scan;
    pt_turnstile *turnstile; /* used from the first conflict on: a single writer has no need of it */
    uint64_t conflicts;
    unsigned commits;     /* since DuckDB was opened */
    int64_t own_snapshot; /* of our last commit, if the epochs of all claims stood then; -1: not known */
    bool all_stood;       /* they did at the last check */
    /* Part i of a flush -> so many rows of an INSERT were seen to stay in the catalog, and so will fewer: DuckLake reads a lake's limits when it attaches it. A look at
     * what an INSERT has done costs half a commit. */
    size_t inlines[PT_SCAN_SLOTS];
    pt_claim *claims; /* [n_claims] what this process owns, topic names owned too; next_offset: what is committed */
    size_t n_claims;
};

/* ---- open, close, open again --------------------------------------------------------------------------- */

static void detach(pt_committer *c) {
    c->own_snapshot = -1;
    memset(c->inlines, 0, sizeof c->inlines);
    pt_turnstile_close(&c->turnstile);
    pt_session_close(&c->session);
    pt_engine_close(&c->engine);
    pt_scan_free(&c->scan);
}

typedef struct opening {
    pt_committer *committer;
    unsigned attempts;
} opening;

/* PT_E_LAKE_BUSY: worth another try. Of what is not, err->code may still be that. */
static int open_engine(void *arg, pt_error *err) {
    opening *o = arg;
    o->attempts++;
    int code = pt_engine_open(o->committer->options, &o->committer->engine, err);
    /* several processes make the same catalog at once: one wins, the others find it there the next time. A probe that fails for no reason of its own had a lock in its way */
    if (code == PT_E_LAKE && strstr(err->text, PT_ATTACH_RACED)) {
        err->code = PT_E_LAKE_BUSY;
        return o->attempts < OPEN_TRIES ? PT_E_LAKE_BUSY : PT_E_LAKE;
    }
    return code == PT_E_LAKE_BUSY && o->attempts > 1 && strstr(err->text, "is open in another process") ? PT_E_LAKE : code;
}

static int attach(pt_committer *c, pt_error *err) {
    opening o = {c, 0};
    c->commits = 0;
    int code = pt_retry_busy(open_engine, &o, err) == PT_OK ? PT_OK : (int)err->code;
    if (code == PT_OK) {
        code = pt_session_open(c->engine, &c->session, err);
    }
    if (code == PT_OK) {
        code = pt_session_run(c->session, pt_rule_broken("own-retry") ? "SET GLOBAL ducklake_max_retry_count = 10" : "SET GLOBAL ducklake_max_retry_count = 1", err);
    }
    if (code == PT_OK) {
        code = pt_session_runf(c->session, err, "SET GLOBAL ducklake_default_data_inlining_row_limit = %zu", c->options->inline_rows);
    }
    if (code == PT_OK) { /* each registered file is read once, for its footer: keeping it would cost memory with every commit */
        code = pt_session_run(c->session, "SET GLOBAL enable_external_file_cache = false", err);
    }
    if (code == PT_OK) { /* an upload takes a buffer of a ten-thousandth of that; 800 GB by default, which is more than this DuckDB's memory */
        code = pt_session_run(c->session, "SET GLOBAL s3_uploader_max_filesize = '50GB'", err);
    }
    if (code == PT_OK) {
        code = pt_scan_new(c->session, &c->scan, err);
    }
    if (code == PT_OK) {
        code = pt_turnstile_open(c->engine, &c->turnstile, err);
    }
    if (code != PT_OK) {
        detach(c);
    }
    return code;
}

int pt_committer_check(const pt_lake_options *options, pt_error *err) {
    pt_lake_uri uri;
    PT_TRY(pt_lake_uri_parse(options->lake, &uri, err));
    if (uri.catalog == PT_CATALOG_MYSQL) {
        return pt_fail(err, PT_E_USAGE, "--lake: nothing can be written into a lake on MySQL or MariaDB yet, since DuckLake cannot change rows of such a catalog; use a "
                       "PostgreSQL, SQLite or DuckDB-file catalog (check and sql read this one)");
    }
    return PT_OK;
}

int pt_committer_look(const pt_lake_options *options, pt_error *err) {
    pt_lake_options look = *options;
    pt_engine *engine = NULL;
    look.create = false;
    int code = pt_engine_open(&look, &engine, err);
    pt_engine_close(&engine);
    return code != PT_OK && (strstr(err->text, PT_ATTACH_NONE) || strstr(err->text, PT_ATTACH_NO_FILE)) ? PT_OK : code;
}

int pt_committer_open(const pt_lake_options *options, const char *pipeline, const char *owner, pt_committer **out, pt_error *err) {
    *out = NULL;
    PT_TRY(pt_committer_check(options, err));
    pt_committer *c = calloc(1, sizeof *c);
    if (!c) {
        return pt_fail_nomem(err, "the committer");
    }
    c->options = options;
    c->own_snapshot = -1;
    c->pipeline = strdup(pipeline);
    c->owner = strdup(owner);
    int code = c->pipeline && c->owner ? attach(c, err) : pt_fail_nomem(err, "the committer");
    if (code == PT_OK) {
        code = pt_ledger_create(c->engine, c->session, err);
    }
    if (code == PT_OK) {
        code = pt_target_open_own(c->engine, c->session, "offsets", PT_LEDGER_COLUMNS, &c->ledger, err);
    }
    if (code != PT_OK) {
        pt_committer_close(&c);
    }
    *out = c;
    return code;
}

void pt_committer_close(pt_committer **committer) {
    pt_committer *c = *committer;
    if (c) {
        detach(c);
        for (size_t i = 0; i < c->n_claims; i++) {
            free((char *)(uintptr_t)c->claims[i].topic);
        }
        pt_target_free(&c->ledger);
        free(c->claims);
        free(c->pipeline);
        free(c->owner);
        free(c);
        *committer = NULL;
    }
}

pt_engine *pt_committer_engine(pt_committer *committer) {
    return committer->engine;
}

pt_session *pt_committer_session(pt_committer *committer) {
    return committer->session;
}

const pt_target *pt_committer_ledger(const pt_committer *committer) {
    return committer->ledger;
}

uint64_t pt_committer_conflicts(const pt_committer *committer) {
    return committer->conflicts;
}

/* ---- what is owned ------------------------------------------------------------------------------------- */

static pt_claim *find_claim(const pt_committer *c, const char *topic, int32_t partition) {
    for (size_t i = 0; i < c->n_claims; i++) {
        if (c->claims[i].partition == partition && strcmp(c->claims[i].topic, topic) == 0) {
            return &c->claims[i];
        }
    }
    return NULL;
}

static int keep_claim(pt_committer *c, const pt_claim *claim, pt_error *err) {
    pt_claim *known = find_claim(c, claim->topic, claim->partition);
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

/* Fence first, then read. A file of the ledger may be gone since the answer to the COMMIT of a fold was lost: only now it is clear what the catalog holds. */
static int raise_and_read(pt_committer *c, pt_claim *claims, size_t n_claims, pt_error *err) {
    PT_TRY(pt_ledger_raise(c->engine, c->session, c->turnstile, c->pipeline, c->owner, claims, n_claims, err));
    int code = pt_ledger_read(c->engine, c->session, c->pipeline, claims, n_claims, err);
    uint64_t restored = 0;
    pt_error ignored;
    if (code != PT_OK && pt_guards_mend(c->engine, c->session, c->ledger, &restored, &ignored) == PT_OK && restored) {
        pt_log(PT_LOG_WARN, PT_EVENT("data files that a commit of unknown outcome lost are back"), PT_STR("table", c->ledger->label), PT_INT("files", restored));
        code = pt_ledger_read(c->engine, c->session, c->pipeline, claims, n_claims, err);
    }
    return code;
}

int pt_committer_claim(pt_committer *c, pt_claim *claims, size_t n_claims, pt_error *err) {
    if (!c->session) {
        PT_TRY(attach(c, err));
    }
    int code = raise_and_read(c, claims, n_claims, err);
    if (code != PT_OK && code != PT_E_LAKE_BUSY) { /* a connection that failed, or a DuckDB that has given up its catalog file, is not used again */
        detach(c);
    }
    PT_TRY(code);
    for (size_t i = 0; i < n_claims; i++) {
        PT_TRY(keep_claim(c, &claims[i], err));
    }
    return PT_OK;
}

void pt_committer_release(pt_committer *c, const char *topic, int32_t partition) {
    pt_claim *claim = find_claim(c, topic, partition);
    if (claim) {
        free((char *)(uintptr_t)claim->topic);
        *claim = c->claims[--c->n_claims];
    }
}

/* ---- the transaction ----------------------------------------------------------------------------------- */

typedef struct commit_job {
    pt_committer *committer;
    pt_flush *flush;
} commit_job;

static int64_t epoch_of(const pt_table *epochs, const pt_claim *claim) {
    for (size_t r = 0; r < epochs->n_rows; r++) {
        if (pt_table_int(epochs, r, 1) == claim->partition && strcmp(pt_table_cell(epochs, r, 0), claim->topic) == 0) {
            return pt_table_int(epochs, r, 2);
        }
    }
    return 0;
}

static int check_epoch(const pt_table *epochs, const pt_claim *claim, pt_error *err) {
    int64_t epoch = epoch_of(epochs, claim);
    if (epoch != claim->epoch) {
        return pt_fail(err, PT_E_FENCED, "topic %s partition %" PRId32 " was taken over by another process of this group (epoch %" PRId64 ", ours is %" PRId64 ")",
                       claim->topic, claim->partition, epoch, claim->epoch);
    }
    return PT_OK;
}

/* Where the partition of entry i stands when that entry is applied: after an earlier entry of the same flush, else what is committed; -1 unknown. */
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

/* In memory, before the transaction: every entry is of an owned partition and goes on where the last one ended. */
static int check_entries(const pt_committer *c, pt_flush *flush, pt_error *err) {
    for (size_t i = 0; i < flush->n_entries; i++) {
        pt_ledger_entry *e = &flush->entries[i];
        const pt_claim *claim = find_claim(c, e->topic, e->partition);
        if (!claim) {
            return pt_fail(err, PT_E_FENCED, "topic %s partition %" PRId32 " is no longer assigned to this process", e->topic, e->partition);
        }
        int64_t stands = stands_before(flush, i, claim);
        if (stands >= 0 && stands != e->from_offset && !pt_rule_broken("continuity")) {
            return pt_fail(err, PT_E_FENCED, "topic %s partition %" PRId32 ": the lake stands at offset %" PRId64 ", the flush begins at %" PRId64, e->topic,
                           e->partition, stands, e->from_offset);
        }
        e->epoch = claim->epoch;
    }
    return PT_OK;
}

static int snapshot_of(const pt_committer *c, const char *function, int64_t *snapshot, pt_error *err) {
    pt_text sql = {0};
    pt_text_addf(&sql, "SELECT id FROM %s(", function);
    pt_text_add_sql_string(&sql, pt_engine_alias(c->engine));
    pt_text_add(&sql, ")");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(c->session, pt_text_get(&sql), snapshot, err);
    }
    pt_text_free(&sql);
    return code;
}

/* Whether this transaction sees the very snapshot that our last commit made: then no fence came since, and the epochs need not be read (which is a third of
 * a commit's work). It is the transaction's first statement on the lake, which fixes its snapshot: a fence that comes later conflicts. */
static int stands_on_own_commit(const pt_committer *c, bool *stands, pt_error *err) {
    int64_t now = -1;
    *stands = false;
    if (c->own_snapshot >= 0) {
        PT_TRY(snapshot_of(c, "ducklake_current_snapshot", &now, err));
        *stands = now == c->own_snapshot;
    }
    return PT_OK;
}

static bool all_claims_stand(const pt_committer *c, const pt_table *epochs) {
    for (size_t i = 0; i < c->n_claims; i++) {
        if (epoch_of(epochs, &c->claims[i]) != c->claims[i].epoch) {
            return false;
        }
    }
    return true;
}

/* The epochs are read inside the transaction: a fence committed before shows here, one committed later conflicts with our ledger rows. */
static int check_epochs(const commit_job *job, pt_error *err) {
    pt_committer *c = job->committer;
    bool stands;
    PT_TRY(stands_on_own_commit(c, &stands, err));
    if (stands) {
        return PT_OK;
    }
    pt_table epochs = {0};
    PT_TRY(pt_ledger_epochs(c->engine, c->session, c->pipeline, &epochs, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < job->flush->n_entries; i++) {
        const pt_ledger_entry *e = &job->flush->entries[i];
        code = check_epoch(&epochs, find_claim(c, e->topic, e->partition), err);
    }
    c->all_stood = all_claims_stand(c, &epochs);
    pt_table_clear(&epochs);
    return code;
}

static int register_file(const commit_job *job, const pt_part *part, pt_error *err) {
    const pt_committer *c = job->committer;
    pt_text sql = {0};
    pt_text_add(&sql, "CALL ducklake_add_data_files(");
    pt_text_add_sql_string(&sql, pt_engine_alias(c->engine));
    pt_text_add(&sql, ", ");
    pt_text_add_sql_string(&sql, part->target->name);
    pt_text_add(&sql, ", ");
    pt_text_add_sql_string(&sql, part->staged);
    pt_text_add(&sql, ", schema => ");
    pt_text_add_sql_string(&sql, part->target->schema_name);
    pt_text_add(&sql, ")");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK && pt_session_run(c->session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "registering %s", part->staged);
    }
    pt_text_free(&sql);
    return code;
}

/* Guards the files that the INSERT of a part wrote, if any. */
static int guard_rows(const commit_job *job, size_t part_at, size_t slot, pt_part *part, pt_error *err) {
    pt_committer *c = job->committer;
    size_t *inlines = part_at < PT_SCAN_SLOTS ? &c->inlines[part_at] : NULL;
    size_t n = pt_rows_count(part->rows);
    bool unfit = job->flush->to_files || pt_rows_has_nul(part->rows);
    if (!part->target->guard || pt_rule_broken("guard") || (inlines && n <= *inlines && !unfit)) {
        return PT_OK;
    }
    PT_TRY(pt_guard_part(c->engine, c->session, part, slot, err));
    if (inlines && (part->n_guarded || !unfit)) {
        *inlines = part->n_guarded ? 0 : n;
    }
    return PT_OK;
}

static int insert_rows(const commit_job *job, size_t part_at, pt_part *part, pt_error *err) {
    pt_committer *c = job->committer;
    const pt_target *t = part->target;
    size_t slot = part_at % PT_SCAN_SLOTS;
    pt_text sql = {0};
    if (pt_inlined_unfit(job->flush, part)) {
        PT_TRY(pt_inlined_forbid(c->engine, c->session, t, err));
    }
    pt_scan_show(c->scan, slot, part->rows, t->types, t->names);
    pt_text_add(&sql, "INSERT INTO ");
    pt_target_add_sql_name(t, c->engine, &sql);
    pt_text_addf(&sql, " BY NAME SELECT * FROM pintail_rows(%zu)", slot);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK && pt_failpoint("insert.before")) {
        code = pt_fail(err, PT_E_LAKE, "failpoint: DuckLake cannot inline that");
    } else if (code == PT_OK && pt_session_run(c->session, pt_text_get(&sql), err) != PT_OK) {
        code = pt_fail_in(err, "inserting %zu rows into %s", pt_rows_count(part->rows), t->label);
    }
    pt_text_free(&sql);
    return code == PT_OK ? guard_rows(job, part_at, slot, part, err) : code;
}

static int insert_entries(const commit_job *job, size_t from, size_t to, pt_error *err) {
    const pt_committer *c = job->committer;
    pt_text sql = {0};
    char now[40];
    pt_format_time(pt_now_us(), now, sizeof now);
    pt_text_addf(&sql, "INSERT INTO \"%s\".pintail.offsets VALUES ", pt_engine_alias(c->engine));
    for (size_t i = from; i < to; i++) {
        const pt_ledger_entry *e = &job->flush->entries[i];
        pt_text_add(&sql, i > from ? ", (" : "(");
        pt_text_add_sql_string(&sql, c->pipeline);
        pt_text_add(&sql, ", ");
        pt_text_add_sql_string(&sql, e->topic);
        pt_text_addf(&sql, ", %" PRId32 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", ", e->partition, e->from_offset, e->next_offset,
                     e->rows, e->dead_letters, e->epoch);
        pt_text_add_sql_string(&sql, e->cluster_id);
        pt_text_add(&sql, ", ");
        pt_text_add_sql_string(&sql, e->topic_id);
        pt_text_add(&sql, ", ");
        pt_text_add_sql_string(&sql, e->target_table);
        pt_text_add(&sql, ", ");
        pt_text_add_sql_string(&sql, e->kind);
        pt_text_addf(&sql, ", '%s')", now);
    }
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_run(c->session, pt_text_get(&sql), err);
    }
    pt_text_free(&sql);
    return code;
}

static int insert_ledger(const commit_job *job, pt_error *err) {
    size_t n = job->flush->n_entries;
    for (size_t from = 0; from < n; from += PT_LEDGER_INSERT_ROWS) {
        PT_TRY(insert_entries(job, from, n - from < PT_LEDGER_INSERT_ROWS ? n : from + PT_LEDGER_INSERT_ROWS, err));
    }
    return PT_OK;
}

static int write_flush(void *arg, pt_error *err) {
    commit_job *job = arg;
    (void)pt_failpoint("commit.begun");
    if (!pt_rule_broken("epoch-check")) {
        PT_TRY(check_epochs(job, err));
    }
    (void)pt_failpoint("commit.epochs");
    for (size_t i = 0; i < job->flush->n_parts; i++) {
        pt_part *part = &job->flush->parts[i];
        if (part->staged) {
            PT_TRY(register_file(job, part, err));
        } else if (pt_rows_count(part->rows)) {
            PT_TRY(insert_rows(job, i, part, err));
        }
    }
    (void)pt_failpoint("commit.registered");
    if (!pt_rule_broken("ledger-row")) {
        PT_TRY(insert_ledger(job, err));
    }
    if (pt_failpoint("commit.ledger")) {
        return pt_fail(err, PT_E_LAKE_DOWN, "failpoint: server closed the connection unexpectedly");
    }
    return PT_OK;
}

/* Until it is closed, the DuckDB that commits grows by some 10 KB a commit: DuckLake keeps the statistics of all tables for every snapshot that it has seen, and the
 * buffer manager the handles of blocks that are gone. So another one takes its place from time to time; nothing is under way now. */
static int open_anew(pt_committer *c, pt_error *err) {
    if (c->commits < (pt_rule_broken("open-rarely") ? OPEN_ANEW_SOON : OPEN_ANEW_AFTER)) {
        return PT_OK;
    }
    detach(c);
    int code = pt_failpoint("open.anew") ? pt_fail(err, PT_E_LAKE_DOWN, "failpoint: connection refused") : attach(c, err);
    if (code == PT_E_LAKE_BUSY) { /* another process was quicker to take the catalog file */
        err->code = PT_E_LAKE_DOWN;
        code = PT_E_LAKE_DOWN;
    }
    return code;
}

static void note_committed(pt_committer *c, const pt_flush *flush) {
    c->commits++;
    for (size_t i = 0; i < flush->n_entries; i++) {
        find_claim(c, flush->entries[i].topic, flush->entries[i].partition)->next_offset = flush->entries[i].next_offset;
    }
    /* what DuckLake noted at the COMMIT, not a look at the catalog: a commit of another process that followed is not counted in */
    if (!c->all_stood || snapshot_of(c, "ducklake_last_committed_snapshot", &c->own_snapshot, NULL) != PT_OK) {
        c->own_snapshot = -1;
    }
}

int pt_commit(pt_committer *c, pt_flush *flush, pt_error *err) {
    if (flush->n_entries == 0) {
        return pt_fail(err, PT_E_INTERNAL, "a flush without a ledger row is not fenced and must not be committed");
    }
    PT_TRY(check_entries(c, flush, err));
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached since the catalog failed");
    }
    PT_TRY(open_anew(c, err));
    commit_job job = {c, flush};
    pt_turnstile *turnstile = c->conflicts ? c->turnstile : NULL;
    int64_t start = pt_monotonic_us();
    pt_turnstile_enter(turnstile);
    int code = pt_transaction(c->session, write_flush, &job, err);
    pt_turnstile_leave(turnstile);
    flush->commit_us = pt_monotonic_us() - start;
    if (code == PT_E_LAKE_BUSY) {
        c->conflicts++;
    }
    if (code == PT_OK && pt_failpoint("commit.answer")) {
        return pt_transaction_lost(err);
    }
    if (code != PT_E_LAKE_DOWN && (code == PT_OK || !pt_transaction_unknown(err))) {
        pt_guards_drop(c->session, flush);
    }
    if (code == PT_OK) {
        (void)pt_failpoint("commit.committed");
        note_committed(c, flush);
    }
    return code;
}

/* ---- folding ------------------------------------------------------------------------------------------- */

typedef struct fold_job {
    pt_committer *committer;
    pt_part *part;
    int64_t rows;
} fold_job;

static int fold_part(void *arg, pt_error *err) {
    fold_job *job = arg;
    return pt_inlined_fold(job->committer->engine, job->committer->session, job->part, &job->rows, err);
}

/* After a COMMIT DuckLake drops tables of inlined rows that no schema needs any more. What fails there reads like a COMMIT that failed, and costs the files: so the catalog is
 * asked before their guards go. */
static int mend_fold(pt_committer *c, const pt_flush *fold) {
    uint64_t restored;
    pt_error ignored;
    return fold->parts->n_guarded ? pt_guards_mend(c->engine, c->session, fold->parts->target, &restored, &ignored) : PT_OK;
}

bool pt_committer_owns(const pt_committer *c) {
    return c->n_claims > 0;
}

int pt_committer_fold(pt_committer *c, pt_flush *fold, int64_t *rows, pt_error *err) {
    fold_job job = {c, fold->parts, 0};
    *rows = 0;
    if (!c->session) {
        return pt_fail(err, PT_E_LAKE_DOWN, "the lake is not attached since the catalog failed");
    }
    pt_turnstile_enter(c->turnstile); /* it is rare, and its work is lost in a conflict */
    int code = pt_transaction(c->session, fold_part, &job, err);
    pt_turnstile_leave(c->turnstile);
    if (code == PT_OK && pt_failpoint("fold.answer")) {
        return pt_transaction_lost(err);
    }
    if (code == PT_OK) {
        (void)pt_failpoint("fold.committed");
        *rows = job.rows;
    }
    if (code == PT_OK || (!pt_transaction_unknown(err) && mend_fold(c, fold) == PT_OK)) {
        pt_guards_drop(c->session, fold);
    }
    return code == PT_OK ? PT_OK : pt_fail_in(err, "writing inlined rows of table %s to files", fold->parts->target->label);
}

/* ---- after an outage ----------------------------------------------------------------------------------- */

/* Our epochs must still stand: whoever raised them has gone on from the ledger already. An epoch that we raised ourselves, in an earlier attempt
 * whose COMMIT got no answer, is ours too. */
static int check_claims(pt_committer *c, pt_error *err) {
    pt_table epochs = {0};
    PT_TRY(pt_ledger_epochs(c->engine, c->session, c->pipeline, &epochs, err));
    int code = PT_OK;
    for (size_t r = 0; code == PT_OK && r < epochs.n_rows; r++) {
        const pt_claim *claim = find_claim(c, pt_table_cell(&epochs, r, 0), (int32_t)pt_table_int(&epochs, r, 1));
        const char *owner = pt_table_cell(&epochs, r, 3);
        if (claim && owner && strcmp(owner, c->owner) != 0) {
            code = check_epoch(&epochs, claim, err);
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
        const pt_claim *claim = find_claim(c, e->topic, e->partition);
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
    detach(c);
    PT_TRY(attach(c, err));
    (void)pt_failpoint("recover.attached");
    int code = check_claims(c, err);
    if (code != PT_OK && flush->n_entries == 0) { /* whoever took over has committed since: a fold is settled */
        int ignored = mend_fold(c, flush);
        (void)ignored;
    }
    PT_TRY(code);
    PT_TRY(raise_and_read(c, c->claims, c->n_claims, err));
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
