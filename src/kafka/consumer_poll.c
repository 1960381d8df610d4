/* Polling, and handing out what was polled in runs of one partition. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kafka/consumer_internal.h"

int pt_consumer_poll(pt_consumer *c, int timeout_ms, size_t max, pt_error *err) {
    pt_consumer_confirm_epochs(c);
    c->last_topic = NULL; /* its address may be that of another one by now */
    if (c->first == c->n_messages) {
        c->first = c->next = c->n_messages = 0;
    }
    size_t room = PT_POLL_MOST + PT_POLL_MORE - c->n_messages;
    size_t wanted = max ? max : c->poll_records;
    wanted = wanted < room ? wanted : room;
    ssize_t got = wanted ? rd_kafka_consume_batch_queue(c->queue, timeout_ms,
                                                        c->messages + c->n_messages, wanted)
                         : 0;
    c->n_messages += got > 0 ? (size_t)got : 0;
    if (c->failed) {
        *err = c->why;
        return (int)c->why.code;
    }
    return pt_kafka_last_error_fatal(&c->last_error) ? pt_consumer_fatal(c, err) : PT_OK;
}

bool pt_consumer_is_full(const pt_consumer *c) {
    return c->n_messages >= PT_POLL_MOST + PT_POLL_MORE;
}

/* ---- giving back ---- */

static void give_back(pt_consumer *c) {
    while (c->first < c->next) {
        rd_kafka_message_destroy(c->messages[c->first++]);
    }
}

void pt_consumer_drop(pt_consumer *c) {
    c->next = c->n_messages;
    give_back(c);
}

void pt_consumer_drop_records(pt_consumer *c) {
    give_back(c);
    size_t kept = c->next;
    for (size_t i = c->next; i < c->n_messages; i++) {
        rd_kafka_message_t *m = c->messages[i];
        if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            c->messages[kept++] = m;
        } else {
            rd_kafka_message_destroy(m);
        }
    }
    c->n_messages = kept;
}

/* What was polled has left librdkafka's bounded queue: a poll brings as many records as fill their
 * share of the memory, if they are as large as the last ones. One record says little of the next.
 */
static void size_next_poll(pt_consumer *c) {
    if (c->records_counted > 1 || c->records_counted == c->poll_records) {
        uint64_t mean = c->bytes_counted / c->records_counted;
        uint64_t n = c->options->poll_bytes ? c->options->poll_bytes / (mean + 1) : PT_POLL_MOST;
        c->poll_records = n < 1 ? 1 : n > PT_POLL_MOST ? PT_POLL_MOST : (size_t)n;
    }
    c->records_counted = c->bytes_counted = 0;
}

/* ---- handing out ---- */

static bool find_topic(pt_consumer *c, rd_kafka_topic_t *topic, size_t *number) {
    if (topic != c->last_topic) {
        const char *name = topic ? rd_kafka_topic_name(topic) : "";
        size_t i = 0;
        while (i < c->options->n_topics && strcmp(c->options->topics[i], name) != 0) {
            i++;
        }
        if (i == c->options->n_topics) {
            return false;
        }
        c->last_topic = topic;
        c->last_number = i;
    }
    *number = c->last_number;
    return true;
}

static int64_t time_of(const rd_kafka_message_t *m) {
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(m, &type);
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 || ms > INT64_MAX / 1000 ? PT_NO_TIME
                                                                                       : ms * 1000;
}

/* The messages from c->next on that are of one partition and leader epoch. */
static void fill_run(pt_consumer *c, const rd_kafka_message_t *first, pt_records *run) {
    size_t left = c->n_messages - c->next;
    size_t most = left < PT_RUN_RECORDS ? left : PT_RUN_RECORDS;
    size_t n = 0;
    uint64_t bytes = 0;
    run->leader_epoch = rd_kafka_message_leader_epoch(first);
    for (; n < most; n++) {
        const rd_kafka_message_t *m = c->messages[c->next + n];
        if (m->err || m->partition != first->partition || m->rkt != first->rkt ||
            (n && rd_kafka_message_leader_epoch(m) != run->leader_epoch)) {
            break;
        }
        c->records[n] = (pt_record){.offset = m->offset,
                                    .timestamp_us = time_of(m),
                                    .key = m->key,
                                    .value = m->payload,
                                    .key_len = (uint32_t)m->key_len,
                                    .value_len = (uint32_t)m->len,
                                    .headers = m};
        bytes += m->len + m->key_len;
    }
    run->at = c->records;
    run->n = n;
    run->position = c->records[n - 1].offset + 1;
    c->records_counted += n;
    c->bytes_counted += bytes;
}

/* Whether the message tells that the log was cut: librdkafka has a code for it, and where nothing
 * says what is to be done then, says so within another error. */
static bool is_cut(const rd_kafka_message_t *m, pt_polled *out) {
    const char *text = rd_kafka_message_errstr(m);
    bool inside = m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET &&
                  strstr(text, rd_kafka_err2str(RD_KAFKA_RESP_ERR__LOG_TRUNCATION));
    const char *logged = strstr(text, "broker end offset is ");
    out->end = -1;
    out->epoch = -1;
    if (logged &&
        sscanf(logged, "broker end offset is %" SCNd64 " (offset leader epoch %" SCNd32 ")",
               &out->end, &out->epoch) != 2) {
        out->end = -1;
    }
    return inside || m->err == RD_KAFKA_RESP_ERR__LOG_TRUNCATION;
}

int pt_consumer_next(pt_consumer *c, pt_polled *out, pt_error *err) {
    give_back(c);
    *out = (pt_polled){.kind = PT_POLLED_NOTHING};
    while (c->next < c->n_messages) {
        rd_kafka_message_t *m = c->messages[c->next];
        bool ours = find_topic(c, m->rkt, &out->records.topic);
        out->records.partition = m->partition;
        out->records.position = m->offset;
        if (ours && !m->err) {
            out->kind = PT_POLLED_RECORDS;
            fill_run(c, m, &out->records);
            c->next += out->records.n;
            return PT_OK;
        }
        c->next++;
        if (ours && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            out->kind = PT_POLLED_END;
            return PT_OK;
        }
        if (ours && is_cut(m, out)) {
            out->kind = PT_POLLED_CUT;
            return PT_OK;
        }
        if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            PT_TRY(pt_consumer_judge(c, m, err));
        }
        give_back(c);
    }
    size_next_poll(c);
    return PT_OK;
}

/* ---- headers ---- */

static rd_kafka_headers_t *headers_of(const pt_record *record) {
    rd_kafka_headers_t *headers = NULL;
    const rd_kafka_message_t *m = record->headers;
    return m && !rd_kafka_message_headers(m, &headers) ? headers : NULL;
}

size_t pt_record_headers(const pt_record *record) {
    rd_kafka_headers_t *headers = headers_of(record);
    return headers ? rd_kafka_header_cnt(headers) : 0;
}

void pt_record_header(const pt_record *record, size_t i, pt_header *out) {
    *out = (pt_header){.key = ""};
    (void)rd_kafka_header_get_all(headers_of(record), i, &out->key, &out->value, &out->value_len);
    out->key_len = strlen(out->key);
}
