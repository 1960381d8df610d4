/* pintail check: what the lake holds, and whether it is what the ledger says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/lag.h"
#include "base/clock.h"
#include "base/shown.h"
#include "base/signals.h"
#include "cli/check/json.h"
#include "cli/check/report.h"
#include "cli/kafka_args.h"
#include "cli/lake_args.h"
#include "cli/statement_watch.h"
#include "duck/session.h"
#include "duck/transaction.h"
#include "duck/uri.h"

#define COULD_NOT_CHECK 2

typedef struct check_args {
    pt_lake_args lake_args;
    pt_kafka_args kafka_args;
    const char *group, *config;
    pt_string_list topics, tables;
    uint64_t max_lag, max_dead_letters;
    bool json, summary;
    int log_format;
} check_args;

#define NO_LIMIT UINT64_MAX

/* What narrows an audit has variables of its own, and no key in the file: whoever runs check with
 * the values of one ingest wants to know whether the lake is sound, all of it. */
static const pt_option options[] = {
    PT_LAKE_OPTIONS(check_args),
    PT_BROKERS_OPTION(check_args, "compare with the broker: how far the lake is behind; empty: do "
                                  "not, whatever the file says"),
    {"topic", 't', PT_OPT_LIST, offsetof(check_args, topics), "NAME", "only this topic; repeatable",
     .key = PT_NO_KEY, .variable = "PINTAIL_CHECK_TOPIC", .list = PT_LIST_NAMES},
    {"table", 0, PT_OPT_LIST, offsetof(check_args, tables), "NAME",
     "only this table, name or schema.name; repeatable (default: every table that pintail wrote "
     "to)",
     .key = PT_NO_KEY, .variable = "PINTAIL_CHECK_TABLE"},
    {"group", 'g', PT_OPT_STRING, offsetof(check_args, group), "NAME", "only this pipeline",
     .key = PT_NO_KEY, .variable = "PINTAIL_CHECK_GROUP"},
    {"max-lag", 0, PT_OPT_COUNT, offsetof(check_args, max_lag), "N",
     "more records than N that the broker has and the lake has not are a finding; needs --brokers",
     .key = PT_NO_KEY},
    {"max-dead-letters", 0, PT_OPT_COUNT, offsetof(check_args, max_dead_letters), "N",
     "more dead letters than N of a pipeline and topic are a finding", .key = PT_NO_KEY,
     .variable = "PINTAIL_CHECK_MAX_DEAD_LETTERS"},
    {"json", 0, PT_OPT_FLAG, offsetof(check_args, json), "", "one JSON object instead of the text",
     .key = PT_NO_KEY},
    {"summary", 0, PT_OPT_FLAG, offsetof(check_args, summary), "",
     "the verdict, findings, and a line for each topic", .key = PT_NO_KEY},
    PT_TIMEOUT_OPTION(check_args, "how long to wait for the broker (default: 10s)"),
    PT_PROPERTY_OPTION(check_args),
    PT_CONFIG_OPTION(check_args, 'c', PT_CONFIG_HELP),
    PT_LOG_FORMAT_OPTION(check_args),
};

static int run(int argc, char **argv);

const pt_command pt_command_check = {
    .name = "check",
    .summary = "report and audit a lake: is every record there, exactly once?",
    .usage = "--lake LAKE [--data-path DIR] [--brokers B] [--topic T] [--summary | --json]",
    .notes = "Findings are gaps, duplicates, missing files, and rows or dead letters that disagree "
             "with the ledger. Lag, dead letters and offsets that the\n"
             "broker never exposed (control records, compaction) are reported; with --max-lag and "
             "--max-dead-letters they can become findings.\n"
             "All of it is read from one snapshot of the lake, which may be written to meanwhile "
             "(a DuckDB-file catalog allows one process only).\n"
             "The exit code is 0 for sound, 1 for findings, 2 when it could not check.\n"
             "--json: lake, snapshot, brokers, verdict, tables (rows, latest, sales, files), "
             "pipelines (partitions), dead_letters, findings, notes.",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};

static int check_args_fit(const check_args *args, pt_error *err) {
    PT_TRY(pt_lake_args_check(&args->lake_args, err));
    if (args->json && args->summary) {
        return pt_fail(err, PT_E_USAGE, "--json has everything; leave --summary out");
    }
    if (args->max_lag != NO_LIMIT && !args->kafka_args.brokers) {
        return pt_fail(err, PT_E_USAGE, "--max-lag needs --brokers: the lag is told by the broker");
    }
    return PT_OK;
}

/* ---- the audit ---- */

typedef struct open_job {
    pt_lake_options options;
    pt_engine *engine;
} open_job;

static int open_once(void *arg, pt_error *err) {
    open_job *job = arg;
    return pt_engine_open(&job->options, &job->engine, err);
}

/* An SQLite catalog may be locked for a moment; one in a DuckDB file stays so while the other
 * process lives. */
static int open_engine(const check_args *args, pt_engine **out, pt_error *err) {
    open_job job = {.options = pt_lake_args_options(&args->lake_args)};
    pt_lake_uri uri = {0};
    job.options.read_only = true;
    PT_TRY(pt_lake_uri_parse(job.options.lake, &uri, err));
    int code = uri.catalog == PT_CATALOG_DUCKDB ? open_once(&job, err)
                                                : pt_retry_busy(open_once, &job, err);
    *out = job.engine;
    return code;
}

