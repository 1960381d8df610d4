/* What an error means that comes in the place of records. */
#include <inttypes.h>

#include "base/log.h"
#include "kafka/consumer_internal.h"

/* The handle has failed for good; librdkafka tells so by an event and by a message, whichever comes
 * first. */
int pt_consumer_fatal(pt_consumer *c, pt_error *err) {
    char reason[512] = "";
    const char *instance = pt_kafka_property(&c->options->client, "group.instance.id");
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(c->rk, reason, sizeof reason);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        return pt_fail(err, PT_E_KAFKA,
                       "another process has joined group %s with the same group.instance.id=%s and "
                       "Kafka has given it this one's partitions; "
                       "give each process an id of its own",
                       c->options->group, instance ? instance : "?");
    }
    if (code == RD_KAFKA_RESP_ERR_UNRELEASED_INSTANCE_ID) {
        return pt_fail(err, PT_E_KAFKA,
                       "a process with the same group.instance.id=%s is in group %s, or was until "
                       "it was killed; give each process an id of its own, "
                       "or wait for the end of the broker's session timeout",
                       instance ? instance : "?", c->options->group);
    }
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        return pt_kafka_failed(code, &c->options->client, &c->last_error, c->options->group, err,
                               "group %s", c->options->group);
    }
    return pt_fail(err, PT_E_KAFKA, "the Kafka client cannot go on: %s", reason);
}

/* librdkafka asks for such a batch again and again, or jumps over it. */
static int unreadable(const pt_consumer *c, const rd_kafka_message_t *m, const char *topic,
                      pt_error *err) {
    return pt_fail(
        err, PT_E_KAFKA,
        "topic %s partition %" PRId32 ": the records from offset %" PRId64
        " on cannot be read: %s; everything before is committed. If the broker's copy is "
        "damaged, mend it there (another replica), or go past it, which the ledger records: "
        "pintail reset --group %s --topic %s --partition %" PRId32 " --to OFFSET",
        topic, m->partition, m->offset, rd_kafka_message_errstr(m), c->options->group, topic,
        m->partition);
}

/* Behind the end: records are gone that were there when we read them. Before the beginning, or not
 * known: what was read is good. */
static int out_of_range(pt_consumer *c, const rd_kafka_message_t *m, const char *topic,
                        pt_error *err) {
    int64_t low;
    int64_t high;
    bool behind = m->offset > 0 &&
                  pt_consumer_bounds(c, topic, m->partition, &low, &high, err) == PT_OK &&
                  m->offset > high;
    return pt_fail(err, behind ? PT_E_REWOUND : PT_E_SOURCE,
                   "topic %s partition %" PRId32 ": the broker has no offset %" PRId64
                   " any more (or not yet): %s",
                   topic, m->partition, m->offset, rd_kafka_message_errstr(m));
}

int pt_consumer_judge(pt_consumer *c, const rd_kafka_message_t *m, pt_error *err) {
    const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "?";
    switch (m->err) {
    case RD_KAFKA_RESP_ERR__FATAL: return pt_consumer_fatal(c, err);
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return out_of_range(c, m, topic, err);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return pt_fail(err, PT_E_SOURCE, "topic %s is gone from the broker", topic);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return pt_kafka_failed(m->err, &c->options->client, &c->last_error, NULL, err,
                               m->rkt ? "topic %s" : "a topic", topic);
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return pt_kafka_failed(m->err, &c->options->client, &c->last_error, c->options->group, err,
                               "group %s", c->options->group);
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
    case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND: return pt_consumer_refused(c, m->err, err);
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        pt_log(PT_LOG_WARN,
               PT_EVENT("left the group: no poll for max.poll.interval.ms; joining again"));
        return PT_OK;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    case RD_KAFKA_RESP_ERR_INVALID_MSG: /* not MSG_SIZE_TOO_LARGE: librdkafka takes many answers
                                           without a record (aborted, compacted away) for that, and
                                           goes on */
        return unreadable(c, m, topic, err);
    default:
        if (!m->rkt) { /* of the group */
            pt_kafka_last_error_note(&c->last_error, rd_kafka_message_errstr(m));
        }
        pt_log(PT_LOG_DEBUG, PT_EVENT("broker trouble"),
               PT_STR("error", rd_kafka_message_errstr(m)));
        return PT_OK;
    }
}
