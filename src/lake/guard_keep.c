#include "lake/guard_keep.h"
#include "duck/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "duck/file_names.h"
#include "duck/object_store.h"
#include "lake/guard_internal.h"

#define TOGETHER      PT_SECOND
#define AFTER_FAILURE (30 * PT_SECOND) /* each is logged */

struct pt_kept {
    char *file, *guard;
    int64_t drop_us; /* monotonic */
    pt_kept *next;
};

static void free_kept(pt_kept *kept) {
    free(kept->file);
    free(kept->guard);
    free(kept);
}

void pt_keep_add(pt_keep *keep, const pt_table *table, pt_guarded *guarded) {
    int64_t drop_us = pt_monotonic_us() + PT_GUARD_KEEP;
    for (size_t i = 0; i < guarded->n; i++) {
        pt_kept *kept = calloc(1, sizeof *kept);
        if (!kept || pt_guard_name(table, guarded->files[i], &kept->guard, NULL) != PT_OK) {
            free(kept);
            continue;
        }
        kept->file = guarded->files[i];
        guarded->files[i] = NULL;
        kept->drop_us = drop_us;
        *(keep->last ? &keep->last->next : &keep->first) = kept;
        keep->last = kept;
    }
    pt_guarded_clear(guarded);
}

/* Somebody's merge and cleanup may have removed a file for good. */
static int is_named(pt_session *session, const char *file, bool *named, pt_error *err) {
    const char *slash = strrchr(file, '/');
    int64_t n = 0;
    int code =
        pt_session_exec_int(session, &n, err,
                            "SELECT count(*) FROM (SELECT path FROM @meta.ducklake_data_file "
                            "UNION ALL SELECT path FROM @meta.ducklake_delete_file) "
                            "WHERE parse_filename(path) = ?",
                            PT_VALUES(pt_str(slash ? slash + 1 : file)));
    *named = n > 0;
    return code;
}

static int look(pt_session *session, const pt_kept *kept, uint64_t *restored, pt_error *err) {
    int64_t size;
    bool named;
    PT_TRY(pt_file_size(session, kept->file, &size, err));
    if (size >= 0) {
        return PT_OK;
    }
    PT_TRY(is_named(session, kept->file, &named, err));
    return named ? pt_guard_restore(session, kept->guard, kept->file, restored, err) : PT_OK;
}

/* The first n. */
static int drop(pt_keep *keep, pt_session *session, size_t n, pt_error *err) {
    const char **guards = calloc(n + 1, sizeof *guards);
    if (!guards) {
        return pt_fail_nomem(err, "a list of files");
    }
    size_t i = 0;
    for (const pt_kept *kept = keep->first; i < n; kept = kept->next) {
        guards[i++] = kept->guard;
    }
    int code = n ? pt_files_remove(session, guards, n, err)
                 : PT_OK; /* one that stays is an orphan */
    free(guards);
    for (i = 0; i < n; i++) {
        pt_kept *kept = keep->first;
        keep->first = kept->next;
        keep->last = keep->first ? keep->last : NULL;
        free_kept(kept);
    }
    return code;
}

int pt_keep_tend(pt_keep *keep, pt_session *session, bool all, uint64_t *restored, pt_error *err) {
    int64_t now = pt_monotonic_us();
    *restored = 0;
    if (!keep->first || (!all && (now < keep->next_us || now < keep->first->drop_us))) {
        return PT_OK;
    }
    keep->next_us = now + TOGETHER;
    size_t n = 0;
    int code = PT_OK;
    for (const pt_kept *kept = keep->first; code == PT_OK && kept && (all || kept->drop_us <= now);
         kept = kept->next) {
        code = look(session, kept, restored, err);
        n += code == PT_OK;
    }
    keep->next_us += code == PT_OK ? 0 : AFTER_FAILURE;
    int dropped = drop(keep, session, n, code == PT_OK ? err : NULL);
    return code == PT_OK ? dropped : code;
}

int64_t pt_keep_due(const pt_keep *keep) {
    if (!keep->first) {
        return INT64_MAX;
    }
    return keep->first->drop_us > keep->next_us ? keep->first->drop_us : keep->next_us;
}

void pt_keep_clear(pt_keep *keep) {
    while (keep->first) {
        pt_kept *next = keep->first->next;
        free_kept(keep->first);
        keep->first = next;
    }
    keep->last = NULL;
}
