/* pintail reset: a pipeline reads a topic again, or from another place on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/signals.h"
#include "base/units.h"
#include "cli/kafka_args.h"
#include "cli/lake_args.h"
#include "cli/statement_watch.h"
#include "ingest/reset.h"

typedef struct reset_args {
    pt_lake_args lake_args;
    pt_kafka_args kafka_args;
    const char *topic, *group, *to, *partition, *config;
    bool is_new, delete_rows, dry_run;
    int log_format;
} reset_args;

#define AT(field_) offsetof(reset_args, field_)

static int parse_partition(const char *text, int32_t *out, pt_error *err) {
    uint64_t n = 0;
    *out = -1;
    if (text && (pt_parse_count(text, &n, err) != PT_OK || n > INT32_MAX)) {
        return pt_fail(err, PT_E_USAGE, "it takes a partition's number, not '%s'", text);
    }
    *out = text ? (int32_t)n : -1;
    return PT_OK;
}

static int check_partition(const char *text, const void *field, pt_error *err) {
    int32_t partition;
    (void)field;
    return parse_partition(text, &partition, err);
}

static const pt_option options[] = {
    PT_LAKE_OPTIONS(reset_args),
    PT_BROKERS_OPTION(reset_args, "bootstrap brokers"),
    {"topic", 't', PT_OPT_STRING, AT(topic), "TOPIC",
     "topic that the pipeline is to read from another place on", .key = PT_NO_KEY,
     .check = pt_check_topic},
    PT_GROUP_OPTION(reset_args, "the pipeline: the --group of ingest (default: the only one in the "
                                "ledger that has read the topic)"),
    {"new", 0, PT_OPT_FLAG, AT(is_new), "",
     "the ledger does not know the group yet: it begins there", .key = PT_NO_KEY},
    {"delete-rows", 0, PT_OPT_FLAG, AT(delete_rows), "",
     "delete what the pipeline has read from there on, rows and dead letters, in the same commit, "
     "so that reading it again doubles nothing",
     .key = PT_NO_KEY},
    {"dry-run", 0, PT_OPT_FLAG, AT(dry_run), "",
     "with --delete-rows: say how many rows would go, and change nothing", .key = PT_NO_KEY},
    {"to", 0, PT_OPT_STRING, AT(to), "earliest|latest|ledger|TIME|N",
     "where the next ingest begins (default earliest): at a time such as 2026-11-29T15:30:00Z, an "
     "offset, or where the ledger stands: nothing moves, and the table that is there now is taken",
     .key = PT_NO_KEY},
    {"partition", 0, PT_OPT_STRING, AT(partition), "N",
     "of this partition alone (default: of every one)", .key = PT_NO_KEY, .check = check_partition},
    PT_PROPERTY_OPTION(reset_args),
    PT_TIMEOUT_OPTION(reset_args, "wait so long for a broker (default 10s)"),
    PT_CONFIG_OPTION(reset_args, 'c', PT_CONFIG_HELP),
    PT_LOG_FORMAT_OPTION(reset_args),
};

static void report(void *arg, const pt_reset_line *line) {
    const reset_args *a = arg;
    char was[32] = "none";
    if (line->was >= 0) {
        (void)snprintf(was, sizeof was, "%" PRId64, line->was);
    }
    printf("%s partition %" PRId32 ": %s -> %" PRId64, a->topic, line->partition, was, line->to);
    if (a->delete_rows) {
        printf(", %" PRId64 " rows and %" PRId64 " dead letters %s", line->rows, line->dead_letters,
               a->dry_run ? "would be deleted" : "deleted");
    }
    if (line->was >= 0 && line->was < line->to) {
        printf(" (%" PRId64 " offsets are left out)", line->to - line->was);
    }
    printf("\n");
}

static int run_with(reset_args *a, const pt_option_values *s, pt_error *err) {
    PT_TRY(pt_lake_args_check(&a->lake_args, err));
    if (!a->kafka_args.brokers || !*a->kafka_args.brokers || !a->topic) {
        return pt_fail(err, PT_E_USAGE,
                       "--brokers and --topic are needed; pintail check shows the topics and "
                       "groups (pipelines) of a lake");
    }
    if ((a->dry_run && !a->delete_rows) || (a->is_new && (a->delete_rows || !a->group))) {
        return pt_fail(err, PT_E_USAGE,
                       a->dry_run && !a->delete_rows
                           ? "--dry-run goes with --delete-rows"
                           : "--new goes with --group, and has no rows to delete");
    }
    pt_reset_options o = {
        .lake = pt_lake_args_options(&a->lake_args),
        .consumer = {.client = pt_kafka_args_options(&a->kafka_args),
                     .group = a->group,
                     .timeout_us = a->kafka_args.timeout},
        .topic = a->topic,
        .is_new = a->is_new,
        .delete_rows = a->delete_rows,
        .dry_run = a->dry_run,
    };
    o.to_ledger = a->to && strcmp(a->to, "ledger") == 0;
    if (o.to_ledger && (o.delete_rows || o.is_new)) {
        return pt_fail(err, PT_E_USAGE,
                       "--to ledger goes on where the pipeline stands: it goes neither with "
                       "--delete-rows nor with --new");
    }
    PT_TRY(pt_parse_where(pt_values_place(s, "to").text, o.to_ledger ? NULL : a->to, &o.to, err));
    PT_TRY(parse_partition(a->partition, &o.partition, err));
    const pt_sql_watch_options watched = {.command = "reset",
                                          .cancelled = pt_stop_asked,
                                          .exit_code = pt_exit_code(PT_E_INTERRUPTED)};
    pt_sql_watch *watch = NULL;
    PT_TRY(pt_sql_watch_open(&watched, &watch, err));
    pt_sql_watch_begin(watch, NULL);
    int code = pt_reset(&o, report, a, err);
    pt_sql_watch_close(&watch);
    return code;
}

static int run(int argc, char **argv) {
    reset_args a = {.kafka_args.timeout = PT_KAFKA_TIMEOUT};
    pt_option_values values;
    pt_parsed parsed;
    pt_error err = {0};
    int code = pt_values_take(&pt_command_reset, argc, argv, &a, NULL, &values, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        code = run_with(&a, &values, &err);
    }
    pt_values_clear(&values);
    return code == PT_OK ? 0 : pt_command_failed(&pt_command_reset, &err);
}

const pt_command pt_command_reset = {
    .name = "reset",
    .summary = "read a topic from another place on; the ledger records it",
    .usage = "--lake L --brokers B --topic T [--group G] [--to earliest|latest|ledger|TIME|N] "
             "[--partition N] [--delete-rows [--dry-run]]",
    .notes = "For a topic that was deleted and made anew, another cluster, or records that "
             "retention took. Rows that are in the table stay, unless\n"
             "--delete-rows: beginning an unchanged topic at an earlier offset reads its records a "
             "second time. Rows are deleted from --to on, and only where\n"
             "they can be told from others': no other pipeline has read the topic into the table, "
             "and several topics in it are told apart by _kafka_topic.",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
