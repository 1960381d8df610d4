#include "lake/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/path.h"
#include "base/text.h"
#include "duck/dictionary.h"
#include "duck/file_names.h"
#include "duck/http_failure.h"
#include "duck/object_store.h"
#include "duck/scan.h"
#include "duck/session.h"
#include "duck/uri.h"
#include "duck/uuid.h"
#include "lake/file_mark.h"
#include "lake/inlined.h"

/* Of the memory limit: each thread buffers a row group, and encodes it into pages beside that
 * double in size. */
#define GROUP_SHARE 6

struct pt_stager {
    pt_engine *engine;
    pt_session *session;
    pt_scan *scan;
    pt_dictionaries *dictionaries; /* of the slice that is being written */
    bool new_values;               /* have come where none was expected */
    bool minus_zero;      /* one has come while a file was being written with dictionaries */
    bool plain;           /* the last file has no dictionary of numbers */
    uint64_t group_bytes; /* a row group is written at this size, so that large rows fit into the
                             memory limit; 0: no limit */
};

int pt_stager_open(const pt_lake_options *options, bool remote, pt_stager **out, pt_error *err) {
    pt_stager *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        return pt_fail_nomem(err, "the stager");
    }
    pt_lake_options o = *options;
    o.lake = NULL;
    o.pulse = NULL; /* the committer's */
    s->group_bytes = o.memory_limit / GROUP_SHARE / (o.threads ? o.threads : 1);
    o.load = remote ? PT_LOAD_REMOTE : PT_LOAD_NOTHING;
    int code = pt_engine_open(&o, &s->engine, err);
    if (code == PT_OK) {
        code = pt_session_open(s->engine, &s->session, err);
    }
    if (code == PT_OK) {
        code = pt_session_run(s->session, "SET preserve_insertion_order = false", err);
    }
    if (code == PT_OK) {
        code = pt_scan_new(s->session, &s->scan, err);
    }
    if (code == PT_OK) {
        s->dictionaries = pt_dictionaries_new();
        code = s->dictionaries ? PT_OK : pt_fail_nomem(err, "the stager");
    }
    if (code != PT_OK) {
        pt_stager_close(&s);
    }
    *out = s;
    return code;
}

void pt_stager_close(pt_stager **stager) {
    pt_stager *s = *stager;
    if (s) {
        pt_session_close(&s->session);
        pt_engine_close(&s->engine);
        pt_scan_free(&s->scan);
        pt_dictionaries_free(&s->dictionaries);
        free(s);
        *stager = NULL;
    }
}

static bool has_json(const pt_type *type) {
    bool has = type->id == PT_JSON;
    for (size_t i = 0; i < type->n_fields && !has; i++) {
        has = has_json(&type->fields[i].type);
    }
    return has;
}

/* JSON vectors, also those inside of nested values, are plain VARCHAR here and must be JSON in the
 * file. */
static int add_select(pt_text *sql, const pt_table *t, pt_error *err) {
    pt_text_add(sql, "SELECT * ");
    const char *separator = "REPLACE (";
    for (size_t i = 0; i < t->n_columns; i++) {
        if (has_json(&t->types[i])) {
            char *type = pt_type_sql(&t->types[i]);
            if (!type) {
                return pt_fail_nomem(err, "a statement");
            }
            pt_text_add(sql, separator);
            pt_text_add_sql_name(sql, t->names[i]);
            pt_text_addf(sql, "::%s AS ", type);
            pt_text_add_sql_name(sql, t->names[i]);
            free(type);
            separator = ", ";
        }
    }
    pt_text_add(sql,
                strcmp(separator, ", ") == 0 ? ") FROM pintail_rows(0)" : "FROM pintail_rows(0)");
    return PT_OK;
}

/* Once a batch that was being filled has brought a value that its first rows had not, this is not
 * tried again: a file would be begun for nothing. */
static void show(pt_stager *s, const pt_slice *slice) {
    const pt_table *t = slice->table;
    bool coded =
        !slice->piece &&
        (!s->new_values ||
         pt_rows_complete(
             slice->rows)); /* else the statistics of a piece would be those of all values */
    if (coded) {
        pt_dictionaries_make(s->dictionaries, slice->rows, t->types);
    }
    pt_scan_show_coded(s->scan, 0, slice->rows, t->types, t->names, coded ? s->dictionaries : NULL);
}

/* DuckDB's dictionary takes 0.0 and -0.0 for one value, so a file that may hold a -0.0 has none.
 * What a batch that is still being filled will bring is not known. */
static bool wants_plain(const pt_stager *s, const pt_slice *slice) {
    return pt_rows_complete(slice->rows) ? pt_rows_has_minus_zero(slice->rows) : s->minus_zero;
}

