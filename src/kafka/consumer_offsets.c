/* How far the lake is, told to the group: for lag tools only.
 *
 * One request at a time, with the newest offsets: librdkafka does not begin to fetch newly assigned
 * partitions while an answer to such a request is awaited. */
#include "kafka/consumer_internal.h"

#include <stdio.h>
#include <string.h>

static void commit_next(pt_consumer *c);

/* In the thread that polls. */
static void on_answer(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *offsets, void *opaque) {
    pt_consumer *c = opaque;
    (void)rk;
    (void)code; /* the next request says more, and the lake knows anyway */
    (void)offsets;
    pthread_mutex_lock(&c->lock);
    c->committing = false;
    commit_next(c);
    pthread_mutex_unlock(&c->lock);
}

/* Outside of the group the broker would refuse it, and take one that a static member sends without
 * its name for somebody else's. */
static bool in_group(pt_consumer *c) {
    char *id = rd_kafka_memberid(c->rk);
    bool member = id && *id;
    if (id) {
        rd_kafka_mem_free(c->rk, id);
    }
    return member;
}

/* Which lake these offsets are of. Without memory they go out without it. */
static void stamp(const pt_consumer *c) {
    char text[80];
    (void)snprintf(text, sizeof text, PT_OFFSET_STAMP "%s", c->options->stamp);
    for (int i = 0; i < c->offsets->cnt; i++) {
        rd_kafka_topic_partition_t *p = &c->offsets->elems[i];
        if (!p->metadata && (p->metadata = strdup(text)) != NULL) {
            p->metadata_size = strlen(text);
        }
    }
}

/* Under the lock. */
static void commit_next(pt_consumer *c) {
    if (!c->offsets || c->committing) {
        return;
    }
    if (c->options->stamp) {
        stamp(c);
    }
    if (rd_kafka_consumer_closed(c->rk)) {
        /* nobody to tell */
    } else if (!c->queue) { /* being closed: nobody polls any more, and in_group might wait for ever
                               for an answer */
        (void)rd_kafka_commit(c->rk, c->offsets, 1);
    } else if (in_group(c)) {
        c->committing = rd_kafka_commit_queue(c->rk, c->offsets, c->queue, on_answer, c) ==
                        RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_topic_partition_list_destroy(c->offsets);
    c->offsets = NULL;
}

void pt_consumer_commit(pt_consumer *c, const pt_place *places, size_t n) {
    pthread_mutex_lock(&c->lock);
    if (!c->offsets) {
        c->offsets = rd_kafka_topic_partition_list_new((int)n);
    }
    for (size_t i = 0; i < n; i++) {
        const pt_place *p = &places[i];
        rd_kafka_topic_partition_t *known = rd_kafka_topic_partition_list_find(c->offsets, p->topic,
                                                                               p->partition);
        known = known ? known
                      : rd_kafka_topic_partition_list_add(c->offsets, p->topic, p->partition);
        known->offset = p->offset;
    }
    commit_next(c);
    pthread_mutex_unlock(&c->lock);
}

void pt_consumer_commit_rest(pt_consumer *c) {
    pthread_mutex_lock(&c->lock);
    c->committing = false; /* this one does not wait for the answer */
    commit_next(c);
    pthread_mutex_unlock(&c->lock);
}
