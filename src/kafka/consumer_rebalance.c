/* Partitions that the group gives to this process, and takes from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/consumer_internal.h"

static pt_consumer *of_handle(rd_kafka_t *rk);

static void fail(pt_consumer *c, const pt_error *err) {
    if (!c->failed) {
        c->failed = true;
        c->why = *err;
    }
}

static pt_assigned *describe(const rd_kafka_topic_partition_list_t *list) {
    pt_assigned *partitions = calloc((size_t)list->cnt + 1, sizeof *partitions);
    for (int i = 0; partitions && i < list->cnt; i++) {
        partitions[i] = (pt_assigned){.topic = list->elems[i].topic,
                                      .partition = list->elems[i].partition,
                                      .low = -1,
                                      .high = -1,
                                      .epoch = -1};
    }
    return partitions;
}

static int ask_start(pt_consumer *c, rd_kafka_topic_partition_list_t *list, pt_assigned *partitions,
                     pt_error *err) {
    if (!partitions) {
        return pt_fail_nomem(err, "an assignment");
    }
    PT_TRY(c->events.assigned(c->events.arg, partitions, (size_t)list->cnt, err));
    for (int i = 0; i < list->cnt; i++) {
        if (partitions[i].start == PT_START_LATER) {
            list->elems[i].offset = RD_KAFKA_OFFSET_END; /* a place to fetch nothing from */
            (void)rd_kafka_topic_partition_list_add(c->later, list->elems[i].topic,
                                                    list->elems[i].partition);
            continue;
        }
        list->elems[i].offset = partitions[i].start;
        if (partitions[i].epoch >= 0) {
            rd_kafka_topic_partition_t *at =
                rd_kafka_topic_partition_list_add(c->confirm, partitions[i].topic,
                                                  partitions[i].partition);
            at->offset = partitions[i].start;
            rd_kafka_topic_partition_set_leader_epoch(at, partitions[i].epoch);
        }
    }
    return PT_OK;
}

/* The group's name for this process; "": it is in none. */
static void read_member(rd_kafka_t *rk, char *out, size_t size) {
    char *id = rd_kafka_memberid(rk);
    (void)snprintf(out, size, "%s", id ? id : "");
    if (id) {
        rd_kafka_mem_free(rk, id);
    }
}

/* A static member whose session ended while it was joining is taken back under another name, and
 * librdkafka tells nobody that others had its partitions meanwhile. */
static void look_at_member(pt_consumer *c) {
    char member[sizeof c->member];
    read_member(c->rk, member, sizeof member);
    if (c->held > 0 && c->member[0] && strcmp(c->member, member) != 0) {
        pt_error err = {0};
        int ignored = pt_fail(&err, PT_E_FENCED,
                              "the group had given up this process, and may have given its "
                              "partitions to others; going on from the lake");
        (void)ignored;
        c->events.revoked(c->events.arg, NULL, 0, true);
        fail(c, &err);
    }
    (void)snprintf(c->member, sizeof c->member, "%s", member);
}

static bool cooperative(rd_kafka_t *rk) {
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static void check_assign(pt_consumer *c, rd_kafka_error_t *error, rd_kafka_resp_err_t code) {
    pt_error err;
    if (error) {
        int ignored = pt_fail(&err, PT_E_KAFKA, "librdkafka refused an assignment: %s",
                              rd_kafka_error_string(error));
        (void)ignored;
        rd_kafka_error_destroy(error);
        fail(c, &err);
    } else if (code) {
        int ignored = pt_fail(&err, PT_E_KAFKA, "librdkafka refused an assignment: %s",
                              rd_kafka_err2str(code));
        (void)ignored;
        fail(c, &err);
    }
}

static void on_assign(pt_consumer *c, rd_kafka_topic_partition_list_t *list) {
    pt_error err = {0};
    look_at_member(c);
    c->held += list->cnt;
    pt_assigned *partitions = describe(list);
    if (!c->failed && ask_start(c, list, partitions, &err) != PT_OK) {
        fail(c, &err);
    }
    free(partitions);
    if (c->failed) { /* nothing is fetched; the poll that follows reports why */
        for (int i = 0; i < list->cnt; i++) {
            list->elems[i].offset = RD_KAFKA_OFFSET_END;
        }
    }
    if (cooperative(c->rk)) {
        check_assign(c, rd_kafka_incremental_assign(c->rk, list), 0);
    } else {
        check_assign(c, NULL, rd_kafka_assign(c->rk, list));
    }
    if (c->later->cnt) { /* an assignment ends a pause, so it comes after that */
        (void)rd_kafka_pause_partitions(c->rk, c->later);
    }
}

static void on_revoke(pt_consumer *c, rd_kafka_topic_partition_list_t *list) {
    for (int i = 0; i < list->cnt; i++) {
        (void)rd_kafka_topic_partition_list_del(c->confirm, list->elems[i].topic,
                                                list->elems[i].partition);
        (void)rd_kafka_topic_partition_list_del(c->later, list->elems[i].topic,
                                                list->elems[i].partition);
    }
    pt_assigned *partitions = describe(list);
    if (partitions) {
        c->events.revoked(c->events.arg, partitions, (size_t)list->cnt,
                          rd_kafka_assignment_lost(c->rk));
    } else { /* which they are cannot be told: all of them are given up */
        pt_error err;
        int ignored = pt_fail_nomem(&err, "a revocation");
        (void)ignored;
        c->events.revoked(c->events.arg, NULL, 0, true);
        fail(c, &err);
    }
    free(partitions);
    c->held -= list->cnt;
    pt_consumer_commit_rest(c);
    if (cooperative(c->rk)) {
        check_assign(c, rd_kafka_incremental_unassign(c->rk, list), 0);
    } else {
        check_assign(c, NULL, rd_kafka_assign(c->rk, NULL));
    }
}

void pt_consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t *list, void *opaque) {
    pt_kafka_last_error *last_error = opaque;
    (void)last_error;
    pt_consumer *c = of_handle(rk);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        on_assign(c, list);
    } else {
        on_revoke(c, list);
    }
}

/* The opaque of every client is its trouble, which is a member here. */
static pt_consumer *of_handle(rd_kafka_t *rk) {
    return (pt_consumer *)(void *)((char *)rd_kafka_opaque(rk) - offsetof(pt_consumer, last_error));
}
