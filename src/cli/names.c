#include "cli/names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define GROUP_MAX 255
#define TOPIC_MAX 249
#define TABLE_MAX 255 /* the folder of its files has its name */
#define SHOWN 40

/* Of bytes: longer than most, or with a control character. what: "--group". */
static int check(const char *what, const char *name, size_t most, pt_error *err) {
    size_t len = strlen(name);
    if (len > most) {
        return pt_fail(err, PT_E_USAGE, "%s '%.*s...' has %zu bytes, no more than %zu are allowed", what, SHOWN, name, len, most);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) {
            return pt_fail(err, PT_E_USAGE, "%s '%.*s' has a control character (0x%02x, byte %zu); names have none", what, SHOWN, name, (unsigned char)name[i], i + 1);
        }
    }
    return PT_OK;
}

int pt_names_check_group(const char *group, pt_error *err) {
    if (!*group) {
        return pt_fail(err, PT_E_USAGE, "--group is empty; write a name, or leave it out");
    }
    return check("--group", group, GROUP_MAX, err);
}

int pt_names_check_topic(const char *topic, pt_error *err) {
    size_t len = strlen(topic);
    PT_TRY(check("topic", topic, TOPIC_MAX, err));
    if (len == 0 || strspn(topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") < len || strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0) {
        return pt_fail(err, PT_E_USAGE, "topic '%s': a topic's name has 1 to %d letters, digits, '.', '_' or '-'", topic, TOPIC_MAX);
    }
    return PT_OK;
}

int pt_names_check_table(const char *table, pt_error *err) {
    return check("table", table, TABLE_MAX, err);
}

int pt_names_check_properties(const char *const *properties, size_t n, pt_error *err) {
    static const char *const names[] = {"client.id=", "group.instance.id=", "group.id=", "client.rack="};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            if (strncmp(properties[i], names[k], strlen(names[k])) == 0) {
                char what[40];
                (void)snprintf(what, sizeof what, "-X %.*s", (int)strlen(names[k]) - 1, names[k]);
                PT_TRY(check(what, properties[i] + strlen(names[k]), GROUP_MAX, err));
            }
        }
    }
    return PT_OK;
}
