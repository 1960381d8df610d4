/* Questions of the admin API: asked, and waited for. For src/kafka alone. */
#pragma once

#include "kafka/handle.h"

/* The caller destroys them. */
rd_kafka_AdminOptions_t *pt_admin_options(rd_kafka_t *rk, rd_kafka_admin_op_t what, int timeout_ms);
/* The event of the answer, which the caller destroys; NULL when none came in time, or it is an
 * error. */
rd_kafka_event_t *pt_admin_answer(rd_kafka_queue_t *queue, int timeout_ms);

/* Asks what a group is; NULL as above. */
rd_kafka_event_t *pt_group_describe(rd_kafka_t *rk, const char *group, int timeout_ms);
/* The groups in the answer; they stay as long as the event. event NULL: none. */
const rd_kafka_ConsumerGroupDescription_t **pt_group_descriptions(rd_kafka_event_t *event,
                                                                  size_t *n);
