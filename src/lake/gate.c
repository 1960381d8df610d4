#include "lake/gate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "duck/result.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "lake/shape.h"

#define SHOWN 4 /* partitions in an error */

/* ---- a catalog that went back ---- */

int pt_gate_went_back(const pt_ducklake *c, const int64_t *before, const char *what,
                      pt_error *err) {
    pt_text at = {0};
    size_t moved = 0;
    for (size_t i = 0; i < c->base.n_claims; i++) {
        const pt_claim *claim = &c->base.claims[i];
        if (claim->next_offset != before[i] && moved++ < SHOWN) {
            pt_text_addf(&at, "%s%s/%" PRId32 " from %" PRId64 " to %" PRId64,
                         moved > 1 ? ", " : "; offsets go back: ", claim->topic, claim->partition,
                         before[i], claim->next_offset < 0 ? 0 : claim->next_offset);
        }
    }
    if (moved > SHOWN) {
        pt_text_addf(&at, " and %zu more", moved - SHOWN);
    }
    int code =
        pt_fail(err, PT_E_LAKE_CHANGED,
                "the catalog went back in time (a failover, or a restored backup): it has not %s%s",
                what, pt_text_get(&at));
    pt_text_free(&at);
    return code;
}

/* What the lake says now of the positions of all claims, against what we know. Claims keep what
 * they had: the member ends. */
static int went_back(const pt_ducklake *c, const char *what, pt_error *err) {
    int64_t *before = calloc(c->base.n_claims + 1, sizeof *before);
    pt_ducklake now = *c;
    now.base.claims = calloc(c->base.n_claims + 1, sizeof *now.base.claims);
    int code = before && now.base.claims ? PT_OK : pt_fail_nomem(err, "claims");
    for (size_t i = 0; code == PT_OK && i < c->base.n_claims; i++) {
        now.base.claims[i] = c->base.claims[i];
        before[i] = c->base.claims[i].next_offset;
    }
    if (code == PT_OK) {
        code = pt_ledger_read(c->session, c->base.pipeline, now.base.claims, now.base.n_claims,
                              err);
    }
    if (code == PT_OK) {
        code = pt_gate_went_back(&now, before, what, err);
    }
    free(now.base.claims);
    free(before);
    return code;
}

/* ---- our last commit ---- */

static int ledger_has(const pt_ducklake *c, const char *commit_id, bool *has, pt_error *err) {
    int64_t n = 0;
    PT_TRY(pt_session_exec_int(c->session, &n, err,
                               "SELECT count(*) FROM @lake.pintail.offsets WHERE commit_id = ?",
                               PT_VALUES(pt_str(commit_id))));
    *has = n > 0;
    return PT_OK;
}

/* The snapshot that the transaction sees, which this statement fixes: DuckLake looks for it while
 * the statement is bound, the metadata are read when it runs. */
static int look(const pt_ducklake *c, int64_t *now, int64_t *kept, int64_t *ours, pt_error *err) {
    char sql[512];
    const char *alias = pt_session_alias(c->session); /* as a ? it would be bound twice a commit */
    bool known = c->last_snapshot >= 0;
    pt_result found;
    (void)snprintf(sql, sizeof sql,
                   known ? "SELECT (SELECT id FROM ducklake_current_snapshot('%s')), count(*), "
                           "coalesce(bool_or(contains(commit_extra_info, ?)), false)::INTEGER "
                           "FROM @meta.ducklake_snapshot_changes WHERE snapshot_id = ?"
                         : "SELECT id, 0, 0 FROM ducklake_current_snapshot('%s')",
                   alias);
    PT_TRY(pt_session_exec(c->session, &found, err, sql,
                           known ? PT_VALUES(pt_str(c->last_id), pt_int(c->last_snapshot))
                                 : PT_NO_VALUES));
    *now = pt_result_int(&found, 0, 0);
    *kept = pt_result_int(&found, 0, 1);
    *ours = pt_result_int(&found, 0, 2);
    pt_result_clear(&found);
    return PT_OK;
}

/* An expired snapshot has no row any more; its ledger row stays. */
static int check_last_commit(const pt_ducklake *c, int64_t now, int64_t kept, int64_t ours,
                             pt_error *err) {
    bool there = ours != 0;
    if (c->last_snapshot < 0 || there) {
        return PT_OK;
    }
    if (!kept && now > c->last_snapshot) {
        PT_TRY(ledger_has(c, c->last_id, &there, err));
    }
    char what[128];
    (void)snprintf(what, sizeof what, "our last commit (snapshot %" PRId64 ", id %s)",
                   c->last_snapshot, c->last_id);
    return there ? PT_OK : went_back(c, what, err);
}

