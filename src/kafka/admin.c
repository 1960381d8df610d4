#include "kafka/admin.h"

#define ANSWER_WAIT_MS 1000 /* beyond the request's own timeout */

rd_kafka_AdminOptions_t *pt_admin_options(rd_kafka_t *rk, rd_kafka_admin_op_t what,
                                          int timeout_ms) {
    char why[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, what);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
    return options;
}

rd_kafka_event_t *pt_admin_answer(rd_kafka_queue_t *queue, int timeout_ms) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + ANSWER_WAIT_MS);
    if (event && rd_kafka_event_error(event)) {
        rd_kafka_event_destroy(event);
        event = NULL;
    }
    return event;
}

rd_kafka_event_t *pt_group_describe(rd_kafka_t *rk, const char *group, int timeout_ms) {
    rd_kafka_AdminOptions_t *options =
        pt_admin_options(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout_ms);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DescribeConsumerGroups(rk, &group, 1, options, queue);
    rd_kafka_event_t *event = pt_admin_answer(queue, timeout_ms);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return event;
}

const rd_kafka_ConsumerGroupDescription_t **pt_group_descriptions(rd_kafka_event_t *event,
                                                                  size_t *n) {
    *n = 0;
    return event ? rd_kafka_DescribeConsumerGroups_result_groups(
                       rd_kafka_event_DescribeConsumerGroups_result(event), n)
                 : NULL;
}
