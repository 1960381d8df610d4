/* Which lakes a group feeds. Two lakes in one group would get a part of the records each, and each
 * would look sound: so members carry their lake's id. */
#include "kafka/admin.h"
#include "kafka/consumer_internal.h"

#include <stdio.h>
#include <string.h>

#define LOOK_TIMEOUT_MS 5000

/* The id behind a mark; NULL: not stamped. */
static const char *stamp_in(const char *text, size_t n, const char *mark) {
    size_t m = strlen(mark);
    return text && n > m && strncmp(text, mark, m) == 0 ? text + m : NULL;
}

/* ---- live members ---- */

static void note_members(const rd_kafka_ConsumerGroupDescription_t *group, const char *stamp,
                         pt_group_lakes *out) {
    for (size_t i = 0; !*out->member && i < rd_kafka_ConsumerGroupDescription_member_count(group);
         i++) {
        const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *client = rd_kafka_MemberDescription_client_id(m);
        const char *lake = stamp_in(client, client ? strlen(client) : 0, PT_CLIENT_STAMP);
        if (lake && strcmp(lake, stamp) != 0) {
            const char *id = rd_kafka_MemberDescription_consumer_id(m),
                       *host = rd_kafka_MemberDescription_host(m);
            (void)snprintf(out->member, sizeof out->member, "%s (lake %s, host %s)",
                           id ? id : client, lake, host ? host + (*host == '/') : "?");
        }
    }
}

static void look_at_members(const pt_consumer *c, const char *group, const char *stamp,
                            pt_group_lakes *out) {
    size_t n = 0;
    rd_kafka_event_t *event = pt_group_describe(c->asker, group, LOOK_TIMEOUT_MS);
    const rd_kafka_ConsumerGroupDescription_t **groups = pt_group_descriptions(event, &n);
    for (size_t i = 0; i < n; i++) {
        note_members(groups[i], stamp, out);
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
}

/* ---- offsets ---- */

static void note_offsets(const rd_kafka_topic_partition_list_t *list, const char *stamp,
                         pt_group_lakes *out) {
    for (int i = 0; !*out->offsets && i < list->cnt; i++) {
        const char *lake = stamp_in(list->elems[i].metadata, list->elems[i].metadata_size,
                                    PT_OFFSET_STAMP);
        size_t n = lake ? list->elems[i].metadata_size - strlen(PT_OFFSET_STAMP) : 0;
        if (lake && (n != strlen(stamp) || memcmp(lake, stamp, n) != 0)) {
            (void)snprintf(out->offsets, sizeof out->offsets, "%.*s",
                           (int)(n < sizeof out->offsets ? n : sizeof out->offsets - 1), lake);
        }
    }
}

/* A client that names the group and does not join it: librdkafka 2.15.1 follows a NULL pointer when
 * a broker answers a client without group that it is not the group's coordinator (yet), as one does
 * that is just making its offsets topic. */
static rd_kafka_t *open_outsider(const pt_consumer *c, const char *group,
                                 pt_kafka_last_error *last_error) {
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *outsider = NULL;
    pt_error ignored;
    char why[128];
    if (pt_kafka_conf_new(&c->options->client, last_error, &conf, &ignored) != PT_OK) {
        return NULL;
    }
    if (pt_kafka_conf_properties(conf, &c->options->client, &ignored) != PT_OK ||
        rd_kafka_conf_set(conf, "group.id", group, why, sizeof why) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return pt_kafka_new(RD_KAFKA_CONSUMER, conf, &outsider, &ignored) == PT_OK ? outsider : NULL;
}

static void look_at_offsets(const pt_consumer *c, const char *group, const char *stamp,
                            pt_group_lakes *out) {
    pt_kafka_last_error last_error = {0};
    pt_kafka_last_error_init(&last_error);
    rd_kafka_t *outsider = open_outsider(c, group, &last_error);
    if (!outsider) {
        return;
    }
    rd_kafka_AdminOptions_t *options =
        pt_admin_options(outsider, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, LOOK_TIMEOUT_MS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(outsider);
    rd_kafka_ListConsumerGroupOffsets_t *ask = rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_ListConsumerGroupOffsets(outsider, &ask, 1, options, queue);
    rd_kafka_event_t *event = pt_admin_answer(queue, LOOK_TIMEOUT_MS);
    size_t n = 0;
    const rd_kafka_group_result_t **groups =
        event ? rd_kafka_ListConsumerGroupOffsets_result_groups(
                    rd_kafka_event_ListConsumerGroupOffsets_result(event), &n)
              : NULL;
    for (size_t i = 0; i < n; i++) {
        const rd_kafka_topic_partition_list_t *list =
            rd_kafka_group_result_error(groups[i]) ? NULL
                                                   : rd_kafka_group_result_partitions(groups[i]);
        if (list) {
            note_offsets(list, stamp, out);
        }
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_ListConsumerGroupOffsets_destroy(ask);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_destroy_flags(outsider, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* ---- all of it ---- */

void pt_consumer_look_at_group(const pt_consumer *c, const char *group, const char *stamp,
                               bool offsets, pt_group_lakes *out) {
    *out = (pt_group_lakes){0};
    look_at_members(c, group, stamp, out);
    if (offsets) {
        look_at_offsets(c, group, stamp, out);
    }
}