/* ---- our claims ---- */

/* What pt_ledger_epochs read, and the row of each claim: a look through all rows for each partition
 * would cost the square of their number. */
typedef struct owners {
    pt_result epochs;
    size_t *rows; /* [n_claims] SIZE_MAX: none */
} owners;

static int find_rows(const pt_ducklake *c, owners *o, pt_error *err) {
    o->rows = malloc((c->base.n_claims + 1) * sizeof *o->rows);
    if (!o->rows) {
        return pt_fail_nomem(err, "claims");
    }
    for (size_t i = 0; i < c->base.n_claims; i++) {
        o->rows[i] = SIZE_MAX;
    }
    for (size_t r = 0; r < o->epochs.n_rows; r++) {
        const pt_claim *claim = pt_catalog_find_claim(&c->base, pt_result_cell(&o->epochs, r, 0),
                                                      (int32_t)pt_result_int(&o->epochs, r, 1));
        if (claim) {
            o->rows[claim - c->base.claims] = r;
        }
    }
    return PT_OK;
}

static int read_owners(const pt_ducklake *c, owners *o, pt_error *err) {
    *o = (owners){0};
    PT_TRY(pt_ledger_epochs(c->session, c->base.pipeline, &o->epochs, err));
    return find_rows(c, o, err);
}

static void forget_owners(owners *o) {
    pt_result_clear(&o->epochs);
    free(o->rows);
}

/* 0: none. */
static int64_t epoch_of(const pt_ducklake *c, const owners *o, const pt_claim *claim) {
    size_t row = o->rows[claim - c->base.claims];
    return row == SIZE_MAX ? 0 : pt_result_int(&o->epochs, row, 2);
}

static bool is_ours(const pt_ducklake *c, const owners *o, const pt_claim *claim) {
    size_t row = o->rows[claim - c->base.claims];
    const char *owner = row == SIZE_MAX ? NULL : pt_result_cell(&o->epochs, row, 3);
    if (pt_rule_broken("fence")) { /* there are no epochs then */
        return true;
    }
    return owner && strcmp(owner, c->base.owner) == 0;
}

static bool stands(const pt_ducklake *c, const owners *o, const pt_claim *claim) {
    return epoch_of(c, o, claim) == claim->epoch && is_ours(c, o, claim);
}

/* One that does not stand: raised by another process, by a reset (which goes away again, so that
 * this is no fight of two processes), or gone with what the catalog has lost. */
static int refuse(const pt_ducklake *c, const owners *o, const pt_claim *claim, pt_error *err) {
    int64_t kept = 0;
    PT_TRY(pt_session_exec_int(
        c->session, &kept, err,
        "SELECT count(*) FROM @lake.pintail.epochs WHERE pipeline = ? AND owner = ? AND topic = ? "
        "AND \"partition\" = ? AND epoch = ?",
        PT_VALUES(pt_str(c->base.pipeline), pt_str(c->base.owner), pt_str(claim->topic),
                  pt_int(claim->partition), pt_int(claim->epoch))));
    if (!kept) {
        return went_back(c, "our claim of the partitions", err);
    }
    size_t row = o->rows[claim - c->base.claims];
    const char *owner = row == SIZE_MAX ? NULL : pt_result_cell(&o->epochs, row, 3);
    if (owner && strncmp(owner, PT_RESET_OWNER, strlen(PT_RESET_OWNER)) == 0) {
        return pt_fail(err, PT_E_LAKE_CHANGED,
                       "topic %s partition %" PRId32 " was set to another offset by pintail reset",
                       claim->topic, claim->partition);
    }
    return pt_fail(err, PT_E_FENCED,
                   "topic %s partition %" PRId32
                   " was taken over by another process of this group (epoch %" PRId64
                   ", ours is %" PRId64 ")",
                   claim->topic, claim->partition, epoch_of(c, o, claim), claim->epoch);
}

static bool all_stand(const pt_ducklake *c, const owners *o) {
    for (size_t i = 0; i < c->base.n_claims; i++) {
        if (!stands(c, o, &c->base.claims[i])) {
            return false;
        }
    }
    return true;
}

