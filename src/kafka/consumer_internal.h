/* What the files of the consumer share: its handle, and what it knows of its topics. */
#pragma once

#include <pthread.h>

#include "kafka/cluster.h"
#include "kafka/consumer.h"
#include "kafka/handle.h"

/* The lake's id follows: in a client id, and in the metadata of offsets. */
#define PT_CLIENT_STAMP "pintail-"
#define PT_OFFSET_STAMP "pintail lake "

#define PT_POLL_MOST  20000 /* messages that one poll brings */
#define PT_POLL_MORE  4096  /* that others may bring before the first ones are handed out */
#define PT_POLL_FIRST 100   /* while the size of the records is not known */
/* They are given back before the next ones are looked at: in the cache. */
#define PT_RUN_RECORDS 128

typedef struct pt_topic_facts {
    int32_t partitions;
    pt_topic_id id;
} pt_topic_facts;

struct pt_consumer {
    const pt_consumer_options *options;
    pt_consumer_events events;
    pt_kafka_last_error last_error;
    rd_kafka_t *rk;     /* the member of the group; NULL before it joins */
    rd_kafka_t *asker;  /* with connections of its own: on those of rk a question waits behind the
                           fetch that is under way, up to fetch.wait.max.ms */
    pt_cluster cluster; /* of the asker */
    rd_kafka_queue_t *queue;
    char cluster_id[128];
    pt_topic_facts *topics;
    rd_kafka_topic_partition_list_t
        *confirm; /* assigned, and the broker is still to be asked for their leader epoch */
    rd_kafka_topic_partition_list_t *later; /* assigned, and paused until pt_consumer_start */
    bool failed;                            /* a callback failed; why says how */
    pt_error why;
    char member[256]; /* the group's name for this process at the last assignment */
    int held;         /* partitions */
    /* What was polled, in order: [0, first) handed out and given back, [first, next) out, then up
     * to n_messages to be handed out. */
    rd_kafka_message_t **messages; /* [PT_POLL_MOST + PT_POLL_MORE] */
    size_t first, next, n_messages;
    pt_record *records;                      /* [PT_RUN_RECORDS] of the run that is out */
    size_t poll_records;                     /* so many at most in the next poll */
    uint64_t records_counted, bytes_counted; /* handed out since poll_records was set */
    rd_kafka_topic_t *last_topic;            /* of the last run; its number is last_number */
    size_t last_number;
    pthread_mutex_t lock;                     /* what follows, and the end of queue */
    rd_kafka_topic_partition_list_t *offsets; /* to be committed; NULL: none */
    bool committing;                          /* an answer is awaited */
};

/* Fills cluster_id and topics. PT_E_KAFKA_DOWN: no broker answered within options->timeout_us;
 * PT_E_KAFKA: a topic is not there. */
int pt_consumer_look_at_cluster(pt_consumer *consumer, pt_error *err) PT_CHECKED;

/* Sends what pt_consumer_commit has kept back: before partitions go. */
void pt_consumer_commit_rest(pt_consumer *consumer);

/* Sets the properties of the member's client; conf NULL is not allowed. PT_E_USAGE. */
int pt_consumer_configure(const pt_consumer_options *options, rd_kafka_conf_t *conf,
                          pt_error *err) PT_CHECKED;

/* librdkafka calls it at a rebalance. */
void pt_consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t *list, void *opaque);

/* Asks the broker to confirm the leader epochs that are left in consumer->confirm. */
void pt_consumer_confirm_epochs(pt_consumer *consumer);

/* Why the client cannot be used any more. */
int pt_consumer_fatal(pt_consumer *consumer, pt_error *err) PT_CHECKED;
/* An error that came in a message's place. PT_OK: it passes. PT_E_SOURCE: look again at what the
 * broker has. */
int pt_consumer_judge(pt_consumer *consumer, const rd_kafka_message_t *message,
                      pt_error *err) PT_CHECKED;

/* Why the group does not take this member, and what to do. */
int pt_consumer_refused(const pt_consumer *consumer, rd_kafka_resp_err_t code,
                        pt_error *err) PT_CHECKED;
