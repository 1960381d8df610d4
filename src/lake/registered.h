/* How the catalog keeps the path of a staged file.
 *
 * It has to be relative to the table's folder: an absolute path beside a relative data path was
 * taken for an orphan by a cleanup although it was committed. DuckLake makes it relative when it
 * begins with what DuckLake takes for the table's folder, and says nothing when it does not. It
 * writes it down at the COMMIT, so only then can it be seen. */
#pragma once

#include "lake/flush.h"

/* A staged slice that has been committed. *seen: the catalog has the file (others may have merged
 * it away by now). PT_E_LAKE: with another path. */
int pt_registered_check(pt_session *session, const pt_slice *slice, bool *seen,
                        pt_error *err) PT_CHECKED;
