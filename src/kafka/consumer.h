/* A member of a consumer group whose start offsets come from elsewhere (the lake).
 *
 * All calls are the reader thread's, except those that say "any thread". The callbacks run in the
 * reader thread, inside pt_consumer_poll or pt_consumer_leave. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/record.h"
#include "kafka/client.h"

typedef struct pt_consumer pt_consumer;

#define PT_START_LATER (-2) /* not known yet: nothing is fetched until pt_consumer_start */

/* A partition at its assignment. The callback fills start. */
typedef struct pt_assigned {
    const char *topic;
    int32_t partition;
    int64_t low, high; /* out, of pt_consumer_read_bounds */
    int64_t start;     /* out: where fetching begins, or PT_START_LATER */
    int32_t epoch;     /* out: leader epoch of the record before start, which the broker is asked to
                          confirm; -1: it is not asked */
} pt_assigned;

typedef struct pt_consumer_events {
    /* Returns PT_OK with every start filled, or the reason why the run must end. */
    int (*assigned)(void *arg, pt_assigned *partitions, size_t n, pt_error *err);
    /* lost: the group has given the partitions to others already; what is buffered for them must
     * not be committed. */
    void (*revoked)(void *arg, const pt_assigned *partitions, size_t n, bool lost);
    void *arg;
} pt_consumer_events;

typedef struct pt_consumer_options {
    pt_kafka_options client;
    const char *group; /* not needed before pt_consumer_subscribe, nor is stamp */
    const char *stamp; /* id of the lake that is fed: in client.id and in the metadata of the
                          group's offsets; NULL: none */
    const char *const *topics;
    size_t n_topics;
    uint64_t queue_bytes,
        queue_messages;   /* fetched ahead over all partitions, 0: 32 MiB and 1000000 */
    uint64_t fetch_bytes; /* one answer of a broker over all partitions, one record more at most; 0:
                             8 MiB */
    uint64_t poll_bytes;  /* keys and values of what one poll brings, going by the size of the last
                             ones; 0: no bound */
    int64_t timeout_us;   /* for a broker that does not answer at the start */
} pt_consumer_options;

/* PT_E_USAGE for a property that librdkafka does not know or that ingest sets itself. Needs no
 * broker. */
int pt_consumer_check(const pt_consumer_options *options, pt_error *err) PT_CHECKED;

/* Checks that a broker answers and every topic exists; joins nothing yet. options and its strings
 * must outlive the consumer. */
int pt_consumer_open(const pt_consumer_options *options, const pt_consumer_events *events,
                     pt_consumer **out, pt_error *err) PT_CHECKED;

/* "" when the broker does not tell (the mock cluster has no topic ids). */
const char *pt_consumer_cluster_id(const pt_consumer *consumer);
const char *pt_consumer_topic_id(const pt_consumer *consumer, size_t topic);
int32_t pt_consumer_partitions(const pt_consumer *consumer, size_t topic);

/* Any thread. PT_E_SOURCE: a topic is not the one any more that it was when the consumer was
 * opened. What was fetched before a call that returns PT_OK is of the topics as they were; a broker
 * that does not answer or does not tell ids is taken at its word. */
int pt_consumer_check_topics(const pt_consumer *consumer, pt_error *err) PT_CHECKED;

/* First offset and last stable offset of a partition, asked of the broker. */
int pt_consumer_bounds(pt_consumer *consumer, const char *topic, int32_t partition, int64_t *low,
                       int64_t *high, pt_error *err) PT_CHECKED;

/* Fills low and high of all n. For a comparison with the ledger, call it after the ledger was read:
 * another member may be writing it until it is fenced. */
int pt_consumer_read_bounds(pt_consumer *consumer, pt_assigned *partitions, size_t n,
                            pt_error *err) PT_CHECKED;

/* The end of a partition as the last fetch told, without asking; -1 unknown. */
int64_t pt_consumer_known_end(pt_consumer *consumer, const char *topic, int32_t partition);

/* What a group tells of the lakes that it feeds, by their stamps. What no stamp or no broker tells
 * stays empty. */
typedef struct pt_group_lakes {
    char member[400]; /* a live member that feeds another lake, for a message */
    char offsets[64]; /* another lake of which the group's offsets are */
} pt_group_lakes;

/* stamp: of our lake; "" when it is not there yet, then every stamp is another one's. offsets:
 * whether to look at them, too. Does not fail: an old broker, or one that does not let us ask,
 * tells nothing. */
