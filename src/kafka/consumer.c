#include "kafka/consumer_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define SEEK_TIMEOUT_MS 5000

static pt_consumer *of_handle(rd_kafka_t *rk);

/* ---- rebalances ---- */

static void fail(pt_consumer *c, const pt_error *err) {
    if (!c->failed) {
        c->failed = true;
        c->why = *err;
    }
}

static pt_assigned *describe(const rd_kafka_topic_partition_list_t *list) {
    pt_assigned *partitions = calloc((size_t)list->cnt + 1, sizeof *partitions);
    for (int i = 0; partitions && i < list->cnt; i++) {
        partitions[i] = (pt_assigned){.topic = list->elems[i].topic,
                                      .partition = list->elems[i].partition,
                                      .low = -1,
                                      .high = -1,
                                      .epoch = -1};
    }
    return partitions;
}

static int ask_start(pt_consumer *c, rd_kafka_topic_partition_list_t *list, pt_assigned *partitions,
                     pt_error *err) {
    if (!partitions) {
        return pt_fail_nomem(err, "an assignment");
    }
    PT_TRY(c->events.assigned(c->events.arg, partitions, (size_t)list->cnt, err));
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = partitions[i].start;
        if (partitions[i].epoch >= 0) {
            rd_kafka_topic_partition_t *at =
                rd_kafka_topic_partition_list_add(c->confirm, partitions[i].topic,
                                                  partitions[i].partition);
            at->offset = partitions[i].start;
            rd_kafka_topic_partition_set_leader_epoch(at, partitions[i].epoch);
        }
    }
    return PT_OK;
}

/* The group's name for this process; "": it is in none. */
static void read_member(rd_kafka_t *rk, char *out, size_t size) {
    char *id = rd_kafka_memberid(rk);
    (void)snprintf(out, size, "%s", id ? id : "");
    if (id) {
        rd_kafka_mem_free(rk, id);
    }
}

/* A static member whose session ended while it was joining is taken back under another name, and
 * librdkafka tells nobody that others had its partitions meanwhile. */
static void look_at_member(pt_consumer *c) {
    char member[sizeof c->member];
    read_member(c->rk, member, sizeof member);
    if (c->held > 0 && c->member[0] && strcmp(c->member, member) != 0) {
        pt_error err = {0};
        int ignored = pt_fail(&err, PT_E_FENCED,
                              "the group had given up this process, and may have given its "
                              "partitions to others; going on from the lake");
        (void)ignored;
        c->events.revoked(c->events.arg, NULL, 0, true);
        fail(c, &err);
    }
    (void)snprintf(c->member, sizeof c->member, "%s", member);
}

static bool cooperative(rd_kafka_t *rk) {
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static void check_assign(pt_consumer *c, rd_kafka_error_t *error, rd_kafka_resp_err_t code) {
    pt_error err;
    if (error) {
        int ignored = pt_fail(&err, PT_E_KAFKA, "librdkafka refused an assignment: %s",
                              rd_kafka_error_string(error));
        (void)ignored;
        rd_kafka_error_destroy(error);
        fail(c, &err);
    } else if (code) {
        int ignored = pt_fail(&err, PT_E_KAFKA, "librdkafka refused an assignment: %s",
                              rd_kafka_err2str(code));
        (void)ignored;
        fail(c, &err);
    }
}

static void on_assign(pt_consumer *c, rd_kafka_topic_partition_list_t *list) {
    pt_error err = {0};
    look_at_member(c);
    c->held += list->cnt;
    pt_assigned *partitions = describe(list);
    if (!c->failed && ask_start(c, list, partitions, &err) != PT_OK) {
        fail(c, &err);
    }
    free(partitions);
    if (c->failed) { /* nothing is fetched; the poll that follows reports why */
        for (int i = 0; i < list->cnt; i++) {
            list->elems[i].offset = RD_KAFKA_OFFSET_END;
        }
    }
    if (cooperative(c->rk)) {
        check_assign(c, rd_kafka_incremental_assign(c->rk, list), 0);
    } else {
        check_assign(c, NULL, rd_kafka_assign(c->rk, list));
    }
}

static void on_revoke(pt_consumer *c, rd_kafka_topic_partition_list_t *list) {
    for (int i = 0; i < list->cnt; i++) {
        (void)rd_kafka_topic_partition_list_del(c->confirm, list->elems[i].topic,
                                                list->elems[i].partition);
    }
    pt_assigned *partitions = describe(list);
    if (partitions) {
        c->events.revoked(c->events.arg, partitions, (size_t)list->cnt,
                          rd_kafka_assignment_lost(c->rk));
    } else { /* which they are cannot be told: all of them are given up */
        pt_error err;
        int ignored = pt_fail_nomem(&err, "a revocation");
        (void)ignored;
        c->events.revoked(c->events.arg, NULL, 0, true);
        fail(c, &err);
    }
    free(partitions);
    c->held -= list->cnt;
    pt_consumer_commit_rest(c);
    if (cooperative(c->rk)) {
        check_assign(c, rd_kafka_incremental_unassign(c->rk, list), 0);
    } else {
        check_assign(c, NULL, rd_kafka_assign(c->rk, NULL));
    }
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque) {
    pt_kafka_last_error *last_error = opaque;
    (void)last_error;
    pt_consumer *c = of_handle(rk);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        on_assign(c, list);
    } else {
        on_revoke(c, list);
    }
}

