/* What an error code of librdkafka's means to a user. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "kafka/handle.h"

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

bool pt_kafka_no_answer(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE;
}

int pt_kafka_unreachable(const char *brokers, int64_t timeout_us, pt_kafka_last_error *last_error,
                         pt_error *err) {
    char logged[PT_KAFKA_LAST_ERROR_TEXT];
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
    char logged[PT_KAFKA_LAST_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (refused_rights(code, o, group, what, err)) {
        return PT_E_KAFKA;
    }
    if (pt_kafka_no_answer(code) && pt_kafka_last_error_read(last_error, logged, sizeof logged)) {
        return pt_fail(err, pt_kafka_last_error_hopeless(last_error) ? PT_E_KAFKA : PT_E_KAFKA_DOWN,
                       "%s: %s", what, logged);
    }
    return pt_fail(err, pt_kafka_error_passes(code) ? PT_E_KAFKA_DOWN : PT_E_KAFKA, "%s: %s", what,
                   rd_kafka_err2str(code));
}
