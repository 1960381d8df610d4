/* The limit: how fast librdkafka alone hands over the records of a topic, with the settings that
 * pintail uses (batch API of 20,000, all partitions, from the first offset to the end offsets seen
 * at the start). Prints one JSON line; the time runs from the assignment to the last record.
 *
 * usage: bench_drain BROKERS TOPIC [FILE]     FILE: the values are written there, a line each; the
 * time then says nothing */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define BATCH      20000
#define PATIENCE_S 30.0 /* without a record, an end of partition or an answer */

typedef struct drain {
    rd_kafka_t *rk;
    const char *topic;
    int n_partitions, n_open;
    int64_t *ends; /* -1: reached */
    FILE *dump;
    int64_t records;
    uint64_t bytes;
} drain;

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void stop(const char *what, const char *why) {
    (void)fprintf(stderr, "bench_drain: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *make_consumer(const char *brokers) {
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},
        {"log_level", "0"},
        {"group.id", "bench-drain"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        {"fetch.queue.backoff.ms", "5"},
        {"fetch.wait.max.ms", "100"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "32768"},
        {"fetch.message.max.bytes", "1048576"},
    };
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why) !=
            RD_KAFKA_CONF_OK) {
            stop(settings[i][0], why);
        }
    }
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk) {
        stop("consumer", why);
    }
    (void)rd_kafka_poll_set_consumer(rk);
    return rk;
}

/* A broker that has just made the topic may not tell its partitions yet, or name no leader: asked
 * again until it does. */
static int count_partitions(rd_kafka_t *rk, const char *topic) {
    const char *why = "";
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    for (double start = now(); now() - start < PATIENCE_S;) {
        const struct rd_kafka_metadata *metadata = NULL;
        rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, handle, &metadata, 5000);
        int n = 0;
        if (!code) {
            code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                            : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
            n = code ? 0 : metadata->topics[0].partition_cnt;
            for (int i = 0; i < n && !code; i++) {
                code = metadata->topics[0].partitions[i].err;
            }
            rd_kafka_metadata_destroy(metadata);
        }
        if (!code && n > 0) {
            rd_kafka_topic_destroy(handle);
            return n;
        }
        why = rd_kafka_err2str(code);
        (void)rd_kafka_poll(rk, 100);
    }
    stop(topic, why);
}

/* Assigns every partition that holds anything, from its first offset, and notes where each ends. */
static void assign_all(drain *d) {
    d->n_partitions = count_partitions(d->rk, d->topic);
    d->ends = calloc((size_t)d->n_partitions, sizeof *d->ends);
    if (!d->ends) {
        stop(d->topic, "out of memory");
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(d->n_partitions);
    for (int i = 0; i < d->n_partitions; i++) {
        int64_t low = 0;
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(d->rk, d->topic, i, &low,
                                                                    &d->ends[i],
                                                                    (int)(PATIENCE_S * 1000));
        if (code) {
            stop(d->topic, rd_kafka_err2str(code));
        }
        if (low < d->ends[i]) {
            rd_kafka_topic_partition_list_add(list, d->topic, i)->offset = low;
            d->n_open++;
        } else {
            d->ends[i] = -1;
        }
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(d->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code) {
        stop("assign", rd_kafka_err2str(code));
    }
}

/* A partition is done when it stands at its end: by its last record, or by "end of partition" where
 * control records or compaction leave a gap before it. */
static void stands_at(drain *d, int32_t partition, int64_t offset) {
    if (d->ends[partition] >= 0 && offset >= d->ends[partition]) {
        d->ends[partition] = -1;
        d->n_open--;
    }
}

static void take(drain *d, const rd_kafka_message_t *m) {
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        stands_at(d, m->partition, m->offset);
    } else if (m->err == RD_KAFKA_RESP_ERR__TRANSPORT ||
               m->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        return; /* librdkafka connects again; PATIENCE_S bounds it */
    } else if (m->err) {
        stop(d->topic, rd_kafka_message_errstr(m));
    } else if (d->ends[m->partition] >= 0) {
        d->records++;
        d->bytes += m->len;
        if (d->dump &&
            (fwrite(m->payload, 1, m->len, d->dump) != m->len || fputc('\n', d->dump) == EOF)) {
            stop("the file", "cannot be written");
        }
        stands_at(d, m->partition, m->offset + 1);
    }
}

static void read_all(drain *d) {
    static rd_kafka_message_t *messages[BATCH];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(d->rk);
    double last = now();
    while (d->n_open > 0) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            take(d, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        if (n > 0) {
            last = now();
        } else if (now() - last > PATIENCE_S) {
            stop(d->topic, "nothing came for 30 s and not all partitions are at their end");
        }
    }
    rd_kafka_queue_destroy(queue);
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) {
        (void)fprintf(stderr, "usage: bench_drain BROKERS TOPIC [FILE]\n");
        return 2;
    }
    drain d = {.rk = make_consumer(argv[1]), .topic = argv[2]};
    if (argc == 4 && !(d.dump = fopen(argv[3], "wb"))) {
        stop(argv[3], "cannot be made");
    }
    assign_all(&d);
    double start = now();
    read_all(&d);
    double seconds = now() - start;
    if (d.dump && fclose(d.dump) != 0) {
        stop(argv[3], "cannot be written");
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"records\": %" PRId64 ", \"bytes\": %" PRIu64
           ", \"seconds\": %.3f, \"cpu_seconds\": %.3f}\n",
           d.records, d.bytes, seconds, cpu);
    free(d.ends);
    (void)rd_kafka_consumer_close(d.rk);
    rd_kafka_destroy(d.rk);
    return 0;
}
