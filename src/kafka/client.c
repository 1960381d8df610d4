#include "kafka/client.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/signals.h"

void pt_kafka_last_error_init(pt_kafka_last_error *last_error) {
    *last_error = (pt_kafka_last_error){.lock = PTHREAD_MUTEX_INITIALIZER};
}

bool pt_kafka_last_error_read(pt_kafka_last_error *last_error, char *out, size_t size) {
    pthread_mutex_lock(&last_error->lock);
    bool any = *last_error->reason != '\0';
    (void)snprintf(out, size, "%s%s%s", any ? last_error->reason : "no answer",
                   *last_error->advice ? "; " : "", last_error->advice);
    pthread_mutex_unlock(&last_error->lock);
    return any;
}

bool pt_kafka_last_error_fatal(pt_kafka_last_error *last_error) {
    pthread_mutex_lock(&last_error->lock);
    bool fatal = last_error->fatal;
    pthread_mutex_unlock(&last_error->lock);
    return fatal;
}

bool pt_kafka_last_error_hopeless(pt_kafka_last_error *last_error) {
    pthread_mutex_lock(&last_error->lock);
    bool hopeless = last_error->fault == PT_KAFKA_FAULT_SETTING;
    pthread_mutex_unlock(&last_error->lock);
    return hopeless;
}

#define ADVICE_STAYS                                                                             \
    (30 * PT_SECOND) /* librdkafka keeps the same words back so long: what it says meanwhile are \
                        consequences */

/* What comes after a fatal error is its consequence, and so is a text of which nothing is known
 * after one that tells more. */
static void note(pt_kafka_last_error *last_error, const char *text, bool fatal) {
    char advice[PT_KAFKA_ADVICE];
    pt_kafka_fault fault = pt_kafka_advise(text, advice, sizeof advice);
    int64_t now = pt_monotonic_us();
    pthread_mutex_lock(&last_error->lock);
    bool stays = !fatal && fault < last_error->fault && now - last_error->advised_us < ADVICE_STAYS;
    if (!last_error->fatal && !stays) {
        pt_kafka_plain_reason(text, last_error->reason, sizeof last_error->reason);
        (void)snprintf(last_error->advice, sizeof last_error->advice, "%s", advice);
        last_error->fatal = fatal;
        last_error->fault = fault;
        last_error->advised_us = now;
    }
    pthread_mutex_unlock(&last_error->lock);
}

void pt_kafka_last_error_note(pt_kafka_last_error *last_error, const char *text) {
    note(last_error, text, false);
}

#define AWAY_FORGOTTEN (60 * PT_SECOND)

/* A broker that is away is tried again and again, and nothing has come from it meanwhile: of these
 * the first one of a minute counts, since librdkafka logs neither the end of an idle connection nor
 * one that reads as the last. */
void pt_kafka_last_error_break(pt_kafka_last_error *last_error, const char *text) {
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0, n = strcspn(text, " "); i < n; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211U;
    }
    uint64_t bit = (uint64_t)1 << (hash >> 58);
    int64_t now = pt_monotonic_us();
    if (now - atomic_load(&last_error->forgot_us) > AWAY_FORGOTTEN) {
        atomic_store(&last_error->forgot_us, now);
        atomic_store(&last_error->away, 0);
    }
    bool failed_before = strstr(text, "in state ") && !strstr(text, "in state UP");
    uint64_t away = failed_before ? atomic_fetch_or(&last_error->away, bit)
                                  : atomic_fetch_and(&last_error->away, ~bit);
    if (!failed_before || !(away & bit)) {
        atomic_fetch_add_explicit(&last_error->breaks, 1, memory_order_release);
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *opaque) {
    char fatal[512];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(rk, fatal, sizeof fatal);
        note(opaque, fatal, true);
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the error of the
                                                                 broker before it */
        note(opaque, text, false);
    }
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    char advice[PT_KAFKA_ADVICE];
    const char *bare = strstr(text, "]: "); /* "[thrd:127.0.0.1:9092/bootstrap]: ..." */
    bare = bare ? bare + 3 : text;
    if (rk && rd_kafka_opaque(rk) && strcmp(facility, "FAIL") == 0) { /* idle ones are not logged */
        pt_kafka_last_error_break(rd_kafka_opaque(rk), bare);
    }
    /* Connections come and go; the end of one is worth a word only when it tells of a setting. */
    bool logging = level <= LOG_ERR ||
                   ((strcmp(facility, "FAIL") == 0 || strcmp(facility, "BROKER") == 0) &&
                    pt_kafka_advise(bare, advice, sizeof advice) != PT_KAFKA_FAULT_NONE);
    if (logging && rk && rd_kafka_opaque(rk)) {
        note(rd_kafka_opaque(rk), bare, false);
    }
}

