/* pintail produce: orders into a topic. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/kafka_args.h"
#include "sample/load_generator.h"

typedef struct produce_args {
    pt_kafka_args kafka_args;
    const char *topic;
    double rate;
    uint64_t count, seed, broken, broken_every, create;
    int log_format;
} produce_args;

static int check_partitions(const char *text, const void *field, pt_error *err) {
    uint64_t n = *(const uint64_t *)field;
    return n > 0 && n <= 100000
               ? PT_OK
               : pt_fail(err, PT_E_USAGE, "%s: a topic can have 1 to 100000 partitions", text);
}

static const pt_option options[] = {
    PT_BROKERS_OPTION(produce_args, "brokers to begin with"),
    {"topic", 't', PT_OPT_STRING, offsetof(produce_args, topic), "NAME",
     "topic to write to (default: orders)", .key = PT_NO_KEY, .check = pt_check_topic},
    {"rate", 'r', PT_OPT_REAL, offsetof(produce_args, rate), "N",
     "records a second, 0 for as fast as possible (default: 10)", .key = PT_NO_KEY},
    {"count", 'n', PT_OPT_COUNT, offsetof(produce_args, count), "N",
     "end after so many records, broken ones included (default: 0, until SIGTERM or SIGINT)",
     .key = PT_NO_KEY},
    {"seed", 's', PT_OPT_COUNT, offsetof(produce_args, seed), "N",
     "the same seed makes the same records, byte for byte; order_time then counts from 2026-01-01 "
     "on instead of being the time of day",
     .key = PT_NO_KEY, .variable = "PINTAIL_PRODUCE_SEED"}, /* PINTAIL_SEED is the tests' */
    {"broken", 0, PT_OPT_COUNT, offsetof(produce_args, broken), "N",
     "break so many of the records in turn: not JSON, truncated, wrong type, missing value, "
     "invalid UTF-8, duplicate key, trailing bytes, overflow, empty value, tombstone, not an "
     "object, bad UUID; spread over --count, or one in 100 without it",
     .key = PT_NO_KEY},
    {"broken-every", 0, PT_OPT_COUNT, offsetof(produce_args, broken_every), "N",
     "break every so many-th record instead", .key = PT_NO_KEY},
    {"create", 0, PT_OPT_COUNT, offsetof(produce_args, create), "PARTITIONS",
     "make the topic first, if it is not there", .key = PT_NO_KEY, .check = check_partitions},
    PT_TIMEOUT_OPTION(produce_args, "how long to wait for a broker at the start, and for the last "
                                    "acknowledgements after a signal (default: 10s)"),
    PT_PROPERTY_OPTION(produce_args),
    PT_LOG_FORMAT_OPTION(produce_args),
};

static int run(int argc, char **argv);

const pt_command pt_command_produce = {
    .name = "produce",
    .summary = "write orders to a topic: the demo's producer",
    .usage = "--brokers B [--topic T] [--rate N] [--count N] [--seed N] [--broken N]",
    .notes = "A record is a JSON object: order_id (UUID), order_time (epoch seconds with "
             "fraction), customer_id (also the key), product, quantity,\n"
             "unit_price, region. Records are sent with acks=all by an idempotent producer, "
             "compressed with lz4; a record that is not acknowledged\n"
             "within message.timeout.ms (60000) counts as failed, and the exit code is 1, or 3 "
             "when the broker was out of reach.",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};

static int check_args(const produce_args *args, const pt_option_values *s, pt_error *err) {
    if (!args->kafka_args.brokers || !*args->kafka_args.brokers) {
        return pt_fail(err, PT_E_USAGE, "--brokers is missing: --brokers HOST:PORT");
    }
    if (pt_values_given(s, "broken") &&
        pt_values_source(s, "broken") == pt_values_source(s, "broken-every")) {
        return pt_fail(err, PT_E_USAGE,
                       "--broken and --broken-every do not go together: one says how many, the "
                       "other how often");
    }
    if (args->count && args->broken > args->count) {
        return pt_fail(err, PT_E_USAGE,
                       "--broken %" PRIu64 " is more than --count %" PRIu64
                       ": broken records are counted too",
                       args->broken, args->count);
    }
    return PT_OK;
}

static void print_summary(const pt_generator_summary *s, const char *topic) {
    double seconds = s->seconds > 0 ? s->seconds : 1e-6;
    printf("%" PRIu64 " records to %s", s->delivered,
           topic); /* a name that Kafka takes: nothing in it steers a terminal */
    if (s->broken) {
        printf(" (%" PRIu64 " broken on purpose)", s->broken);
    }
    printf(", %" PRIu64 " bytes, %.2f s, %.0f records/s, %" PRIu64 " errors\n", s->bytes,
           s->seconds, (double)s->delivered / seconds, s->failed);
}

static int produce(const produce_args *args, const pt_option_values *s, pt_error *err) {
    PT_TRY(check_args(args, s, err));
    pt_generator_options o = {
        .kafka = pt_kafka_args_options(&args->kafka_args),
        .topic = args->topic,
        .rate = args->rate,
        .count = args->count,
        .seeded = pt_values_given(s, "seed"),
        .seed = args->seed,
        .broken = args->broken,
        .broken_every = args->broken_every,
        .create = args->create,
        .timeout_us = args->kafka_args.timeout,
    };
    pt_generator_summary summary;
    int code = pt_generator_run(&o, &summary, err);
    if (code == PT_OK || summary.sent) {
        print_summary(&summary, args->topic);
    }
    return code;
}

static int run(int argc, char **argv) {
    static produce_args args;
    pt_option_values values;
    pt_error err = {0};
    pt_parsed parsed;
    args = (produce_args){.kafka_args.timeout = PT_KAFKA_TIMEOUT, .topic = "orders", .rate = 10};
    int code = pt_values_take(&pt_command_produce, argc, argv, &args, NULL, &values, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        args.broken = pt_values_weaker(&values, "broken", "broken-every") ? 0 : args.broken;
        args.broken_every = pt_values_weaker(&values, "broken-every", "broken") ? 0
                                                                                : args.broken_every;
        code = produce(&args, &values, &err);
    }
    pt_values_clear(&values);
    return code == PT_OK ? 0 : pt_command_failed(&pt_command_produce, &err);
}
