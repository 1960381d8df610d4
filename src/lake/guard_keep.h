/* Guards of files that are committed, for a while longer.
 *
 * Who calls delete_orphaned_files(cleanup_all => true) beside a writer may have listed a file as an
 * orphan before its COMMIT and remove it after that. So a guard goes only when its file is still
 * there some time later; one that is not, and that the catalog names, is brought back. */
#pragma once

#include <stdint.h>

#include "lake/flush.h"

#define PT_GUARD_KEEP ((int64_t)10 * 1000000) /* microseconds */

typedef struct pt_kept pt_kept;

typedef struct pt_keep {
    pt_kept *first, *last; /* owned, oldest first */
    int64_t next_us;       /* monotonic: not looked at before; many are dropped together */
} pt_keep;

/* Files of the table are committed and were there: their guards are kept, and *guarded is empty.
 * Without memory they are left to the next start. */
void pt_keep_add(pt_keep *keep, const pt_table *table, pt_guarded *guarded);
/* When some are old enough, or all of them: looks, brings back, drops. Not in a transaction.
 * *restored counts files. What fails is tried again later. */
int pt_keep_tend(pt_keep *keep, pt_session *session, bool all, uint64_t *restored,
                 pt_error *err) PT_CHECKED;
/* When the next ones are old enough (monotonic); INT64_MAX: there are none. */
int64_t pt_keep_due(const pt_keep *keep);
/* Forgets them; the guards that are left are orphans. */
void pt_keep_clear(pt_keep *keep);
