#include "kafka/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/consumer_internal.h"

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
    c->later = rd_kafka_topic_partition_list_new(0);
    pt_kafka_last_error_init(&c->last_error);
    int code = pt_consumer_look_at_cluster(c, err);
    if (code != PT_OK) {
        pt_consumer_close(&c);
    }
    *out = c;
    return code;
}

void pt_consumer_leave(pt_consumer *c) {
    pt_consumer_drop(c);
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
        rd_kafka_topic_partition_list_destroy(c->later);
        (void)pthread_mutex_destroy(&c->lock);
        free(c->messages);
        free(c->records);
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
    int code = pt_consumer_configure(c->options, conf, err);
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    rd_kafka_conf_set_rebalance_cb(conf, pt_consumer_on_rebalance);
    PT_TRY(pt_kafka_new(RD_KAFKA_CONSUMER, conf, &c->rk, err));
    (void)rd_kafka_poll_set_consumer(c->rk);
    c->queue = rd_kafka_queue_get_consumer(c->rk);
    return PT_OK;
}

int pt_consumer_subscribe(pt_consumer *c, pt_error *err) {
    c->poll_records = PT_POLL_FIRST;
    c->messages = calloc(PT_POLL_MOST + PT_POLL_MORE, sizeof *c->messages);
    c->records = calloc(PT_RUN_RECORDS, sizeof *c->records);
    if (!c->messages || !c->records) {
        return pt_fail_nomem(err, "the records of a poll");
    }
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

uint64_t pt_consumer_breaks(const pt_consumer *c) {
    return atomic_load_explicit(&c->last_error.breaks, memory_order_acquire);
}

bool pt_consumer_last_error(pt_consumer *consumer, char *out, size_t size) {
    return pt_kafka_last_error_read(&consumer->last_error, out, size);
}
