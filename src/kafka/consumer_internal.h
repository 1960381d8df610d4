/* What the files of the consumer share: its handle, and what it knows of its topics. */
#pragma once

#include <pthread.h>

#include "kafka/consumer.h"

/* A client id that begins so goes on with the lake's id, and the metadata of offsets likewise. */
#define PT_CLIENT_STAMP "pintail-"
#define PT_OFFSET_STAMP "pintail lake "

typedef struct pt_topic_id {
    char text[64]; /* "": not known */
} pt_topic_id;

typedef struct pt_topic_facts {
    int32_t partitions;
    pt_topic_id id;
} pt_topic_facts;

struct pt_consumer {
    const pt_consumer_options *options;
    pt_consumer_events events;
    pt_kafka_last_error last_error;
    rd_kafka_t *rk;    /* the member of the group; NULL before it joins */
    rd_kafka_t *asker; /* with connections of its own: on those of rk a question waits behind the
                          fetch that is under way, up to fetch.wait.max.ms */
    rd_kafka_queue_t *queue;
    char cluster_id[128];
    pt_topic_facts *topics;
    rd_kafka_topic_partition_list_t
        *confirm; /* assigned, and the broker is still to be asked for their leader epoch */
    bool failed;  /* a callback failed; why says how */
    pt_error why;
    char member[256];     /* the group's name for this process at the last assignment */
    int held;             /* partitions */
    pthread_mutex_t lock; /* what follows, and the end of queue */
    rd_kafka_topic_partition_list_t *offsets; /* to be committed; NULL: none */
    bool committing;                          /* an answer is awaited */
};

/* Fills cluster_id and topics. PT_E_KAFKA_DOWN: no broker answered within options->timeout_us;
 * PT_E_KAFKA: a topic is not there. */
int pt_consumer_look_at_cluster(pt_consumer *consumer, pt_error *err) PT_CHECKED;

/* Sends what pt_consumer_commit_list has kept back: before partitions go. */
void pt_consumer_commit_rest(pt_consumer *consumer);

/* Why the group does not take this member, and what to do. */
int pt_consumer_refused(const pt_consumer *consumer, rd_kafka_resp_err_t code,
                        pt_error *err) PT_CHECKED;
