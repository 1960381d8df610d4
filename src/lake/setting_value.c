#include "lake/setting_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNLIMITED INT64_MAX
#define CODECS    "one of uncompressed, snappy, gzip, zstd, brotli, lz4, lz4_raw"

static bool is_codec(const char *value) {
    static const char *const codecs[] = {"uncompressed", "snappy", "gzip",   "zstd",
                                         "brotli",       "lz4",    "lz4_raw"};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (strcasecmp(value, codecs[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_version(const char *value) {
    value += *value == 'V' || *value == 'v';
    return strcmp(value, "1") == 0 || strcmp(value, "2") == 0;
}

static bool is_boolean(const char *value) {
    return strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0 ||
           strcmp(value, "1") == 0 || strcmp(value, "0") == 0;
}

/* Settings that are numbers. */
static const struct {
    const char *key;
    long long least, most;
    const char *has_to_be;
} numbers[] = {
    {"parquet_compression_level", 0, 22, "a number from 0 to 22"},
    {"parquet_row_group_size", 1, UNLIMITED, "a number of rows from 1 on"},
    {"parquet_row_group_size_bytes", 1, UNLIMITED, "a number of bytes from 1 on"},
    {"target_file_size", 1, UNLIMITED, "a number of bytes from 1 on"},
    {"data_inlining_row_limit", 0, UNLIMITED, "a number of rows, 0 for none"},
};

static const char *const booleans[] = {"per_thread_output", "hive_file_pattern", "sort_on_insert",
                                       "auto_compact"};

static const char *wrong_number(const char *key, const char *value) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            char *end;
            errno = 0;
            long long n = strtoll(value, &end, 10);
            bool right = isdigit((unsigned char)*value) && *end == '\0' && errno == 0 &&
                         n >= numbers[i].least && n <= numbers[i].most;
            return right ? NULL : numbers[i].has_to_be;
        }
    }
    return NULL;
}

const char *pt_setting_wrong(const char *key, const char *value) {
    if (strcmp(key, "parquet_compression") == 0) {
        return is_codec(value) ? NULL : CODECS;
    }
    if (strcmp(key, "parquet_version") == 0) {
        return is_version(value) ? NULL : "1 or 2";
    }
    for (size_t i = 0; i < sizeof booleans / sizeof *booleans; i++) {
        if (strcmp(key, booleans[i]) == 0) {
            return is_boolean(value) ? NULL : "true or false";
        }
    }
    return wrong_number(key, value);
}
