/* A configuration file. Checked: it is refused with one line, or taken with at least a topic,
 * and each value is found by its key. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "config/load.h"

/* One key of each kind and more, as the option table of ingest has them. */
static const pt_config_key topic_keys[] = {
    {.name = "topic", .required = true},
    {.name = "table"},
    {.name = "schema", .may_be_blank = true},
    {.name = "key_column"},
};
static const pt_config_key keys[] = {
    {.name = "brokers"},
    {.name = "group"},
    {.name = "lake"},
    {.name = "data_path"},
    {.name = "init_sql", .kind = PT_CONFIG_LIST},
    {.name = "flush.rows"},
    {.name = "flush.bytes"},
    {.name = "flush.interval"},
    {.name = "start"},
    {.name = "on_error"},
    {.name = "on_no_column", .null_is_text = true},
    {.name = "kafka", .kind = PT_CONFIG_PAIRS},
    {.name = "topics",
     .kind = PT_CONFIG_ENTRIES,
     .required = true,
     .entry = topic_keys,
     .n_entry = sizeof topic_keys / sizeof *topic_keys},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = memfd_create("config", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pt_config *config = NULL;
    pt_error err = {0};
    int code = pt_config_load(path, keys, sizeof keys / sizeof *keys, &config, &err);
    if (code == PT_OK ? !config || pt_config_count(config, "topics") == 0 ||
                            !pt_config_text(config, "topics.0.topic")
                      : config || !err.text[0] || strchr(err.text, '\n') != NULL) {
        (void)fprintf(stderr, "code %d: %s\n", code, err.text);
        abort();
    }
    for (size_t i = 0; config && i < config->n_values; i++) {
        if (pt_config_find(config, config->values[i].key) != &config->values[i]) {
            abort();
        }
    }
    pt_config_free(&config);
    (void)close(fd);
    return 0;
}
