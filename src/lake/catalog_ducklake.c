/* DuckLake through DuckDB: the catalog that there is (lake/catalogs.c). Here it is opened, claims
 * partitions and is closed. Its other jobs: catalog_ducklake_attach.c, _commit.c, _fold.c,
 * _settle.c and _table.c. */
#include "lake/catalog_ducklake.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "duck/transaction.h"
#include "duck/uri.h"
#include "lake/claims.h"
#include "lake/data_path.h"
#include "lake/guard.h"
#include "lake/inlined.h"
#include "lake/ledger_form.h"
#include "lake/orphans.h"
#include "lake/table_open.h"

/* ---- a look, before anything is opened ---- */

static int look_for_lake(const pt_lake_options *options, bool *there, pt_error *err) {
    pt_lake_options look = *options;
    pt_engine *engine = NULL;
    look.create = false;
    int code = pt_engine_open(&look, &engine, err);
    pt_engine_close(&engine);
    *there = code == PT_OK;
    return code != PT_OK && pt_error_is(err, PT_WHY_NO_LAKE) ? PT_OK : code;
}

/* ---- claims ---- */

/* Fence first, then read. A file of the ledger may be gone since the answer to the COMMIT of a fold
 * was lost: only now it is clear what the catalog holds. */
int pt_ducklake_raise_and_read(pt_ducklake *c, const pt_claiming *what, pt_error *err) {
    PT_TRY(pt_claims_raise(c->session, c->turnstile, c->base.pipeline, c->base.owner, what->claims,
                           what->n, what->starts, what->tables, err));
    int code = pt_ledger_read(c->session, c->base.pipeline, what->claims, what->n, err);
    uint64_t restored = 0;
    pt_error ignored;
    if (code != PT_OK &&
        pt_guards_restore_table(c->session, c->base.ledger, &restored, &ignored) == PT_OK &&
        restored) {
        pt_log(PT_LOG_WARN, PT_EVENT("data files that a commit of unknown outcome lost are back"),
               PT_STR("table", c->base.ledger->label), PT_INT("files", restored));
        code = pt_ledger_read(c->session, c->base.pipeline, what->claims, what->n, err);
    }
    return code;
}

static int claim(pt_catalog *catalog, const pt_claiming *what, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    if (!c->session) {
        PT_TRY(pt_ducklake_attach(c, err));
    }
    if (!pt_catalog_owns(catalog)) { /* the claims to come are newer */
        c->last_snapshot = -1;
    }
    int code = pt_ducklake_raise_and_read(c, what, err);
    if (code != PT_OK &&
        code != PT_E_LAKE_BUSY) { /* a connection that failed, or a DuckDB that has given up its
                                     catalog file, is not used again */
        pt_ducklake_detach(c);
    }
    return code;
}

/* ---- upkeep ---- */

void pt_ducklake_tend_guards(pt_ducklake *c, bool all) {
    uint64_t restored = 0;
    pt_error err = {0};
    if (c->session && pt_keep_tend(&c->keep, c->session, all, &restored, &err) != PT_OK) {
        pt_log(PT_LOG_WARN, PT_EVENT("second names of data files stay for longer"),
               PT_STR("error", err.text));
    }
    if (restored) {
        pt_log(PT_LOG_WARN,
               PT_EVENT("data files that somebody removed as orphans are back; do not call "
                        "delete_orphaned_files(cleanup_all => true) beside a writer"),
               PT_INT("files", restored));
    }
}

static int64_t tend_at(const pt_catalog *catalog) {
    const pt_ducklake *c = (const pt_ducklake *)catalog;
    return c->session ? pt_keep_due(&c->keep) : INT64_MAX;
}

static int remove_orphans(pt_ducklake *c, pt_upkeep *what, pt_error *err) {
    uint64_t removed = 0;
    int code = pt_orphans_remove(c->session, what->table, what->age_us, &removed, err);
    what->n = (int64_t)removed;
    return code;
}

static int restore_files(pt_ducklake *c, pt_upkeep *what, pt_error *err) {
    uint64_t restored = 0;
    int code = pt_guards_restore_table(c->session, what->table, &restored, err);
    what->n = (int64_t)restored;
    return code;
}

