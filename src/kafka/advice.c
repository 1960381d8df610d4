#include "kafka/advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A connection that ends so soon was not wanted: an idle one lives for minutes. */
#define SOON_MS 2000

/* How a broker was spoken to, from "sasl_ssl://host:9092/1: ..."; without a scheme: plaintext. */
typedef struct dial {
    bool tls, sasl;
    bool bootstrap;  /* an address of --brokers, not one that a broker gave */
    char host[256];  /* "host:port" */
    char broker[24]; /* "broker 1" */
} dial;

static bool starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static dial read_dial(const char *text) {
    dial d = {.tls = starts(text, "ssl://") || starts(text, "sasl_ssl://"),
              .sasl = starts(text, "sasl_")};
    const char *scheme = strstr(text, "://");
    const char *name = scheme && (d.tls || d.sasl) ? scheme + 3 : text;
    const char *slash = strchr(name, '/');
    const char *end = strstr(name, ": ");
    (void)snprintf(d.broker, sizeof d.broker, "a broker");
    if (slash && end && slash < end) {
        d.bootstrap = starts(slash, "/bootstrap");
        (void)snprintf(d.host, sizeof d.host, "%.*s", (int)(slash - name), name);
        if (slash[1] >= '0' && slash[1] <= '9') {
            (void)snprintf(d.broker, sizeof d.broker, "broker %.*s", (int)(end - slash - 1),
                           slash + 1);
        }
    }
    return d;
}

/* Whether the connection ended soon after it came into the state. */
static bool ended_soon_in(const char *text, const char *state) {
    const char *after = strstr(text, "(after ");
    const char *in = after ? strstr(after, "ms in state ") : NULL;
    return in && starts(in + strlen("ms in state "), state) &&
           strtoll(after + strlen("(after "), NULL, 10) < SOON_MS;
}

/* ---- what may be wrong ---- */

static pt_kafka_fault advise_address(const char *text, const dial *d, char *out, size_t size) {
    if (d->bootstrap && has(text, "Failed to resolve")) {
        (void)snprintf(out, size, "this machine does not know the name; look at --brokers");
    } else if (d->bootstrap || !*d->host) {
        return PT_KAFKA_FAULT_NONE;
    } else if (has(text, "Failed to resolve")) {
        (void)snprintf(out, size,
                       "%s is the address that %s gives to its clients (its setting "
                       "advertised.listeners), and this machine does not know the name: "
                       "let the broker advertise one that its clients can resolve, or make it "
                       "known here (DNS, /etc/hosts)",
                       d->host, d->broker);
    } else {
        (void)snprintf(out, size,
                       "%s is the address that %s gives to its clients (its setting "
                       "advertised.listeners): is it up, and can it be reached from here by that "
                       "address?",
                       d->host, d->broker);
    }
    return PT_KAFKA_FAULT_LIKELY;
}

static pt_kafka_fault advise_tls(const char *text, const dial *d, char *out, size_t size) {
    if (has(text, "PLAINTEXT broker listener?") ||
        has(text, "wrong version number")) { /* or a broker that ends just now */
        (void)snprintf(out, size,
                       "the port does not speak TLS, and -X security.protocol=%s asks for it: take "
                       "the broker's TLS port, or -X security.protocol=%s",
                       d->sasl ? "SASL_SSL" : "SSL", d->sasl ? "SASL_PLAINTEXT" : "PLAINTEXT");
        return PT_KAFKA_FAULT_LIKELY;
    }
    if (has(text, "certificate verify failed") || has(text, "could not be verified")) {
        (void)snprintf(
            out, size,
            "the broker's certificate is of an authority that is not known here (-X "
            "ssl.ca.location=FILE names the one that signed it), or of another host name than %s",
            *d->host ? d->host : "the one that was called");
    } else if (has(text, "certificate required") || has(text, "bad certificate")) {
        (void)snprintf(
            out, size,
            "the broker wants a certificate of its clients: -X ssl.certificate.location=FILE and "
            "-X ssl.key.location=FILE, signed by an authority "
            "that it trusts");
    } else {
        return PT_KAFKA_FAULT_NONE;
    }
    return PT_KAFKA_FAULT_SETTING;
}

static pt_kafka_fault advise_sasl(const char *text, const dial *d, char *out, size_t size) {
    const char *offered = strstr(text, "supported mechanisms: ");
    if (has(text, "not valid in current SASL state")) {
        (void)snprintf(out, size,
                       "the port does not ask for SASL: take the broker's SASL port, or -X "
                       "security.protocol=%s",
                       d->tls ? "SSL" : "PLAINTEXT");
    } else if (has(text, "Unsupported SASL mechanism") && offered) {
        offered += strlen("supported mechanisms: ");
        size_t n = strcspn(offered, ", (");
        (void)snprintf(out, size, "set one that the broker takes: -X sasl.mechanism=%.*s", (int)n,
                       offered);
    } else {
        (void)snprintf(out, size, "look at -X sasl.username, sasl.password and sasl.mechanism");
    }
    return PT_KAFKA_FAULT_SETTING;
}

static pt_kafka_fault advise_hung_up(const char *text, const dial *d, char *out, size_t size) {
    if (!d->tls && ended_soon_in(text, "APIVERSION_QUERY")) {
        (void)snprintf(out, size,
                       "the broker ends the connection at the first word: if its port speaks TLS, "
                       "set -X security.protocol=%s and -X ssl.ca.location=FILE",
                       d->sasl ? "SASL_SSL" : "SSL (or SASL_SSL)");
    } else if (!d->sasl && ended_soon_in(text, "UP")) {
        (void)snprintf(out, size,
                       "the broker ends the connection at the first question: if its port asks for "
                       "SASL, set -X security.protocol=%s, sasl.mechanism, "
                       "sasl.username and sasl.password",
                       d->tls ? "SASL_SSL" : "SASL_PLAINTEXT");
    } else {
        return PT_KAFKA_FAULT_NONE;
    }
    return PT_KAFKA_FAULT_LIKELY;
}

pt_kafka_fault pt_kafka_advise(const char *text, char *advice, size_t size) {
    const dial d = read_dial(text);
    pt_kafka_fault fault = PT_KAFKA_FAULT_NONE;
    *advice = '\0';
    if (has(text, "Failed to resolve") || has(text, ": Connect to ") ||
        has(text, "Connection setup timed out")) {
        return advise_address(text, &d, advice, size);
    }
    if (has(text, "Broker name \"")) {
        (void)snprintf(advice, size, "write --brokers HOST:PORT[,HOST:PORT...]");
        return PT_KAFKA_FAULT_SETTING;
    }
    if (has(text, "SASL authentication error") || has(text, "mechanism handshake failed")) {
        return advise_sasl(text, &d, advice, size);
    }
    if (has(text, "SSL")) {
        fault = advise_tls(text, &d, advice, size);
    }
    if (fault == PT_KAFKA_FAULT_NONE &&
        (has(text, ": Disconnected: ") || has(text, "SSL transport error"))) {
        fault = advise_hung_up(text, &d, advice, size);
    }
    return fault;
}

void pt_kafka_plain_reason(const char *text, char *out, size_t size) {
    static const char *const tails[] = {" (after ", ": connecting to a PLAINTEXT broker listener?",
                                        ": receive 0 after POLLIN", ", verify that ssl.ca.location",
                                        ": broker's supported mechanisms: \0"};
    (void)snprintf(out, size, "%s", text);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char *tail = strstr(out, tails[i]);
        if (tail && (i < 4 || tail[strlen(tails[i])] == '\0')) {
            *tail = '\0';
        }
    }
}
