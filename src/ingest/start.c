#include "ingest/start.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

/* Warns when a group is new to a topic and the table has rows: they may be the same ones. */
static void warn_repeats(pt_reader *r, const pt_assigned *a) {
    pt_route *route = pt_reader_route(r, a->topic);
    if (route->repeats) {
        route->repeats = false;
        pt_log(PT_LOG_WARN,
               PT_EVENT(r->options->start.kind == PT_WHERE_LATEST
                            ? "the table already has rows, and this group is new to the topic: it "
                              "begins at the topic's end"
                        : r->options->start.kind == PT_WHERE_EARLIEST
                            ? "the table already has rows, and this group is new to the topic: it "
                              "reads all of it"
                            : "the table already has rows, and this group is new to the topic: it "
                              "begins at --start"),
               PT_STR("table", route->table->label), PT_STR("topic", a->topic),
               PT_STR("group", r->pipeline));
    }
}

#define WAYS_OUT \
    "; ways out: pintail reset (begin the topic anew in this group), or another --group"

/* The ledger's offset must be of this very topic: of the same cluster and, where the broker knows
 * topic ids, of the same id. */
static int check_source(pt_reader *r, const pt_assigned *a, const pt_claim *claim, pt_error *err) {
    const pt_route *route = pt_reader_route(r, a->topic);
    const char *cluster = r->cluster_id;
    if (*claim->cluster_id && *cluster && strcmp(claim->cluster_id, cluster) != 0) {
        return pt_fail(err, PT_E_KAFKA,
                       "topic %s partition %" PRId32 ": the lake's offset %" PRId64
                       " is of cluster %s, this is cluster %s (offsets %" PRId64 " to %" PRId64
                       ")" WAYS_OUT,
                       a->topic, a->partition, claim->next_offset, claim->cluster_id, cluster,
                       a->low, a->high);
    }
    if (*claim->topic_id && *route->topic_id && strcmp(claim->topic_id, route->topic_id) != 0) {
        return pt_fail(err, PT_E_KAFKA,
                       "topic %s partition %" PRId32
                       " was deleted and made anew: the lake's offset %" PRId64
                       " is of the old topic (id %s), the new one (id %s) has offsets %" PRId64
                       " to %" PRId64 WAYS_OUT,
                       a->topic, a->partition, claim->next_offset, claim->topic_id, route->topic_id,
                       a->low, a->high);
    }
    if (claim->next_offset > a->high) {
        return pt_fail(err, PT_E_KAFKA,
                       "topic %s partition %" PRId32 ": the lake stands at offset %" PRId64
                       " but the broker ends at %" PRId64
                       ": the topic was made anew or has lost records" WAYS_OUT,
                       a->topic, a->partition, claim->next_offset, a->high);
    }
    return PT_OK;
}

int pt_start_find(pt_reader *r, const pt_assigned *a, const pt_claim *claim, int64_t *start,
                  int64_t *skipped_from, pt_error *err) {
    *skipped_from = -1;
    warn_repeats(r, a);
    if (claim->next_offset <
        0) { /* --start elsewhere is in the ledger since the pipeline's first claim of the topic;
                one that began at the first records, and had none yet, still does */
        *start = a->low;
        return PT_OK;
    }
    PT_TRY(check_source(r, a, claim, err));
    *start = claim->next_offset;
    if (claim->next_offset >= a->low) {
        return PT_OK;
    }
    if (r->options->on_missing == PT_ON_MISSING_FAIL) {
        return pt_fail(err, PT_E_KAFKA,
                       "topic %s partition %" PRId32 ": the lake stands at offset %" PRId64
                       " but the broker begins at %" PRId64 ": %" PRId64
                       " offsets were deleted before they were read (retention); ways out: "
                       "--on-missing-data skip goes on and records the jump, "
                       "pintail reset, or another --group",
                       a->topic, a->partition, claim->next_offset, a->low,
                       a->low - claim->next_offset);
    }
    pt_log(PT_LOG_WARN, PT_EVENT("records were deleted before they were read; skipping them"),
           PT_STR("topic", a->topic), PT_INT("partition", a->partition),
           PT_INT("from", claim->next_offset), PT_INT("to", a->low));
    *skipped_from = claim->next_offset;
    *start = a->low;
    return PT_OK;
}
