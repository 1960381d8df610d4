/* A configuration file. Checked: it is refused with one line, or taken with at least a topic. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = memfd_create("config", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pt_config *config = NULL;
    pt_error err = {0};
    int code = pt_config_load(path, &config, &err);
    if (code == PT_OK ? !config || config->topics_count == 0 || !config->topics[0].topic
                      : config || !err.text[0] || strchr(err.text, '\n') != NULL) {
        (void)fprintf(stderr, "code %d: %s\n", code, err.text);
        abort();
    }
    pt_config_free(&config);
    (void)close(fd);
    return 0;
}