/* The opaque of every client is its trouble, which is a member here. */
static pt_consumer *of_handle(rd_kafka_t *rk) {
    return (pt_consumer *)(void *)((char *)rd_kafka_opaque(rk) - offsetof(pt_consumer, last_error));
}

/* ---- open and close ---- */

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

static int set_properties(const pt_consumer_options *o, rd_kafka_conf_t *conf, pt_error *err) {
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
    int code = set_properties(options, conf, err);
    rd_kafka_conf_destroy(conf);
    return code;
}

int pt_consumer_open(const pt_consumer_options *options, const pt_consumer_events *events,
                     pt_consumer **out, pt_error *err) {
    pt_consumer *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c || !(c->topics = calloc(options->n_topics, sizeof *c->topics))) {
        free(c);
        return pt_fail_nomem(err, "the consumer");
    }
    c->options = options;
    c->events = *events;
    (void)pthread_mutex_init(&c->lock, NULL);
    c->confirm = rd_kafka_topic_partition_list_new(0);
    pt_kafka_last_error_init(&c->last_error);
    int code = pt_consumer_look_at_cluster(c, err);
    if (code != PT_OK) {
        pt_consumer_close(&c);
    }
    *out = c;
    return code;
}

void pt_consumer_leave(pt_consumer *c) {
    pt_consumer_commit_rest(c);
    pthread_mutex_lock(&c->lock);
    if (c->queue) {
        rd_kafka_queue_destroy(c->queue);
        c->queue = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    if (c->rk && !rd_kafka_consumer_closed(c->rk)) {
        (void)rd_kafka_consumer_close(c->rk);
    }
}

void pt_consumer_close(pt_consumer **consumer) {
    pt_consumer *c = *consumer;
    if (c) {
        pt_consumer_leave(c);
        if (c->rk) {
            rd_kafka_destroy(c->rk);
        }
        if (c->asker) {
            rd_kafka_destroy(c->asker);
        }
        if (c->offsets) {
            rd_kafka_topic_partition_list_destroy(c->offsets);
        }
        rd_kafka_topic_partition_list_destroy(c->confirm);
        (void)pthread_mutex_destroy(&c->lock);
        free(c->topics);
        free(c);
        *consumer = NULL;
    }
}

/* The handle of the member. It carries the group's name and the lake's stamp, which are known only
 * when the lake is open. */
static int open_member(pt_consumer *c, pt_error *err) {
    rd_kafka_conf_t *conf = NULL;
    PT_TRY(pt_kafka_conf_new(&c->options->client, &c->last_error, &conf, err));
    int code = set_properties(c->options, conf, err);
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    PT_TRY(pt_kafka_new(RD_KAFKA_CONSUMER, conf, &c->rk, err));
    (void)rd_kafka_poll_set_consumer(c->rk);
    c->queue = rd_kafka_queue_get_consumer(c->rk);
    return PT_OK;
}

int pt_consumer_subscribe(pt_consumer *c, pt_error *err) {
    PT_TRY(open_member(c, err));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(
        (int)c->options->n_topics);
    for (size_t i = 0; i < c->options->n_topics; i++) {
        (void)rd_kafka_topic_partition_list_add(list, c->options->topics[i], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? pt_fail(err, PT_E_KAFKA, "group %s cannot be joined: %s", c->options->group,
                          rd_kafka_err2str(code))
                : PT_OK;
}

/* ---- messages ---- */

/* The handle has failed for good; librdkafka tells so by an event and by a message, whichever comes
 * first. */
static int fatal(pt_consumer *c, pt_error *err) {
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

static void confirm_epochs(pt_consumer *c);

int pt_consumer_poll(pt_consumer *c, int timeout_ms, rd_kafka_message_t **messages, size_t max,
                     size_t *n, pt_error *err) {
    confirm_epochs(c);
    ssize_t got = rd_kafka_consume_batch_queue(c->queue, timeout_ms, messages, max);
    *n = got > 0 ? (size_t)got : 0;
    if (c->failed) {
        *err = c->why;
        return (int)c->why.code;
    }
    return pt_kafka_last_error_fatal(&c->last_error) ? fatal(c, err) : PT_OK;
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
    case RD_KAFKA_RESP_ERR__FATAL: return fatal(c, err);
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

static void on_whole_assignment(pt_consumer *c,
                                rd_kafka_resp_err_t (*verb)(rd_kafka_t *,
                                                            rd_kafka_topic_partition_list_t *)) {
    rd_kafka_topic_partition_list_t *list = NULL;
    if (!rd_kafka_assignment(c->rk, &list)) {
        (void)verb(c->rk, list);
        rd_kafka_topic_partition_list_destroy(list);
    }
}

static rd_kafka_topic_partition_list_t *list_of(const pt_place *places, size_t n) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, places[i].topic,
                                                                           places[i].partition);
        at->offset = places[i].offset;
        rd_kafka_topic_partition_set_leader_epoch(at, places[i].epoch);
    }
    return list;
}

int pt_consumer_seek(pt_consumer *c, const pt_place *places, size_t n, pt_error *err) {
    rd_kafka_topic_partition_list_t *list = list_of(places, n);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(c->rk, list, SEEK_TIMEOUT_MS);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    int at = 0;
    while (!code && at < list->cnt && !(code = list->elems[at].err)) {
        at++;
    }
    const pt_place *where = &places[at < (int)n ? at : 0];
    if (error) {
        rd_kafka_error_destroy(error);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code
               ? pt_fail(err, PT_E_KAFKA_DOWN,
                         "topic %s partition %" PRId32 ": cannot go back to offset %" PRId64 ": %s",
                         where->topic, where->partition, where->offset, rd_kafka_err2str(code))
               : PT_OK;
}

/* An assignment alone does not ask the broker for the epoch: only a seek does, once fetching has
 * begun. */
static void confirm_epochs(pt_consumer *c) {
    if (c->confirm->cnt == 0) {
        return;
    }
    rd_kafka_error_t *error = rd_kafka_seek_partitions(c->rk, c->confirm, SEEK_TIMEOUT_MS);
    for (int i = c->confirm->cnt - 1; !error && i >= 0; i--) {
        if (c->confirm->elems[i].err != RD_KAFKA_RESP_ERR__STATE &&
            c->confirm->elems[i].err != RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS) {
            (void)rd_kafka_topic_partition_list_del_by_idx(c->confirm, i);
        }
    }
    if (error) {
        rd_kafka_error_destroy(error);
    }
}

bool pt_consumer_truncated(const rd_kafka_message_t *m, int64_t *end, int32_t *epoch) {
    const char *text = m->rkt ? rd_kafka_message_errstr(m) : "";
    bool inside = m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET &&
                  strstr(text, rd_kafka_err2str(RD_KAFKA_RESP_ERR__LOG_TRUNCATION));
    const char *logged = strstr(text, "broker end offset is ");
    *end = -1;
    *epoch = -1;
    if (logged &&
        sscanf(logged, "broker end offset is %" SCNd64 " (offset leader epoch %" SCNd32 ")", end,
               epoch) != 2) {
        *end = -1;
    }
    return inside || m->err == RD_KAFKA_RESP_ERR__LOG_TRUNCATION;
}

uint64_t pt_consumer_breaks(const pt_consumer *c) {
    return atomic_load_explicit(&c->last_error.breaks, memory_order_acquire);
}

void pt_consumer_pause(pt_consumer *consumer) {
    on_whole_assignment(consumer, rd_kafka_pause_partitions);
}

void pt_consumer_resume(pt_consumer *consumer) {
    on_whole_assignment(consumer, rd_kafka_resume_partitions);
}

bool pt_consumer_last_error(pt_consumer *consumer, char *out, size_t size) {
    return pt_kafka_last_error_read(&consumer->last_error, out, size);
}
