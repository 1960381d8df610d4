/* Going on at another place. */
#include <inttypes.h>

#include "kafka/consumer_internal.h"

#define SEEK_TIMEOUT_MS 5000

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
void pt_consumer_confirm_epochs(pt_consumer *c) {
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
