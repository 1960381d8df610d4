/* Partitions that are assigned and not fetched: all for a while, or some until their start is
 * known.
 */
#include "kafka/consumer_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define SEEK_TIMEOUT_MS  5000
#define POLL_INTERVAL_MS 300000 /* librdkafka's default */

static bool waits(const pt_consumer *c, const rd_kafka_topic_partition_t *at) {
    return rd_kafka_topic_partition_list_find(c->later, at->topic, at->partition) != NULL;
}

static void on_assignment(const pt_consumer *c,
                          rd_kafka_resp_err_t (*verb)(rd_kafka_t *,
                                                      rd_kafka_topic_partition_list_t *)) {
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(c->rk, &list)) {
        return;
    }
    for (int i = list->cnt - 1; i >= 0; i--) {
        if (waits(c, &list->elems[i])) {
            (void)rd_kafka_topic_partition_list_del_by_idx(list, i);
        }
    }
    (void)verb(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void pt_consumer_pause(pt_consumer *c) {
    on_assignment(c, rd_kafka_pause_partitions);
}

void pt_consumer_resume(pt_consumer *c) {
    on_assignment(c, rd_kafka_resume_partitions);
}

/* librdkafka's answer for the first partition that is not where it should be. */
static rd_kafka_resp_err_t seek(pt_consumer *c, rd_kafka_topic_partition_list_t *list) {
    rd_kafka_error_t *error = rd_kafka_seek_partitions(c->rk, list, SEEK_TIMEOUT_MS);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; !code && i < list->cnt; i++) {
        code = list->elems[i].err;
    }
    if (error) {
        rd_kafka_error_destroy(error);
    }
    return code;
}

int pt_consumer_start(pt_consumer *c, const pt_assigned *partitions, size_t n, pt_error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition);
        at->offset = partitions[i].start;
        rd_kafka_topic_partition_set_leader_epoch(at, partitions[i].epoch);
    }
    rd_kafka_resp_err_t code = n ? seek(c, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; !code && i < list->cnt; i++) {
        (void)rd_kafka_topic_partition_list_del(c->later, list->elems[i].topic,
                                                list->elems[i].partition);
    }
    if (!code) {
        (void)rd_kafka_resume_partitions(c->rk, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? pt_fail(err, PT_E_KAFKA_DOWN,
                          "topic %s partition %" PRId32 ": cannot begin at offset %" PRId64 ": %s",
                          partitions->topic, partitions->partition, partitions->start,
                          rd_kafka_err2str(code))
                : PT_OK;
}

int64_t pt_consumer_poll_interval_us(const pt_kafka_options *options) {
    const char *value = pt_kafka_property(options, "max.poll.interval.ms");
    long long ms = value ? strtoll(value, NULL, 10) : 0;
    return (ms > 0 ? ms : POLL_INTERVAL_MS) * 1000;
}
