/* pintail broker: a broker in memory, for a demo without Docker or Java. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/signals.h"
#include "base/units.h"
#include "cli/values.h"
#include "sample/mock_broker.h"

#define MAX_PARTITIONS 1000

typedef struct broker_args {
    uint64_t port;
    pt_string_list topics;
    int log_format;
} broker_args;

static int check_port(const char *text, const void *field, pt_error *err) {
    return *(const uint64_t *)field <= UINT16_MAX
               ? PT_OK
               : pt_fail(err, PT_E_USAGE, "%s: a port is a number from 1 to 65535", text);
}

static const pt_option options[] = {
    {"port", 'p', PT_OPT_COUNT, offsetof(broker_args, port), "P",
     "port of 127.0.0.1 to listen on (default: a free one)", .key = PT_NO_KEY,
     .variable = "PINTAIL_BROKER_PORT", /* Kubernetes sets PINTAIL_PORT for a service `pintail` */
     .check = check_port},
    {"topic", 't', PT_OPT_LIST, offsetof(broker_args, topics), "NAME:PARTITIONS",
     "make this topic; repeatable; other topics come into being when they are first used, with 4 "
     "partitions",
     .key = PT_NO_KEY, .variable = "PINTAIL_BROKER_TOPIC", .list = PT_LIST_NAMES},
    PT_LOG_FORMAT_OPTION(broker_args),
};

static int run(int argc, char **argv);

const pt_command pt_command_broker = {
    .name = "broker",
    .summary = "run a Kafka broker in memory, for demos and tests",
    .usage = "[--port P] [--topic NAME:PARTITIONS]...",
    .notes =
        "Prints its address, 127.0.0.1:PORT, when it is ready, and runs until SIGTERM or SIGINT.\n"
        "It is librdkafka's mock cluster: it keeps the last 5 MiB of each partition, in memory "
        "only. Give a topic more partitions to keep more.",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};

/* NAME:PARTITIONS; without a number, one partition. */
static int make_topic(pt_broker *broker, const char *text, pt_error *err) {
    char name[250]; /* Kafka's limit is 249 */
    uint64_t partitions = 1;
    size_t len = strcspn(text, ":");
    if (len == 0 || len >= sizeof name ||
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") < len) {
        return pt_fail(err, PT_E_USAGE,
                       "--topic '%s': a topic's name has 1 to 249 letters, digits, '.', '_' or '-'",
                       text);
    }
    memcpy(name, text, len);
    name[len] = '\0';
    if (text[len] == ':' && pt_parse_count(text + len + 1, &partitions, err) != PT_OK) {
        return pt_fail_in(err, "--topic '%s'", text);
    }
    if (partitions == 0 || partitions > MAX_PARTITIONS) {
        return pt_fail(err, PT_E_USAGE, "--topic '%s': it can have 1 to %d partitions", text,
                       MAX_PARTITIONS);
    }
    return pt_mock_broker_topic(broker, name, (int32_t)partitions, err);
}

static int serve(const broker_args *args, pt_error *err) {
    pt_broker *broker = NULL;
    PT_TRY(pt_mock_broker_start((uint16_t)args->port, &broker, err));
    int code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < args->topics.n; i++) {
        code = make_topic(broker, args->topics.items[i], err);
    }
    if (code == PT_OK) {
        printf("%s\n", pt_mock_broker_address(broker));
        (void)fflush(stdout);
        while (!pt_stop_asked()) {
            pt_sleep_us(PT_SECOND / 10); /* a signal may reach another thread */
        }
    }
    pt_mock_broker_stop(&broker);
    return code;
}

static int run(int argc, char **argv) {
    static broker_args args;
    pt_option_values values;
    pt_error err = {0};
    pt_parsed parsed;
    int code = pt_values_take(&pt_command_broker, argc, argv, &args, NULL, &values, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        code = serve(&args, &err);
    }
    pt_values_clear(&values);
    return code == PT_OK ? 0 : pt_command_failed(&pt_command_broker, &err);
}
