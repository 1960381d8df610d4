#include "kafka/cluster.h"

#include "base/clock.h"
#include "base/signals.h"

#define ASK_MS 500

static int ask_ms(int64_t deadline) {
    int64_t ms = pt_ms_left(deadline);
    return ms < ASK_MS ? (int)ms + 1 : ASK_MS;
}

/* Whether to give up; *code says why then. */
static bool give_up(const pt_kafka_options *o, pt_kafka_last_error *last_error, int64_t timeout_us,
                    int64_t deadline, int *code, pt_error *err) {
    if (pt_stop_asked()) {
        *code = pt_fail(err, PT_E_INTERRUPTED, "stopped before a broker answered");
        return true;
    }
    if (pt_ms_left(deadline) == 0 || pt_kafka_last_error_fatal(last_error) ||
        pt_kafka_last_error_hopeless(last_error)) {
        *code = pt_kafka_unreachable(o->brokers, timeout_us, last_error, err);
        return true;
    }
    return false;
}

int pt_kafka_reach(rd_kafka_t *rk, const pt_kafka_options *options, pt_kafka_last_error *last_error,
                   int64_t timeout_us, pt_error *err) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    int code = PT_OK;
    for (;;) {
        const struct rd_kafka_metadata *metadata;
        if (rd_kafka_metadata(rk, 0, NULL, &metadata, ask_ms(deadline)) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            return PT_OK;
        }
        if (rd_kafka_type(rk) == RD_KAFKA_PRODUCER) {
            (void)rd_kafka_poll(rk, 0);
        }
        if (give_up(options, last_error, timeout_us, deadline, &code, err)) {
            return code;
        }
        pt_sleep_us(PT_SECOND / 20);
    }
}

int pt_kafka_reach_leader(rd_kafka_t *rk, const pt_kafka_options *options,
                          pt_kafka_last_error *last_error, const char *topic, int32_t partitions,
                          int64_t timeout_us, pt_error *err) {
    int64_t deadline = pt_monotonic_us() + timeout_us;
    int code = PT_OK;
    for (int32_t i = 0; partitions > 0; i++) {
        int64_t low;
        int64_t high;
        rd_kafka_resp_err_t answer = rd_kafka_query_watermark_offsets(rk, topic, i % partitions,
                                                                      &low, &high,
                                                                      ask_ms(deadline));
        if (!pt_kafka_no_answer(
                answer)) { /* without a leader, or without the right: others say so, and better */
            return PT_OK;
        }
        if (give_up(options, last_error, timeout_us, deadline, &code, err)) {
            return code;
        }
    }
    return PT_OK;
}
