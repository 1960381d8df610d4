#include "sample/mock_broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample/forward.h"

#define NODE 1 /* id of the only broker */

struct pt_broker {
    rd_kafka_t *rk; /* librdkafka wants one for its book-keeping */
    rd_kafka_mock_cluster_t *cluster;
    pt_forward *forward; /* NULL without a chosen port */
    char address[64];
};

static void drop_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void)rk, (void)level, (void)facility, (void)text;
}

static int start_cluster(pt_broker *b, pt_error *err) {
    char why[300];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, drop_log);
    b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!b->rk) {
        rd_kafka_conf_destroy(conf);
        return pt_fail(err, PT_E_KAFKA, "librdkafka: %s", why);
    }
    b->cluster = rd_kafka_mock_cluster_new(b->rk, NODE);
    if (!b->cluster) {
        return pt_fail(err, PT_E_KAFKA,
                       "librdkafka's mock cluster did not start; is 127.0.0.1 there?");
    }
    rd_kafka_mock_set_controller_id(
        b->cluster, NODE); /* else admin requests wait for one until they time out */
    rd_kafka_mock_group_initial_rebalance_delay_ms(b->cluster, 0);
    (void)snprintf(b->address, sizeof b->address, "%s",
                   rd_kafka_mock_cluster_bootstraps(b->cluster));
    return PT_OK;
}

static int listen_on_port(pt_broker *b, uint16_t port, pt_error *err) {
    const char *colon = strrchr(b->address, ':');
    unsigned long table = colon ? strtoul(colon + 1, NULL, 10) : 0;
    if (table == 0 || table > UINT16_MAX) {
        return pt_fail(err, PT_E_INTERNAL, "the mock cluster's address is %s", b->address);
    }
    PT_TRY(pt_forward_start(port, (uint16_t)table, &b->forward, err));
    rd_kafka_mock_broker_set_host_port(b->cluster, NODE, "127.0.0.1", port);
    (void)snprintf(b->address, sizeof b->address, "127.0.0.1:%u", port);
    return PT_OK;
}

int pt_mock_broker_start(uint16_t port, pt_broker **out, pt_error *err) {
    pt_broker *b = calloc(1, sizeof *b);
    if (!b) {
        return pt_fail_nomem(err, "the broker");
    }
    int code = start_cluster(b, err);
    if (code == PT_OK && port != 0) {
        code = listen_on_port(b, port, err);
    }
    if (code != PT_OK) {
        pt_mock_broker_stop(&b);
    }
    *out = b;
    return code;
}

int pt_mock_broker_topic(pt_broker *broker, const char *name, int32_t partitions, pt_error *err) {
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(broker->cluster, name, partitions, 1);
    return code ? pt_fail(err, PT_E_KAFKA, "topic %s:%d: %s", name, (int)partitions,
                          rd_kafka_err2str(code))
                : PT_OK;
}

const char *pt_mock_broker_address(const pt_broker *broker) {
    return broker->address;
}

void pt_mock_broker_stop(pt_broker **broker) {
    pt_broker *b = *broker;
    if (!b) {
        return;
    }
    pt_forward_stop(&b->forward);
    if (b->cluster) {
        rd_kafka_mock_cluster_destroy(b->cluster);
    }
    if (b->rk) {
        rd_kafka_destroy(b->rk);
    }
    free(b);
    *broker = NULL;
}
