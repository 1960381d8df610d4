/* Whether the lake's files are where its catalog says: a relative data path counts from the working
 * directory, and a start in another folder would split the lake. */
#pragma once

#include "duck/engine.h"

/* Looks at a few data files on this machine. PT_E_USAGE: the newest ones are not there; that others
 * are not, or the folder of a lake without files, is logged. Not when the session can only read an
 * object store. */
int pt_data_path_check(pt_session *session, pt_error *err) PT_CHECKED;
