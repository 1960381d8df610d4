/* The auditor: does every committed offset lie in its table or in the dead letters, exactly once,
 * and are the files there?
 *
 * It reads one snapshot of the lake, changes nothing, and knows nothing of the broker: the caller
 * adds what the broker says. */
#pragma once

#include "audit/findings.h"
#include "duck/engine.h"

/* Fills *out, which the caller frees with pt_audit_clear, also after an error. While the catalog is
 * busy it tries again. */
int pt_audit_run(pt_engine *engine, pt_session *session, const pt_audit_options *options,
                 pt_audit *out, pt_error *err) PT_CHECKED;
