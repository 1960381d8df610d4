/* Why a group does not take this member. */
#include "kafka/admin.h"
#include "kafka/consumer_internal.h"

#include <stdio.h>
#include <string.h>

#define LOOK_TIMEOUT_MS 3000

typedef struct other_members {
    char strategy[80]; /* by which they share the partitions out; "": not known */
    char client[160];  /* client id and host of one of them */
} other_members;

static void note_members(const rd_kafka_ConsumerGroupDescription_t *group, other_members *out) {
    const char *strategy = rd_kafka_ConsumerGroupDescription_partition_assignor(group);
    (void)snprintf(out->strategy, sizeof out->strategy, "%s", strategy ? strategy : "");
    if (rd_kafka_ConsumerGroupDescription_member_count(group) > 0) {
        const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(group, 0);
        const char *client = rd_kafka_MemberDescription_client_id(m),
                   *host = rd_kafka_MemberDescription_host(m);
        (void)snprintf(out->client, sizeof out->client, "client.id %s, host %s",
                       client ? client : "?", host ? host + (*host == '/') : "?");
    }
}

/* What an older broker, or one that does not let us ask, does not tell stays empty. */
static other_members look_at_members(const pt_consumer *c) {
    other_members others = {0};
    size_t n = 0;
    rd_kafka_event_t *event = pt_group_describe(c->asker, c->options->group, LOOK_TIMEOUT_MS);
    const rd_kafka_ConsumerGroupDescription_t **groups = pt_group_descriptions(event, &n);
    if (n && !rd_kafka_ConsumerGroupDescription_error(groups[0])) {
        note_members(groups[0], &others);
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
    return others;
}

static int other_strategy(const pt_consumer *c, pt_error *err) {
    const other_members others = look_at_members(c);
    const char *ours = pt_kafka_property(&c->options->client, "partition.assignment.strategy");
    bool known = *others.strategy && *others.client;
    return pt_fail(err, PT_E_KAFKA,
                   "group %s cannot be joined (INCONSISTENT_GROUP_PROTOCOL): %s%s%s share its "
                   "partitions out by %s, this process by %s; give "
                   "this pipeline a --group of its own, stop those members, or share as they do: "
                   "-X partition.assignment.strategy=%s",
                   c->options->group, *others.client ? "its members (" : "its members",
                   others.client, *others.client ? ")" : "",
                   known ? others.strategy : "another strategy", ours ? ours : "cooperative-sticky",
                   known ? others.strategy : "range");
}

int pt_consumer_refused(const pt_consumer *c, rd_kafka_resp_err_t code, pt_error *err) {
    const char *group = c->options->group;
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL: return other_strategy(c, err);
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
        return pt_fail(
            err, PT_E_KAFKA,
            "group %s cannot be joined: the broker does not take -X session.timeout.ms=%s; it has "
            "to lie between its settings "
            "group.min.session.timeout.ms (6000 by default) and group.max.session.timeout.ms",
            group,
            pt_kafka_property(&c->options->client, "session.timeout.ms")
                ? pt_kafka_property(&c->options->client, "session.timeout.ms")
                : "10000");
    case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
        return pt_fail(err, PT_E_KAFKA,
                       "group %s cannot be joined: it has as many members as the broker allows "
                       "(group.max.size)",
                       group);
    default:
        return pt_fail(err, PT_E_KAFKA,
                       "group %s cannot be joined: %s; is something else than a consumer group of "
                       "that name on the broker? Another --group helps then",
                       group, rd_kafka_err2str(code));
    }
}
