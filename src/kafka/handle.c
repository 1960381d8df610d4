#include "kafka/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void on_error(rd_kafka_t *rk, int code, const char *text, void *opaque) {
    char fatal[512];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(rk, fatal, sizeof fatal);
        pt_kafka_last_error_note_fatal(opaque, fatal);
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the error of the
                                                                 broker before it */
        pt_kafka_last_error_note(opaque, text);
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
        pt_kafka_last_error_note(rd_kafka_opaque(rk), bare);
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

const char *pt_kafka_version(void) {
    return rd_kafka_version_str();
}
