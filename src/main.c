/* Dispatch only: pintail <command> ... */
#include <duckdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/signals.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/values.h"
#include "kafka/client.h"

static void usage(FILE *out) {
    (void)fprintf(out,
                  "pintail %s: Kafka topics into a DuckLake, each record exactly once\n\nusage: "
                  "pintail <command> [options]\n\n",
                  PT_VERSION);
    for (size_t i = 0; pt_commands[i]; i++) {
        (void)fprintf(out, "  %-10s %s\n", pt_commands[i]->name, pt_commands[i]->summary);
    }
    (void)fprintf(out,
                  "\npintail <command> --help shows the options; pintail --version the versions\n");
}

static int unknown(const char *what, const char *name) {
    pt_nearest nearest;
    char text[600];
    pt_nearest_begin(&nearest, name);
    for (size_t i = 0; pt_commands[i]; i++) {
        pt_nearest_offer(&nearest, pt_commands[i]->name);
    }
    pt_nearest_offer(&nearest, "help");
    (void)snprintf(text, sizeof text, "unknown %s '%.100s'%s; pintail --help lists the commands",
                   what, name, pt_nearest_hint(&nearest, "").text);
    pt_log_fatal("", text, 2);
    return 2;
}

static int help(int argc, char **argv) {
    const char *topic = argc > 2 ? argv[2] : "";
    if (strcmp(topic, "--man") == 0) {
        pt_help_man();
        return 0;
    }
    if (strcmp(topic, "--markdown") == 0) {
        pt_help_markdown();
        return 0;
    }
    if (strcmp(topic, "--log-events") == 0) {
        pt_help_log_events();
        return 0;
    }
    for (size_t i = 0; pt_commands[i]; i++) {
        if (strcmp(topic, pt_commands[i]->name) == 0) {
            pt_help(pt_commands[i]);
            return 0;
        }
    }
    if (*topic && topic[0] != '-') {
        return unknown("help topic", topic);
    }
    usage(stdout);
    return 0;
}

/* Help is given whatever the limits are. */
static bool asks_help(int argc, char **argv) {
    bool asks = false;
    for (int i = 2; i < argc; i++) {
        asks = asks || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    }
    return asks;
}

int main(int argc, char **argv) {
    pt_signals_setup();
    pt_values_take_log_format(argc, argv);
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; pt_commands[i]; i++) {
        if (strcmp(name, pt_commands[i]->name) == 0) {
            pt_error err;
            if (!asks_help(argc, argv) && pt_limits_check(&err) != PT_OK) {
                return pt_command_failed(pt_commands[i], &err);
            }
            return pt_commands[i]->run(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return help(argc, argv);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("pintail %s (duckdb %s, librdkafka %s)\n", PT_VERSION, duckdb_library_version(),
               pt_kafka_version());
        return 0;
    }
    if (*name) {
        return unknown("command", name);
    }
    usage(stderr);
    return 2;
}