int pt_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, pt_error *err) {
    char why[300];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        return pt_fail(err, PT_E_USAGE, "Kafka property '%s' is refused: %s", name,
                       why); /* without the value: it may be a password, under whatever name */
    }
    return PT_OK;
}

int pt_kafka_conf_new(const pt_kafka_options *options, pt_kafka_last_error *last_error,
                      rd_kafka_conf_t **out, pt_error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, last_error);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    int code = pt_kafka_conf_set(conf, "bootstrap.servers", options->brokers, err);
    if (code == PT_OK) {
        code = pt_kafka_conf_set(conf, "client.id", "pintail", err);
    }
    if (code == PT_OK) {
        code = pt_kafka_conf_set(conf, "reconnect.backoff.max.ms", "1000", err);
    }
    if (code != PT_OK) {
        rd_kafka_conf_destroy(conf);
        conf = NULL;
    }
    *out = conf;
    return code;
}

static int set_property(rd_kafka_conf_t *conf, const char *property, pt_error *err) {
    const char *equals = strchr(property, '=');
    if (!equals || equals == property) {
        return pt_fail(err, PT_E_USAGE, "-X '%.*s': write prop=val, such as -X linger.ms=5",
                       (int)strcspn(property, "=: "), property);
    }
    char *name = strndup(property, (size_t)(equals - property));
    if (!name) {
        return pt_fail_nomem(err, "a Kafka property");
    }
    int code = pt_kafka_conf_set(conf, name, equals + 1, err);
    free(name);
    return code;
}

int pt_kafka_check_property(const char *property, pt_error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int code = set_property(conf, property, err);
    rd_kafka_conf_destroy(conf);
    return code;
}

int pt_kafka_conf_properties(rd_kafka_conf_t *conf, const pt_kafka_options *options,
                             pt_error *err) {
    for (size_t i = 0; i < options->n_properties; i++) {
        PT_TRY(set_property(conf, options->properties[i], err));
    }
    return PT_OK;
}

int pt_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out, pt_error *err) {
    char why[300];
    *out = rd_kafka_new(type, conf, why, sizeof why);
    if (!*out) {
        rd_kafka_conf_destroy(conf);
        return pt_fail(err, PT_E_USAGE, "Kafka client: %s%s", why,
                       strstr(why, "kerberos")
                           ? "; without -X sasl.mechanism it is Kerberos: set the one that the "
                             "broker takes, such as PLAIN or SCRAM-SHA-256"
                           : "");
    }
    return PT_OK;
}

const char *pt_kafka_property(const pt_kafka_options *o, const char *name) {
    size_t n = strlen(name);
    for (size_t i = o->n_properties; i > 0; i--) {
        if (strncmp(o->properties[i - 1], name, n) == 0 && o->properties[i - 1][n] == '=') {
            return o->properties[i - 1] + n + 1;
        }
    }
    return NULL;
}

/* ---- what went wrong ---- */

#define LOGGED (sizeof((pt_kafka_last_error *)NULL)->reason + PT_KAFKA_ADVICE + 2)

bool pt_kafka_error_passes(rd_kafka_resp_err_t code) {
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE: return true;
    default: return false;
    }
}

/* Nobody answered: librdkafka told why elsewhere, if at all. */
static bool no_answer(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE;
}

int pt_kafka_unreachable(const char *brokers, int64_t timeout_us, pt_kafka_last_error *last_error,
                         pt_error *err) {
    char logged[LOGGED];
    (void)pt_kafka_last_error_read(last_error, logged, sizeof logged);
    double seconds = (double)timeout_us / 1e6; /* what was left: 0.999999 is 1 to the reader */
    if (pt_kafka_last_error_hopeless(last_error)) {
        return pt_fail(err, PT_E_KAFKA, "no broker can be used at %s: %s", brokers, logged);
    }
    return pt_fail(err, PT_E_KAFKA_DOWN, "no broker answers at %s within %.*g s: %s", brokers,
                   seconds < 9.5 ? 2 : 9, seconds < 9.5 ? seconds : round(seconds), logged);
}

/* Who the broker takes us for: its ACLs name users. */
static void describe_user(const pt_kafka_options *o, char *out, size_t size) {
    const char *user = pt_kafka_property(o, "sasl.username");
    const char *certificate = pt_kafka_property(o, "ssl.certificate.location");
    if (user) {
        (void)snprintf(out, size, "user %s", user);
    } else {
        (void)snprintf(out, size, "%s",
                       certificate ? "the user of its certificate"
                                   : "a client without a name (User:ANONYMOUS)");
    }
}

