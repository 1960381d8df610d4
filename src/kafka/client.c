#include "kafka/client.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

void pt_kafka_trouble_init(pt_kafka_trouble *trouble) {
    *trouble = (pt_kafka_trouble){.lock = PTHREAD_MUTEX_INITIALIZER};
}

bool pt_kafka_trouble_read(pt_kafka_trouble *trouble, char *out, size_t size) {
    pthread_mutex_lock(&trouble->lock);
    bool any = *trouble->reason != '\0';
    (void)snprintf(out, size, "%s", any ? trouble->reason : "no answer");
    pthread_mutex_unlock(&trouble->lock);
    return any;
}

bool pt_kafka_trouble_fatal(pt_kafka_trouble *trouble) {
    pthread_mutex_lock(&trouble->lock);
    bool fatal = trouble->fatal;
    pthread_mutex_unlock(&trouble->lock);
    return fatal;
}

static void note(pt_kafka_trouble *trouble, const char *text, bool fatal) {
    pthread_mutex_lock(&trouble->lock);
    if (!trouble->fatal) { /* what comes after a fatal error is its consequence */
        (void)snprintf(trouble->reason, sizeof trouble->reason, "%s", text);
        char *tail = strstr(trouble->reason, " (after "); /* "... (after 0ms in state CONNECT, 3 identical error(s) suppressed)" */
        if (tail) {
            *tail = '\0';
        }
        trouble->fatal = fatal;
    }
    pthread_mutex_unlock(&trouble->lock);
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *opaque) {
    char fatal[512];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(rk, fatal, sizeof fatal);
        note(opaque, fatal, true);
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the error of the broker before it */
        note(opaque, text, false);
    }
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void)facility;
    if (level <= LOG_ERR && rk && rd_kafka_opaque(rk)) {
        const char *bare = strstr(text, "]: "); /* "[thrd:127.0.0.1:9092/bootstrap]: ..." */
        note(rd_kafka_opaque(rk), bare ? bare + 3 : text, false);
    }
}

int pt_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, pt_error *err) {
    char why[300];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        return pt_fail(err, PT_E_USAGE, "Kafka property '%s' is refused: %s", name, why); /* without the value: it may be a password, under whatever name */
    }
    return PT_OK;
}

int pt_kafka_conf_new(const pt_kafka_options *options, pt_kafka_trouble *trouble, rd_kafka_conf_t **out, pt_error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, trouble);
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
        return pt_fail(err, PT_E_USAGE, "-X '%.*s': write prop=val, such as -X linger.ms=5", (int)strcspn(property, "=: "), property);
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

int pt_kafka_conf_properties(rd_kafka_conf_t *conf, const pt_kafka_options *options, pt_error *err) {
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
        return pt_fail(err, PT_E_USAGE, "Kafka client: %s", why);
    }
    return PT_OK;
}

int pt_kafka_unreachable(const char *brokers, int64_t timeout_us, pt_kafka_trouble *trouble, pt_error *err) {
    char reason[sizeof trouble->reason];
    (void)pt_kafka_trouble_read(trouble, reason, sizeof reason);
    double seconds = (double)timeout_us / 1e6; /* what was left: 0.999999 is 1 to the reader */
    return pt_fail(err, PT_E_KAFKA_DOWN, "no broker answers at %s within %.*g s: %s", brokers, seconds < 9.5 ? 2 : 9, seconds < 9.5 ? seconds : round(seconds), reason);
}
