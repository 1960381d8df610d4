/* pintail produce: orders into a topic. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/names.h"
#include "cli/options.h"
#include "sample/load_generator.h"

typedef struct produce_args {
    const char *brokers, *topic;
    double rate;
    uint64_t count, seed, broken, broken_every, create;
    int64_t timeout;
    pt_string_list properties;
    int log_format;
} produce_args;

enum { OPT_SEED = 4, OPT_BROKEN = 5, OPT_BROKEN_EVERY = 6, OPT_CREATE = 7, N_OPTIONS = 11 };

static const pt_option options[N_OPTIONS] = {
    {"brokers", 'b', PT_OPT_STRING, offsetof(produce_args, brokers), "HOST:PORT,...",
     "brokers to begin with"},
    {"topic", 't', PT_OPT_STRING, offsetof(produce_args, topic), "NAME",
     "topic to write to (default: orders)"},
    {"rate", 'r', PT_OPT_REAL, offsetof(produce_args, rate), "N",
     "records a second, 0 for as fast as possible (default: 10)"},
    {"count", 'n', PT_OPT_COUNT, offsetof(produce_args, count), "N",
     "end after so many records, broken ones included (default: 0, until SIGTERM or SIGINT)"},
    [OPT_SEED] = {"seed", 's', PT_OPT_COUNT, offsetof(produce_args, seed), "N",
                  "the same seed makes the same records, byte for byte; order_time then counts "
                  "from 2026-01-01 on instead of being the time of day"},
    [OPT_BROKEN] = {"broken", 0, PT_OPT_COUNT, offsetof(produce_args, broken), "N",
                    "break so many of the records in turn: not JSON, truncated, wrong type, "
                    "missing value, invalid UTF-8, duplicate key, trailing "
                    "bytes, overflow, empty value, tombstone, not an object, bad UUID; spread over "
                    "--count, or one in 100 without it"},
    [OPT_BROKEN_EVERY] = {"broken-every", 0, PT_OPT_COUNT, offsetof(produce_args, broken_every),
                          "N", "break every so many-th record instead"},
    [OPT_CREATE] = {"create", 0, PT_OPT_COUNT, offsetof(produce_args, create), "PARTITIONS",
                    "make the topic first, if it is not there"},
    {"timeout", 0, PT_OPT_DURATION, offsetof(produce_args, timeout), "DUR",
     "how long to wait for a broker at the start, and for the last acknowledgements after a signal "
     "(default: 10s)"},
    {"property", 'X', PT_OPT_LIST, offsetof(produce_args, properties), "PROP=VAL",
     "property of librdkafka, such as -X compression.codec=zstd; repeatable"},
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
    .n_options = N_OPTIONS,
    .run = run,
};

static int check_args(const produce_args *args, const bool *given, pt_error *err) {
    if (!args->brokers || !*args->brokers) {
        return pt_fail(err, PT_E_USAGE, "--brokers is missing: --brokers HOST:PORT");
    }
    if (!*args->topic) {
        return pt_fail(err, PT_E_USAGE, "--topic is empty: --topic NAME");
    }
    PT_TRY(pt_names_check_topic(args->topic, err));
    PT_TRY(pt_names_check_brokers(args->brokers, err));
    PT_TRY(pt_names_check_properties(args->properties.items, args->properties.n, err));
    if (given[OPT_BROKEN] && given[OPT_BROKEN_EVERY]) {
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
    if ((given[OPT_CREATE] && args->create == 0) || args->create > 100000) {
        return pt_fail(err, PT_E_USAGE,
                       "--create %" PRIu64 ": a topic can have 1 to 100000 partitions",
                       args->create);
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

static int produce(const produce_args *args, const bool *given, pt_error *err) {
    PT_TRY(check_args(args, given, err));
    pt_generator_options o = {
        .kafka = {.brokers = args->brokers,
                  .properties = args->properties.items,
                  .n_properties = args->properties.n},
        .topic = args->topic,
        .rate = args->rate,
        .count = args->count,
        .seeded = given[OPT_SEED],
        .seed = args->seed,
        .broken = args->broken,
        .broken_every = args->broken_every,
        .create = args->create,
        .timeout_us = args->timeout,
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
    bool given[N_OPTIONS] = {false};
    pt_error err = {0};
    pt_parsed parsed;
    args = (produce_args){.topic = "orders", .rate = 10, .timeout = 10 * PT_SECOND};
    int code = pt_options_parse(&pt_command_produce, argc, argv, &args, NULL, given, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED_HELP) {
        return 0;
    }
    if (code == PT_OK) {
        code = produce(&args, given, &err);
    }
    return code == PT_OK ? 0 : pt_command_failed(&pt_command_produce, &err);
}