/* What needs no COMMIT that could be left without an answer. */
static int upkeep_at_once(pt_ducklake *c, pt_upkeep *what, pt_error *err) {
    if (what->kind == PT_UPKEEP_TEND) {
        pt_ducklake_tend_guards(c, false);
        return PT_OK;
    }
    PT_TRY(pt_ducklake_check_attached(c, err));
    switch (what->kind) {
    case PT_UPKEEP_COUNT: return pt_inlined_count(c->session, what->table, &what->n, err);
    case PT_UPKEEP_RESTORE: return restore_files(c, what, err);
    case PT_UPKEEP_ORPHANS: return remove_orphans(c, what, err);
    case PT_UPKEEP_FIT:
        return pt_table_spoils_inlined(what->table)
                   ? pt_inlined_forbid(c->session, what->table, err)
                   : PT_OK;
    case PT_UPKEEP_FOLD:
    case PT_UPKEEP_TEND: break;
    }
    return pt_fail(err, PT_E_INTERNAL, "a catalog does not know upkeep %d", (int)what->kind);
}

static pt_outcome upkeep(pt_catalog *catalog, pt_upkeep *what, pt_error *err) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    if (what->kind == PT_UPKEEP_FOLD) {
        return pt_ducklake_fold(c, what, err);
    }
    int code = upkeep_at_once(c, what, err);
    return code == PT_OK ? PT_COMMITTED : code == PT_E_LAKE_BUSY ? PT_TRY_AGAIN : PT_REFUSED;
}

/* ---- open and close ---- */

/* The data folder is ours to make, since what DuckLake makes is not fsynced. */
static int look_for_files(void *arg, pt_error *err) {
    pt_ducklake *c = arg;
    const char *data_path = c->options->data_path;
    PT_TRY(pt_data_path_check(c->session, err));
    return c->options->create && data_path && !pt_path_is_remote(data_path)
               ? pt_make_folders(data_path, err)
               : PT_OK;
}

static pt_session *session_of(pt_catalog *catalog) {
    return pt_ducklake_of(catalog)->session;
}

static void close_it(pt_catalog *catalog) {
    pt_ducklake *c = pt_ducklake_of(catalog);
    pt_ducklake_tend_guards(c, true);
    pt_keep_clear(&c->keep);
    pt_guarded_clear(&c->fold.guarded);
    pt_ducklake_detach(c);
    free(c->seen);
    pt_catalog_end(catalog);
    free(c);
}

static int open_it(pt_ducklake *c, const char *pipeline, const char *owner, pt_error *err) {
    PT_TRY(pt_catalog_begin(&c->base, &pt_catalog_ducklake, pipeline, owner, err));
    PT_TRY(pt_ducklake_attach(c, err));
    PT_TRY(pt_retry_busy(look_for_files, c, err));
    PT_TRY(pt_ledger_create(c->session, err));
    return pt_table_open_own(c->session, "offsets",
                             NULL /* of an older form before the first claim */, &c->base.ledger,
                             err);
}

static int open_new(const pt_lake_options *options, const char *pipeline, const char *owner,
                    pt_catalog **out, pt_error *err) {
    pt_ducklake *c = calloc(1, sizeof *c);
    if (!c) {
        return pt_fail_nomem(err, "the catalog");
    }
    c->options = options;
    c->last_snapshot = -1;
    int code = open_it(c, pipeline, owner, err);
    *out = &c->base;
    if (code != PT_OK) {
        pt_catalog_close(out);
    }
    return code;
}

const pt_catalog_ops pt_catalog_ducklake = {
    .name = "ducklake",
    .erases = true,
    .look = look_for_lake,
    .open = open_new,
    .claim = claim,
    .look_back = pt_ducklake_look_back,
    .commit = pt_ducklake_commit,
    .settle = pt_ducklake_settle,
    .inspect = pt_ducklake_inspect,
    .upkeep = upkeep,
    .tend_at = tend_at,
    .session = session_of,
    .limit_memory = pt_ducklake_limit_memory,
    .plan_table = pt_ducklake_plan_table,
    .make_tables = pt_ducklake_make_tables,
    .open_table = pt_ducklake_open_table,
    .open_own = pt_ducklake_open_own,
    .open_place = pt_ducklake_open_place,
    .look_for_rows = pt_ducklake_look_for_rows,
    .close = close_it,
};
