/* The properties of the client that is a member of the group. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kafka/consumer_internal.h"

static uint64_t bounded(uint64_t value, uint64_t low, uint64_t high) {
    return value < low ? low : value > high ? high : value;
}

/* The lake says where to start and what is done; with another value records would be jumped over,
 * or --until-end would not end. */
static int check_properties(const pt_kafka_options *o, pt_error *err) {
    static const char *const kept[] = {"auto.offset.reset", "enable.auto.commit",
                                       "enable.auto.offset.store", "enable.partition.eof"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (pt_kafka_property(o, kept[i])) {
            return pt_fail(err, PT_E_USAGE,
                           "-X %s: ingest sets it itself, since its offsets are in the lake; leave "
                           "it out (where a new group starts: --start)",
                           kept[i]);
        }
    }
    return PT_OK;
}

int pt_consumer_configure(const pt_consumer_options *o, rd_kafka_conf_t *conf, pt_error *err) {
    PT_TRY(check_properties(&o->client, err));
    char client[80];
    char kbytes[32];
    char messages[32];
    char fetch[32];
    char partition[32];
    uint64_t queue = o->queue_bytes ? o->queue_bytes : (uint64_t)32 << 20;
    uint64_t fetch_bytes = bounded(o->fetch_bytes ? o->fetch_bytes : (uint64_t)8 << 20, 64 << 10,
                                   (uint64_t)1 << 30);
    (void)snprintf(client, sizeof client, "%s%s", o->stamp ? PT_CLIENT_STAMP : "pintail",
                   o->stamp ? o->stamp : "");
    (void)snprintf(kbytes, sizeof kbytes, "%" PRIu64, bounded(queue / 1024, 1, 2097151));
    (void)snprintf(messages, sizeof messages, "%" PRIu64,
                   bounded(o->queue_messages ? o->queue_messages : 1000000, 1, 10000000));
    (void)snprintf(fetch, sizeof fetch, "%" PRIu64, fetch_bytes);
    (void)snprintf(partition, sizeof partition, "%" PRIu64, bounded(fetch_bytes, 1, 1 << 20));
    const char *const values[][2] = {
        {"group.id",
         o->group ? o->group : "pintail"}, /* none yet: only the properties are checked */
        {"client.id", client},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"}, /* the lake says where to start; anything else is a jump */
        {"enable.partition.eof", "true"},
        {"isolation.level", "read_committed"},
        {"fetch.queue.backoff.ms", "5"}, /* the default of one second halves the rate */
        {"fetch.wait.max.ms", "100"},
        {"queued.min.messages", messages},
        {"queued.max.messages.kbytes", kbytes},
        {"message.max.bytes", "1000"}, /* only a producer's; but fetch.max.bytes is raised to it */
        {"fetch.max.bytes", fetch},
        {"fetch.message.max.bytes", partition},
        {"receive.message.max.bytes",
         "2147483647"}, /* a record larger than what was asked for comes alone, whatever its size */
        {"socket.keepalive.enable", "true"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        PT_TRY(pt_kafka_conf_set(conf, values[i][0], values[i][1], err));
    }
    const char *protocol = pt_kafka_property(&o->client, "group.protocol");
    if (!protocol || strcmp(protocol, "consumer") != 0) { /* KIP-848 has the broker decide both */
        PT_TRY(pt_kafka_conf_set(conf, "partition.assignment.strategy", "cooperative-sticky", err));
        PT_TRY(pt_kafka_conf_set(
            conf, "session.timeout.ms", "10000",
            err)); /* after a crash the group waits as long; fences make short safe */
    }
    return pt_kafka_conf_properties(conf, &o->client, err);
}

int pt_consumer_check(const pt_consumer_options *options, pt_error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int code = pt_consumer_configure(options, conf, err);
    rd_kafka_conf_destroy(conf);
    return code;
}
