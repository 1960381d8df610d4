/* librdkafka's mock cluster as a broker for demos and tests: one node, memory only.
 *
 * It keeps at most 5 MiB (as sent, so compressed) a partition and drops what is older; it knows no
 * CreateTopics, and read_committed shows aborted records too. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pt_broker pt_broker;

/* Listens on 127.0.0.1; port 0: the system chooses one. */
int pt_mock_broker_start(uint16_t port, pt_broker **out, pt_error *err) PT_CHECKED;
int pt_mock_broker_topic(pt_broker *broker, const char *name, int32_t partitions,
                         pt_error *err) PT_CHECKED;
/* "127.0.0.1:PORT"; lives as long as the broker. */
const char *pt_mock_broker_address(const pt_broker *broker);
void pt_mock_broker_stop(pt_broker **broker);
