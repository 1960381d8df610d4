/* A stop that is asked for while the member opens. */
#include "base/signals.h"
#include "ingest/member_internal.h"

int pt_member_check_stop(pt_member *r, pt_error *err) {
    r->stopped = pt_stop_asked();
    return r->stopped ? pt_fail(err, PT_E_INTERRUPTED, "stopped before anything was read") : PT_OK;
}
