/* Every event that the log can show: from this table comes docs/LOG.md (pintail help --log-events),
 * and a test compares it with the calls of pt_log. People parse names and keys, so they stay. */
#pragma once

typedef struct pt_log_event {
    const char *name;    /* the value of msg */
    const char *level;   /* debug, info, warn, error; "info, warn" where it depends */
    const char *keys;    /* beside time, level and msg, in their order; "" for none */
    const char *meaning; /* one sentence without a full stop */
} pt_log_event;

extern const pt_log_event pt_log_events[]; /* name NULL at the end */
