/* Staged files and guards (lake/guard.h) that no snapshot knows, and with a guard the file that it
 * guards, if no snapshot knows that one either: a process died, or was fenced, between staging and
 * commit.
 *
 * Only pintail's own names for this table (lake/file_mark.h; the time is in the UUID, which is of
 * version 7) directly in a table's own folder are looked at, and only those older than max_age: a
 * live process may hold a younger one that it has yet to commit. */
#pragma once

#include <stdint.h>

#include "lake/table.h"

/* Removes them and counts them, on a disk and on an object store. */
int pt_orphans_remove(pt_session *session, const pt_table *table, int64_t max_age_us,
                      uint64_t *removed, pt_error *err) PT_CHECKED;
