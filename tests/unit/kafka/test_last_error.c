/* Which ends of connections make ingest prove again what it has read: the texts are librdkafka's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "kafka/last_error.h"

#define ENDED "127.0.0.1:9092/1: Disconnected: connection closed by peer (after 5ms in state UP)"
#define REFUSED                                                                                  \
    "127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in " \
    "state CONNECT)"
#define OTHER                                                                                    \
    "127.0.0.1:9093/2: Connect to ipv4#127.0.0.1:9093 failed: Connection refused (after 0ms in " \
    "state CONNECT)"

static void each_end_of_a_connection_counts_and_of_the_failures_to_make_one_the_first(
    void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t breaks;
    } steps[] = {{ENDED, 1},
                 {REFUSED, 2},
                 {REFUSED, 2},
                 {OTHER, 3},
                 {REFUSED, 3},
                 {OTHER, 3},
                 {ENDED, 4},
                 {ENDED, 5},
                 {REFUSED, 6},
                 {REFUSED, 6},
                 {"127.0.0.1:9092/1: whatever", 7}};
    pt_kafka_last_error last_error;
    pt_kafka_last_error_init(&last_error);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        pt_kafka_last_error_break(&last_error, steps[i].text);
        assert_int_equal(atomic_load(&last_error.breaks), steps[i].breaks);
    }
    pt_kafka_last_error_break(&last_error, REFUSED);
    pt_kafka_last_error_break(&last_error, REFUSED);
    assert_int_equal(atomic_load(&last_error.breaks), 8);
    last_error.forgot_us -= 61 * PT_SECOND; /* it may have been there in between, and idle */
    pt_kafka_last_error_break(&last_error, REFUSED);
    pt_kafka_last_error_break(&last_error, REFUSED);
    assert_int_equal(atomic_load(&last_error.breaks), 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(
        each_end_of_a_connection_counts_and_of_the_failures_to_make_one_the_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