static bool refused_rights(rd_kafka_resp_err_t code, const pt_kafka_options *o, const char *group,
                           const char *what, pt_error *err) {
    char user[128];
    char needs[320];
    describe_user(o, user, sizeof user);
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        (void)snprintf(needs, sizeof needs,
                       "ingest needs READ on the group %s: allow it, take another --group",
                       group ? group : "?");
    } else if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        (void)snprintf(
            needs, sizeof needs,
            "ingest needs READ on the topic, produce WRITE, check and reset DESCRIBE: allow it");
    } else if (code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        (void)snprintf(needs, sizeof needs,
                       "produce needs WRITE on the topic (IDEMPOTENT_WRITE on the cluster before "
                       "Kafka 3.0), --create CREATE on it: allow it");
    } else {
        return false;
    }
    int ignored = pt_fail(err, PT_E_KAFKA,
                          "%s: the broker's ACLs do not let %s (%s); %s, or come as another user "
                          "(-X sasl.username=..., with -X security.protocol=SASL_SSL "
                          "or SASL_PLAINTEXT)",
                          what, user, rd_kafka_err2str(code), needs);
    (void)ignored;
    return true;
}

int pt_kafka_failed(rd_kafka_resp_err_t code, const pt_kafka_options *o,
                    pt_kafka_last_error *last_error, const char *group, pt_error *err,
                    const char *format, ...) {
    char what[400];
    char logged[LOGGED];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (refused_rights(code, o, group, what, err)) {
        return PT_E_KAFKA;
    }
    if (no_answer(code) && pt_kafka_last_error_read(last_error, logged, sizeof logged)) {
        return pt_fail(err, pt_kafka_last_error_hopeless(last_error) ? PT_E_KAFKA : PT_E_KAFKA_DOWN,
                       "%s: %s", what, logged);
    }
    return pt_fail(err, pt_kafka_error_passes(code) ? PT_E_KAFKA_DOWN : PT_E_KAFKA, "%s: %s", what,
                   rd_kafka_err2str(code));
}

/* ---- reaching brokers ---- */

#define ASK_MS 500

static int64_t ms_left(int64_t deadline) {
    int64_t left = (deadline - pt_monotonic_us()) / 1000;
    return left > 0 ? left : 0;
}

static int ask_ms(int64_t deadline) {
    int64_t ms = ms_left(deadline);
    return ms < ASK_MS ? (int)ms + 1 : ASK_MS;
}

/* Whether to give up; *code says why then. */
static bool give_up(const pt_kafka_options *o, pt_kafka_last_error *last_error, int64_t timeout_us,
                    int64_t deadline, int *code, pt_error *err) {
    if (pt_stop_asked()) {
        *code = pt_fail(err, PT_E_INTERRUPTED, "stopped before a broker answered");
        return true;
    }
    if (ms_left(deadline) == 0 || pt_kafka_last_error_fatal(last_error) ||
        pt_kafka_last_error_hopeless(last_error)) {
        *code = pt_kafka_unreachable(o->brokers, timeout_us, last_error, err);
        return true;
    }
    return false;
}

int pt_kafka_reach(rd_kafka_t *rk, const pt_kafka_options *options, pt_kafka_last_error *last_error,
                   int64_t timeout_us, pt_error *err) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    int code = PT_OK;
    for (;;) {
        const struct rd_kafka_metadata *metadata;
        if (rd_kafka_metadata(rk, 0, NULL, &metadata, ask_ms(deadline)) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            return PT_OK;
        }
        if (rd_kafka_type(rk) == RD_KAFKA_PRODUCER) {
            (void)rd_kafka_poll(rk, 0);
        }
        if (give_up(options, last_error, timeout_us, deadline, &code, err)) {
            return code;
        }
        pt_sleep_us(PT_SECOND / 20);
    }
}

int pt_kafka_reach_leader(rd_kafka_t *rk, const pt_kafka_options *options,
                          pt_kafka_last_error *last_error, const char *topic, int32_t partitions,
                          int64_t timeout_us, pt_error *err) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    int code = PT_OK;
    for (int32_t i = 0; partitions > 0; i++) {
        int64_t low;
        int64_t high;
        rd_kafka_resp_err_t answer = rd_kafka_query_watermark_offsets(rk, topic, i % partitions,
                                                                      &low, &high,
                                                                      ask_ms(deadline));
        if (!no_answer(
                answer)) { /* without a leader, or without the right: others say so, and better */
            return PT_OK;
        }
        if (give_up(options, last_error, timeout_us, deadline, &code, err)) {
            return code;
        }
    }
    return PT_OK;
}
