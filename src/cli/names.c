#include "cli/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kafka/client.h"

#define GROUP_MAX 255
#define TOPIC_MAX 249
#define TABLE_MAX 255 /* the folder of its files has its name */
#define SHOWN     40

/* Not longer than most bytes, and without control characters. what: "topic ", or "". */
static int check(const char *what, const char *name, size_t most, pt_error *err) {
    size_t len = strlen(name);
    if (len > most) {
        return pt_fail(err, PT_E_USAGE, "%s'%.*s...' has %zu bytes, no more than %zu are allowed",
                       what, SHOWN, name, len, most);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) {
            return pt_fail(err, PT_E_USAGE,
                           "%s'%.*s' has a control character (0x%02x, byte %zu); names have none",
                           what, SHOWN, name, (unsigned char)name[i], i + 1);
        }
    }
    return PT_OK;
}

int pt_check_group(const char *group, const void *field, pt_error *err) {
    (void)field;
    if (!*group) {
        return pt_fail(err, PT_E_USAGE, "it is empty; write a name, or leave it out");
    }
    return check("", group, GROUP_MAX, err);
}

int pt_check_topic(const char *topic, const void *field, pt_error *err) {
    size_t len = strlen(topic);
    (void)field;
    PT_TRY(check("topic ", topic, TOPIC_MAX, err));
    if (len == 0 ||
        strspn(topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") < len ||
        strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0) {
        return pt_fail(err, PT_E_USAGE,
                       "topic '%s': a topic's name has 1 to %d letters, digits, '.', '_' or '-'",
                       topic, TOPIC_MAX);
    }
    return PT_OK;
}

int pt_check_table(const char *table, const void *field, pt_error *err) {
    (void)field;
    return check("table ", table, TABLE_MAX, err);
}

int pt_check_above_zero(const char *text, const void *field, pt_error *err) {
    (void)text;
    return *(const uint64_t *)field ? PT_OK : pt_fail(err, PT_E_USAGE, "it must be more than 0");
}

/* The digits of a port. */
static bool is_port(const char *text, size_t len) {
    long port = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i > 4) {
            return false;
        }
        port = port * 10 + (text[i] - '0');
    }
    return port > 0 && port <= 65535;
}

static int check_broker(const char *text, size_t len, pt_error *err) {
    static const char *const protocols[] = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
    const char *end = text + len;
    const char *host = text;
    const char *protocol = memmem(text, len, "://", 3);
    if (protocol) {
        bool known = false;
        for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
            known |= strlen(protocols[i]) == (size_t)(protocol - text) &&
                     strncasecmp(text, protocols[i], strlen(protocols[i])) == 0;
        }
        if (!known) {
            return pt_fail(err, PT_E_USAGE,
                           "'%.*s': %.*s is no protocol of Kafka; write --brokers "
                           "HOST:PORT[,HOST:PORT...]",
                           (int)len, text, (int)(protocol - text), text);
        }
        host = protocol + 3;
    }
    const char *bracket = host < end && *host == '[' ? memchr(host, ']', (size_t)(end - host))
                                                     : NULL; /* [::1]:9092 */
    const char *colon = memrchr(bracket ? bracket : host, ':',
                                (size_t)(end - (bracket ? bracket : host)));
    if (host == end || host == colon || memchr(host, ' ', (size_t)(end - host)) ||
        memchr(host, '/', (size_t)(end - host))) {
        return pt_fail(err, PT_E_USAGE, "'%.*s': a broker is HOST:PORT, such as localhost:9092",
                       (int)len, text);
    }
    if (colon && !is_port(colon + 1, (size_t)(end - colon - 1))) {
        return pt_fail(err, PT_E_USAGE, "'%.*s': '%.*s' is no port (1 to 65535)", (int)len, text,
                       (int)(end - colon - 1), colon + 1);
    }
    return PT_OK;
}

int pt_check_brokers(const char *brokers, const void *field, pt_error *err) {
    (void)field;
    for (const char *at = brokers; *at;) {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ",");
        size_t trimmed = len;
        while (trimmed && at[trimmed - 1] == ' ') {
            trimmed--;
        }
        if (trimmed) {
            PT_TRY(check_broker(at, trimmed, err));
        }
        at += len;
    }
    return PT_OK;
}

int pt_check_property(const char *property, const void *field, pt_error *err) {
    static const char *const names[] = {"client.id=", "group.instance.id=", "group.id=",
                                        "client.rack="};
    (void)field;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        if (strncmp(property, names[k], strlen(names[k])) == 0) {
            char what[40];
            (void)snprintf(what, sizeof what, "%.*s ", (int)strlen(names[k]) - 1, names[k]);
            PT_TRY(check(what, property + strlen(names[k]), GROUP_MAX, err));
        }
    }
    return pt_kafka_check_property(property, err);
}