/* Of the partitions of the flush; flush NULL: of all. */
static int check_claims(pt_ducklake *c, const pt_flush *flush, pt_error *err) {
    owners o;
    int code = read_owners(c, &o, err);
    for (size_t i = 0; code == PT_OK && i < (flush ? flush->n_entries : c->base.n_claims); i++) {
        const pt_claim *claim = flush ? pt_catalog_find_claim(&c->base, flush->entries[i].topic,
                                                              flush->entries[i].partition)
                                      : &c->base.claims[i];
        if (!stands(c, &o, claim)) {
            code = refuse(c, &o, claim, err);
        }
    }
    c->all_stood = code == PT_OK && all_stand(c, &o);
    forget_owners(&o);
    return code;
}

int pt_gate_check_owner(pt_ducklake *c, pt_error *err) {
    owners o;
    int code = read_owners(c, &o, err);
    for (size_t i = 0; code == PT_OK && i < c->base.n_claims; i++) {
        if (!is_ours(c, &o, &c->base.claims[i])) {
            code = refuse(c, &o, &c->base.claims[i], err);
        }
    }
    forget_owners(&o);
    return code;
}

/* ---- all of it ---- */

/* The lake's schema_version rises with every DDL, claims included. The look must not be older than
 * the snapshot that DuckLake fixed. */
static int check_shapes(pt_ducklake *c, const pt_flush *flush, int64_t now, pt_error *err) {
    char *text = NULL;
    PT_TRY(pt_session_exec_text(
        c->session, &text, err,
        "SELECT schema_version FROM @meta.ducklake_snapshot WHERE snapshot_id = ?",
        PT_VALUES(pt_int(now))));
    if (!text) {
        return pt_fail(err, PT_E_LAKE_BUSY,
                       "snapshot %" PRId64 " is not to be seen in the metadata yet", now);
    }
    int64_t version = strtoll(text, NULL, 10);
    free(text);
    if (version != c->schema_version) {
        c->schema_version = -1;
        PT_TRY(pt_shapes_check(c->session, flush, err));
        c->schema_version = version;
    }
    return PT_OK;
}

int pt_gate_pass(pt_ducklake *c, const pt_flush *flush, int64_t *snapshot, pt_error *err) {
    int64_t now;
    int64_t kept;
    int64_t ours;
    PT_TRY(look(c, &now, &kept, &ours, err));
    *snapshot = now + 1;
    if (c->all_stood && now == c->last_snapshot &&
        ours) { /* nobody has committed anything since: claims and tables are as they were */
        return PT_OK;
    }
    if (!pt_rule_broken("epoch-check")) {
        PT_TRY(check_last_commit(c, now, kept, ours, err));
        PT_TRY(check_claims(c, flush, err));
    }
    return pt_rule_broken("shape-check") ? PT_OK : check_shapes(c, flush, now, err);
}

int pt_gate_look(pt_ducklake *c, pt_error *err) {
    int64_t now;
    int64_t kept;
    int64_t ours;
    PT_TRY(look(c, &now, &kept, &ours, err));
    if (c->all_stood && now == c->last_snapshot && ours) {
        return PT_OK;
    }
    PT_TRY(check_last_commit(c, now, kept, ours, err));
    return check_claims(c, NULL, err);
}

/* ---- the catalog's file ---- */

static bool find_file(const pt_ducklake *c, struct stat *st) {
    pt_lake_uri uri;
    pt_error ignored;
    return pt_lake_uri_parse(c->options->lake, &uri, &ignored) == PT_OK && uri.is_file &&
           stat(uri.rest, st) == 0;
}

void pt_gate_note_file(pt_ducklake *c) {
    struct stat st;
    bool found = find_file(c, &st);
    c->file_device = found ? st.st_dev : 0;
    c->file_inode = found ? st.st_ino : 0;
}

/* Or gone: what is committed then goes into a file that has no name any more. */
bool pt_gate_file_replaced(const pt_ducklake *c) {
    struct stat st;
    if (!c->file_inode) {
        return false;
    }
    errno = 0;
    return find_file(c, &st) ? st.st_ino != c->file_inode || st.st_dev != c->file_device
                             : errno == ENOENT;
}

int pt_gate_check_file(const pt_ducklake *c, pt_error *err) {
    if (!pt_gate_file_replaced(c)) {
        return PT_OK;
    }
    if (pt_engine_catalog(c->engine) == PT_CATALOG_DUCKDB) {
        return pt_fail(
            err, PT_E_RESTART,
            "the catalog's file %s was replaced under the running process (as by a backup that is "
            "put back) or removed, and DuckDB can open it only in another process; "
            "start pintail again: it goes on from what the file holds, and nothing is lost",
            c->options->lake);
    }
    return pt_fail(err, PT_E_LAKE_DOWN,
                   "the catalog's file is gone, or another one than before, as after a backup that "
                   "was put back");
}
