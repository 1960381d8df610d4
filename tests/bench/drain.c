/* The limit: how fast librdkafka alone hands over the records of a topic (batch API of 20,000, all partitions, first to last offset).
 * Prints one JSON line. usage: bench_drain BROKERS TOPIC */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BATCH 20000

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static rd_kafka_t *make_consumer(const char *brokers) {
    static const char *const settings[][2] = {
        {"group.id", "bench-drain"}, {"enable.auto.commit", "false"}, {"fetch.queue.backoff.ms", "5"}, {"fetch.wait.max.ms", "100"},
        {"queued.min.messages", "1000000"}, {"queued.max.messages.kbytes", "32768"}, {"fetch.message.max.bytes", "1048576"},
    };
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) {
            (void)fprintf(stderr, "bench_drain: %s\n", why);
            exit(1);
        }
    }
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk) {
        (void)fprintf(stderr, "bench_drain: %s\n", why);
        exit(1);
    }
    (void)rd_kafka_poll_set_consumer(rk);
    return rk;
}

/* Assigns every partition from its first offset; returns the number of offsets up to the end. */
static int64_t assign_all(rd_kafka_t *rk, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    if (rd_kafka_metadata(rk, 0, handle, &metadata, 10000) || metadata->topic_cnt != 1) {
        (void)fprintf(stderr, "bench_drain: no metadata for %s\n", topic);
        exit(1);
    }
    int64_t total = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int i = 0; i < metadata->topics[0].partition_cnt; i++) {
        int64_t low = 0;
        int64_t high = 0;
        (void)rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, 10000);
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = low;
        total += high - low;
    }
    (void)rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return total;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench_drain BROKERS TOPIC\n");
        return 2;
    }
    rd_kafka_t *rk = make_consumer(argv[1]);
    int64_t left = assign_all(rk, argv[2]);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    static rd_kafka_message_t *messages[BATCH];
    int64_t records = 0;
    uint64_t bytes = 0;
    double start = now();
    while (records < left) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            if (!messages[i]->err) {
                records++;
                bytes += messages[i]->len;
            }
            rd_kafka_message_destroy(messages[i]);
        }
    }
    double seconds = now() - start;
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"records\": %" PRId64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.3f, \"cpu_seconds\": %.3f}\n", records, bytes, seconds, cpu);
    rd_kafka_queue_destroy(queue);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}