void pt_consumer_look_at_group(const pt_consumer *consumer, const char *group, const char *stamp,
                               bool offsets, pt_group_lakes *out);

/* Joins the group. */
int pt_consumer_subscribe(pt_consumer *consumer, pt_error *err) PT_CHECKED;

/* ---- what was polled ---- */

/* Polls, for at most the timeout or until max records have come (0: as many as poll_bytes allows).
 * The rebalance callbacks run here. What it brings stands behind what earlier polls brought and
 * pt_consumer_next has not handed out yet; it also returns PT_OK with nothing. Fails when a
 * callback failed or the client cannot be used any more. */
int pt_consumer_poll(pt_consumer *consumer, int timeout_ms, size_t max, pt_error *err) PT_CHECKED;

/* What was polled is so much that the next poll would bring nothing. */
bool pt_consumer_is_full(const pt_consumer *consumer);

typedef enum pt_polled_kind {
    PT_POLLED_NOTHING, /* everything has been handed out */
    PT_POLLED_RECORDS,
    PT_POLLED_END, /* nothing visible lies before records.position */
    PT_POLLED_CUT  /* the broker's log was cut below what we have read (KIP-320) */
} pt_polled_kind;

typedef struct pt_polled {
    pt_polled_kind kind;
    pt_records records; /* of END and CUT: topic and partition alone, of END also the position */
    int64_t end;        /* of CUT: where the log of our leader epoch ends; -1: not known */
    int32_t epoch;      /* of CUT: the broker's leader epoch before it; -1: not known */
} pt_polled;

/* Hands out the next of what was polled. Records stay until the next call of this function or of
 * those below; a poll leaves them alone. A broker's error that passes is logged and passed over.
 * Fails when the run must end; PT_E_SOURCE: look again at what the broker has. */
int pt_consumer_next(pt_consumer *consumer, pt_polled *out, pt_error *err) PT_CHECKED;

/* Throws away what was polled and not handed out, errors too. */
void pt_consumer_drop(pt_consumer *consumer);
/* Throws away the records and ends alone: they are to be fetched again. */
void pt_consumer_drop_records(pt_consumer *consumer);

size_t pt_record_headers(const pt_record *record); /* how many */
/* Reads header i of them. Its bytes stay as long as the record. */
void pt_record_header(const pt_record *record, size_t i, pt_header *out);

/* How many connections to brokers have ended by now. The broker behind the next one may have
 * another log. */
uint64_t pt_consumer_breaks(const pt_consumer *consumer);

/* A place that was read, to go on behind. */
typedef struct pt_place {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int32_t epoch; /* leader epoch of the record before, which the broker is asked to confirm; -1:
                      it is not asked */
} pt_place;

/* Goes on at these places; records of the partition that were fetched already are not delivered.
 * Not from a callback. PT_E_KAFKA_DOWN: it does not. */
int pt_consumer_seek(pt_consumer *consumer, const pt_place *places, size_t n,
                     pt_error *err) PT_CHECKED;

/* All partitions; those that wait for pt_consumer_start stay as they are. */
void pt_consumer_pause(pt_consumer *consumer);
void pt_consumer_resume(pt_consumer *consumer);

/* Begins to fetch assigned partitions that waited (PT_START_LATER), each at its start. Not from a
 * callback. PT_E_KAFKA_DOWN: not yet, librdkafka has not got so far; try again after a poll. */
int pt_consumer_start(pt_consumer *consumer, const pt_assigned *partitions, size_t n,
                      pt_error *err) PT_CHECKED;

/* So long the group waits for a member that does not poll (max.poll.interval.ms), in microseconds.
 */
int64_t pt_consumer_poll_interval_us(const pt_kafka_options *options);

/* Any thread. Tells the group how far the lake is, for lag tools only. It does not wait, and nobody
 * hears when it fails. The places' epochs are not used. */
void pt_consumer_commit(pt_consumer *consumer, const pt_place *places, size_t n);

/* The last trouble that librdkafka reported; false: none since the consumer was opened. */
bool pt_consumer_last_error(pt_consumer *consumer, char *out, size_t size);

/* Leaves the group (the revoked callback runs). Of the other calls only those of any thread (a
 * commit does nothing any more) and pt_consumer_close may follow. */
void pt_consumer_leave(pt_consumer *consumer);

/* Leaves the group if that is still to be done, and ends the handle: no other thread may use it any
 * more. */
void pt_consumer_close(pt_consumer **consumer);