static int write_file(pt_stager *s, const pt_slice *slice, const char *path, pt_error *err) {
    const pt_table *t = slice->table;
    pt_text sql = {0};
    s->plain = wants_plain(s, slice);
    show(s, slice);
    pt_text_add(&sql, "COPY (");
    int code = add_select(&sql, t, err);
    pt_slice_add_where(slice, &sql);
    pt_text_add(&sql, ") TO ");
    pt_text_add_sql_string(&sql, path);
    pt_text_addf(&sql,
                 " (FORMAT parquet, DICTIONARY_SIZE_LIMIT %d, WRITE_BLOOM_FILTER false, "
                 "ROW_GROUP_SIZE %" PRIu64 ", USE_TMP_FILE false%s",
                 s->plain ? 0 : 1000, t->settings.group_rows, t->settings.copy);
    uint64_t bytes = t->settings.group_bytes &&
                             (!s->group_bytes || t->settings.group_bytes < s->group_bytes)
                         ? t->settings.group_bytes
                         : s->group_bytes;
    if (bytes) {
        pt_text_addf(&sql, ", ROW_GROUP_SIZE_BYTES %" PRIu64, bytes);
    }
    pt_text_add(&sql, ")");
    code = code == PT_OK ? pt_text_check(&sql, err) : code;
    if (code == PT_OK) {
        code = pt_session_run(s->session, pt_text_get(&sql), err);
    }
    pt_text_free(&sql);
    if (code == PT_OK && pt_failpoint("stage.written")) {
        code = pt_fail(err, PT_E_LAKE_DOWN, "failpoint: No space left on device");
    }
    if (code == PT_OK && !pt_path_is_remote(path)) {
        code = pt_sync_file(path, err);
    }
    if (code != PT_OK) {
        if (!pt_path_is_remote(path)) {
            (void)unlink(path);
        }
        const char *said = t->settings.rest ? t->settings.rest : "";
        return pt_fail_in(err, "staging rows for table %s%s%s%s as %s%s", t->label,
                          *said ? " by the lake's settings (" : "", said, *said ? ")" : "", path,
                          pt_object_store_advice(err->text));
    }
    return PT_OK;
}

static int stage_part(pt_stager *s, pt_slice *slice, pt_error *err) {
    char uuid[PT_UUID_SIZE];
    PT_TRY(pt_uuid_now(s->session, uuid, err));
    char *path = NULL;
    char *spelled = pt_rule_broken("catalog-path") ? realpath(slice->table->folder, NULL) : NULL;
    char mark[PT_MARK_DIGITS + 1];
    pt_file_mark(slice->table, mark);
    int n = spelled ? asprintf(&path, "%s/%s-%s.pq", spelled, uuid, mark)
                    : asprintf(&path, "%s%s-%s.pq", slice->table->folder, uuid, mark);
    free(spelled);
    if (n < 0) {
        return pt_fail_nomem(err, "a path");
    }
    int code = write_file(s, slice, path, err);
    if (code != PT_OK) {
        free(path);
        return code;
    }
    slice->staged = path;
    (void)pt_failpoint("stage.synced");
    return PT_OK;
}

/* Else it is inserted. */
static bool may_be_staged(const pt_slice *slice) {
    return slice->table->way == PT_WAY_REGISTER && !pt_rule_broken("staging");
}

int pt_stage_ahead(pt_stager *stager, pt_flush *flush, size_t slice_at, pt_error *err) {
    pt_slice *slice = &flush->slices[slice_at];
    if (!may_be_staged(slice)) { /* it is big already, and its rows are not looked at but as
                                    pt_rows_follow shows them */
        return PT_OK;
    }
    (void)pt_failpoint("stage.before");
    int code = stage_part(stager, slice, err);
    stager->new_values |= code != PT_OK && pt_error_is(err, PT_WHY_NEW_VALUE);
    PT_TRY(code);
    if (!pt_rows_complete(slice->rows)) {
        pt_unstage(stager->session, flush);
    } else if (!stager->plain &&
               pt_rows_has_minus_zero(
                   slice->rows)) { /* it is written anew with the rest of the flush */
        stager->minus_zero = true;
        pt_unstage(stager->session, flush);
    }
    return PT_OK;
}

int pt_stage(pt_stager *stager, pt_flush *flush, pt_error *err) {
    int64_t start = pt_monotonic_us();
    (void)pt_failpoint("stage.before");
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_slice *slice = &flush->slices[i];
        if (may_be_staged(slice) && !slice->staged && pt_slice_rows(slice) &&
            !pt_inlined_slice(slice)) {
            PT_TRY(stage_part(stager, slice, err));
        }
    }
    flush->stage_us += pt_monotonic_us() - start;
    return PT_OK;
}

pt_session *pt_stager_session(pt_stager *stager) {
    return stager->session;
}

void pt_unstage(pt_session *session, pt_flush *flush) {
    for (size_t i = 0; i < flush->n_slices; i++) {
        pt_slice *slice = &flush->slices[i];
        if (slice->staged) {
            int ignored = pt_files_remove(session, &(const char *){slice->staged}, 1, NULL);
            (void)ignored;
        }
        free(slice->staged);
        slice->staged = NULL;
    }
}