static int audit(const check_args *args, pt_sql_watch *watch, pt_audit *out, pt_error *err) {
    pt_engine *engine = NULL;
    pt_session *session = NULL;
    const pt_audit_options o = {
        .topics = args->topics.items,
        .n_topics = args->topics.n,
        .tables = args->tables.items,
        .n_tables = args->tables.n,
        .pipeline = args->group,
        .last_records = args->kafka_args.brokers != NULL,
    };
    int code = open_engine(args, &engine, err);
    if (code == PT_OK) {
        code = pt_session_open(engine, &session, err);
    }
    if (code == PT_OK) {
        pt_sql_watch_begin(watch, session);
        code = pt_audit_run(engine, session, &o, out, err);
        pt_sql_watch_begin(watch, NULL);
    }
    if (code != PT_OK && pt_stop_asked()) {
        code = pt_fail(err, PT_E_INTERRUPTED, "interrupted before all was read: no verdict");
    }
    pt_session_close(&session);
    pt_engine_close(&engine);
    return code;
}

static int64_t limit(uint64_t asked) {
    return asked == NO_LIMIT ? -1 : asked > INT64_MAX ? INT64_MAX : (int64_t)asked;
}

/* The broker is asked first whether it is there, and last for its offsets: these must not be older
 * than the snapshot. */
static int audit_and_lag(const check_args *args, pt_sql_watch *watch, pt_audit *out,
                         pt_error *err) {
    const pt_kafka_options kafka = pt_kafka_args_options(&args->kafka_args);
    pt_watermarks *watermarks = NULL;
    if (args->kafka_args.brokers) {
        PT_TRY(pt_watermarks_open(&kafka, args->kafka_args.timeout, &watermarks, err));
    }
    int code = audit(args, watch, out, err);
    if (code == PT_OK && watermarks) {
        code = pt_lag_measure(out, watermarks, err);
    }
    pt_watermarks_close(&watermarks);
    if (code == PT_OK) {
        code = pt_lag_judge(out, limit(args->max_lag), limit(args->max_dead_letters), err);
    }
    return code;
}

static size_t terminal_width(void) {
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col
                                                                            : PT_CHECK_WIDTH;
}

static int print(const check_args *args, const pt_audit *result, pt_error *err) {
    bool terminal = isatty(STDOUT_FILENO);
    const char *no_colour = getenv("NO_COLOR");
    const pt_check_report report = {
        .lake = args->lake_args.lake,
        .brokers = args->kafka_args.brokers,
        .audit = result,
        .colour = terminal && !(no_colour && *no_colour),
        .width = terminal_width(),
        .summary = args->summary,
    };
    pt_text out = {0}, made = {0};
    if (args->json && !terminal) {
        pt_check_json(&report, &out);
    } else if (args->json) {
        pt_check_json(&report, &made);
        pt_text_add_shown(&out, pt_text_get(&made), made.len,
                          "\n"); /* all but JSON's escapes, which are the same to who reads it */
        out.failed |= made.failed;
    } else {
        pt_check_text(&report, &out);
    }
    int code = pt_text_check(&out, err);
    if (code == PT_OK &&
        (fwrite(pt_text_get(&out), 1, out.len, stdout) != out.len || fflush(stdout) != 0)) {
        code = pt_fail(err, PT_E_IO, "the report cannot be written to standard output");
    }
    pt_text_free(&made);
    pt_text_free(&out);
    return code;
}

static int check(const check_args *args, size_t *findings, pt_error *err) {
    static const pt_sql_watch_options o = {.command = "check",
                                           .cancelled = pt_stop_asked,
                                           .exit_code = COULD_NOT_CHECK};
    pt_audit result = {.snapshot = -1};
    pt_sql_watch *watch = NULL;
    PT_TRY(check_args_fit(args, err));
    PT_TRY(pt_sql_watch_open(&o, &watch, err));
    pt_sql_watch_begin(watch, NULL);
    int code = audit_and_lag(args, watch, &result, err);
    pt_sql_watch_close(&watch);
    if (code == PT_OK) {
        code = print(args, &result, err);
    }
    *findings = result.n_findings;
    pt_audit_clear(&result);
    return code;
}

static int run(int argc, char **argv) {
    static check_args args;
    pt_option_values values;
    pt_error err = {0};
    pt_parsed parsed;
    size_t findings = 0;
    args = (check_args){.kafka_args.timeout = PT_KAFKA_TIMEOUT,
                        .max_lag = NO_LIMIT,
                        .max_dead_letters = NO_LIMIT};
    int code = pt_values_take(&pt_command_check, argc, argv, &args, NULL, &values, &parsed, &err);
    if (code == PT_OK && parsed == PT_PARSED) {
        if (args.kafka_args.brokers && !*args.kafka_args.brokers) {
            args.kafka_args.brokers = NULL;
        }
        args.json = args.json && !(args.summary && pt_values_weaker(&values, "json", "summary"));
        args.summary = args.summary && !(args.json && pt_values_weaker(&values, "summary", "json"));
        code = check(&args, &findings, &err);
    }
    pt_values_clear(&values);
    if (code != PT_OK) {
        return pt_command_failed_with(&pt_command_check, &err, COULD_NOT_CHECK);
    }
    return findings ? 1 : 0;
}
