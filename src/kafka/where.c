#include "kafka/where.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "kafka/consumer_internal.h"

#define FIND_TIMEOUT_MS 10000

int pt_parse_where(const char *option, const char *text, pt_where *out, pt_error *err) {
    uint64_t offset;
    *out = (pt_where){PT_WHERE_EARLIEST, 0};
    if (!text || strcmp(text, "earliest") == 0) {
        return PT_OK;
    }
    if (strcmp(text, "latest") == 0) {
        out->kind = PT_WHERE_LATEST;
        return PT_OK;
    }
    if (isdigit((unsigned char)*text) && strchr(text, '-')) {
        out->kind = PT_WHERE_TIME;
        return pt_parse_time(text, &out->value, err) == PT_OK ? PT_OK
                                                              : pt_fail_in(err, "%s", option);
    }
    if (pt_parse_count(text, &offset, err) != PT_OK || offset > INT64_MAX) {
        return pt_fail(err, PT_E_USAGE,
                       "%s takes earliest, latest, an offset, or a time such as "
                       "2026-11-29T15:30:00Z, not '%s'",
                       option, text);
    }
    *out = (pt_where){PT_WHERE_OFFSET, (int64_t)offset};
    return PT_OK;
}

static int find_times(pt_consumer *c, const char *topic, int32_t first, int32_t n, int64_t us,
                      pt_found *out, pt_error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
    for (int32_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_list_add(list, topic, first + i)->offset = (us + 999) / 1000;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(c->asker, list, FIND_TIMEOUT_MS);
    for (int i = 0; !code && i < list->cnt; i++) {
        code = list->elems[i].err;
        pt_found *f = &out[list->elems[i].partition - first];
        int64_t at = list->elems[i].offset;
        f->offset = at < 0 || at > f->high ? f->high : at < f->low ? f->low : at;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? pt_fail(err, pt_kafka_error_passes(code) ? PT_E_KAFKA_DOWN : PT_E_KAFKA,
                          "topic %s: the broker does not tell the offsets of a time: %s", topic,
                          rd_kafka_err2str(code))
                : PT_OK;
}

int pt_consumer_find(pt_consumer *c, const char *topic, int32_t first, int32_t n,
                     const pt_where *where, pt_found *out, pt_error *err) {
    for (int32_t i = 0; i < n; i++) {
        pt_found *f = &out[i];
        PT_TRY(pt_consumer_bounds(c, topic, first + i, &f->low, &f->high, err));
        f->offset = where->kind == PT_WHERE_LATEST   ? f->high
                    : where->kind == PT_WHERE_OFFSET ? where->value
                                                     : f->low;
        if (f->offset < f->low || f->offset > f->high) {
            return pt_fail(err, PT_E_USAGE,
                           "offset %" PRId64 ": topic %s partition %" PRId32 " has offsets %" PRId64
                           " to %" PRId64,
                           f->offset, topic, first + i, f->low, f->high);
        }
    }
    return where->kind == PT_WHERE_TIME && n
               ? find_times(c, topic, first, n, where->value, out, err)
               : PT_OK;
}
