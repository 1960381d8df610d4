#include "ingest/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define FAR 100000 /* offsets without a record that are fetched again for a proof */

static bool known_epoch(const pt_claim *c) {
    return c->leader_epoch >= 0 && c->read_to > 0;
}

void pt_verify_begin(pt_partition *p, const pt_claim *c, pt_assigned *a) {
    p->began = p->next;
    p->verify_at = p->last_offset = -1;
    p->last_us = INT64_MIN;
    p->last_epoch = -1;
    a->start = p->next;
    a->epoch = -1;
    if (c->read_to < 0 || c->read_to > p->next ||
        p->next - c->read_from > FAR + (c->read_to - c->read_from)) {
        return;
    }
    if (c->last_offset >= a->low && c->last_offset >= 0) {
        p->verify_at = p->last_offset = a->start = c->last_offset;
        p->last_us = c->last_us;
        p->last_epoch = c->last_offset == c->read_to - 1 ? c->leader_epoch : -1;
    } else if (known_epoch(c) && c->read_to >= a->low) {
        a->start = c->read_to;
        a->epoch = c->leader_epoch;
    }
}

/* ---- what the error says ---- */

#define WAYS_OUT                                                                                  \
    "; the lake's rows from where the two part on are not in the topic any more. Ways out: "      \
    "pintail reset --group %s --topic %s --partition %" PRId32 " --to OFFSET "                    \
    "--delete-rows takes back what the lake has from there on and reads the topic's (without it " \
    "those rows stay), or another --group"

/* Nothing was read since the claim: it is the lake's own record. */
static int code_for(const pt_partition *p) {
    return p->next == p->began ? PT_E_KAFKA : PT_E_REWOUND;
}

static void describe(int32_t epoch, int64_t us, char *out, size_t size) {
    char time[40] = "no time";
    if (us != INT64_MIN) {
        pt_format_time(us, time, sizeof time);
    }
    if (epoch >= 0) {
        (void)snprintf(out, size, "leader epoch %" PRId32 ", %s", epoch, time);
    } else {
        (void)snprintf(out, size, "%s", time);
    }
}

static int differs(const char *pipeline, const pt_route *route, const pt_partition *p,
                   const pt_records *run, const pt_record *record, pt_error *err) {
    char ours[80];
    char theirs[80];
    describe(p->last_epoch, p->last_us, ours, sizeof ours);
    describe(run->leader_epoch, record->timestamp_us, theirs, sizeof theirs);
    return pt_fail(
        err, code_for(p),
        "topic %s partition %" PRId32
        ": the log went back (unclean leader election, or a restored disk?): at offset %" PRId64
        " %s read another record (%s) "
        "than the broker has there (%s), and stands at offset %" PRId64 WAYS_OUT,
        route->topic, run->partition, p->last_offset,
        p->next == p->began ? "the lake" : "this process", ours, theirs, p->next, pipeline,
        route->topic, run->partition);
}

/* ---- proofs ---- */

pt_place pt_verify_place(const pt_route *route, const pt_partition *p, int32_t number) {
    return (pt_place){route->topic, number, p->last_offset + 1, p->last_epoch};
}

int pt_verify_see(const char *pipeline, const pt_route *route, pt_partition *p,
                  const pt_records *run, const pt_record *record, pt_proof *proof, pt_error *err) {
    int64_t offset = record ? record->offset : run->position;
    int64_t at = p->verify_at;
    *proof = PT_PROOF_OVER;
    if (offset < at ||
        (!record && offset == at)) { /* a new leader may not show all of its log at once (KIP-207):
                                        nothing is taken before the proof */
        *proof = record ? PT_PROOF_OVER : PT_PROOF_AWAITED;
        return PT_OK;
    }
    p->verify_at = -1;
    if (!record || offset > at) { /* compacted away, or deleted: only its epoch can be asked for */
        *proof = p->last_epoch < 0 ? PT_PROOF_OVER : PT_PROOF_REFETCH;
        return PT_OK;
    }
    int32_t epoch = run->leader_epoch;
    bool same = record->timestamp_us == p->last_us &&
                (epoch < 0 || p->last_epoch < 0 || epoch == p->last_epoch);
    return same ? PT_OK : differs(pipeline, route, p, run, record, err);
}

int pt_verify_cut(const char *pipeline, pt_route *route, const pt_polled *cut, pt_error *err) {
    int32_t partition = cut->records.partition;
    const pt_partition *p = pt_route_partition(route, partition);
    if (!p || !p->assigned) {
        return PT_OK;
    }
    char theirs[120] = "has no records of the leader epoch that was read last";
    if (cut->end >= 0) {
        (void)snprintf(theirs, sizeof theirs,
                       "ends at offset %" PRId64 " (leader epoch %" PRId32
                       ") for the leader epoch that was read last",
                       cut->end, cut->epoch);
    }
    return pt_fail(
        err, cut->end >= p->began ? PT_E_REWOUND : code_for(p),
        "topic %s partition %" PRId32
        ": the log went back (unclean leader election, or a restored disk?): the broker's "
        "%s, and %s stands at offset %" PRId64 WAYS_OUT,
        route->topic, partition, theirs, p->next == p->began ? "the lake" : "this process", p->next,
        pipeline, route->topic, partition);
}

int pt_verify_again(const pt_route *routes, size_t n_routes, pt_place **places, size_t *n,
                    pt_error *err) {
    size_t room = 1;
    *n = 0;
    for (size_t i = 0; i < n_routes; i++) {
        room += (size_t)routes[i].n_partitions;
    }
    if (!(*places = calloc(room, sizeof **places))) {
        return pt_fail_nomem(err, "a list of partitions");
    }
    for (size_t i = 0; i < n_routes; i++) {
        for (int32_t k = 0; k < routes[i].n_partitions; k++) {
            pt_partition *p = &routes[i].partitions[k];
            if (p->assigned) {
                p->verify_at = p->last_offset;
                (*places)[(*n)++] = (pt_place){routes[i].topic, k,
                                               p->last_offset >= 0 ? p->last_offset : p->next, -1};
            }
        }
    }
    return PT_OK;
}
