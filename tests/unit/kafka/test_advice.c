/* What librdkafka's words mean: texts as they were seen with Apache Kafka 4.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kafka/advice.h"

static void each_known_text_has_its_fault_and_names_what_to_set(void **state) {
    (void)state;
    static const struct {
        const char *text;
        pt_kafka_fault fault;
        const char *settings;
    } cases[] = {
        {"kafka-7.invalid:9092/1: Failed to resolve 'kafka-7.invalid:9092': Name or service not "
         "known (after 1ms in state CONNECT)",
         PT_KAFKA_FAULT_LIKELY, "kafka-7.invalid:9092 is the address that broker 1 gives"},
        {"b:9092/bootstrap: Failed to resolve 'b:9092': Name or service not known (after 1ms in "
         "state CONNECT)",
         PT_KAFKA_FAULT_LIKELY, "--brokers"},
        {"127.0.0.1:9/2: Connect to ipv4#127.0.0.1:9 failed: Connection refused (after 0ms in "
         "state CONNECT)",
         PT_KAFKA_FAULT_LIKELY, "advertised.listeners"},
        {"ssl://b:9/2: Connection setup timed out in state CONNECT (after 30028ms in state "
         "CONNECT)",
         PT_KAFKA_FAULT_LIKELY, "b:9 is the address that broker 2"},
        {"127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused (after 0ms "
         "in state CONNECT)",
         PT_KAFKA_FAULT_NONE, ""},
        {"b:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after "
         "7ms in state APIVERSION_QUERY, 1 identical error(s) suppressed)",
         PT_KAFKA_FAULT_LIKELY, "-X security.protocol=SSL (or SASL_SSL)"},
        {"sasl_plaintext://b:1/bootstrap: Disconnected: connection closed by peer: receive 0 after "
         "POLLIN (after 0ms in state APIVERSION_QUERY)",
         PT_KAFKA_FAULT_LIKELY, "-X security.protocol=SASL_SSL"},
        {"b:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after "
         "0ms in state UP)",
         PT_KAFKA_FAULT_LIKELY, "=SASL_PLAINTEXT"},
        {"b:1/1: Disconnected: connection closed by peer: receive 0 after POLLIN (after 600000ms "
         "in state UP)",
         PT_KAFKA_FAULT_NONE, ""}, /* an idle one, or a restart */
        {"sasl_ssl://b:1/1: Disconnected: SSL connection closed by peer (after 3ms in state UP)",
         PT_KAFKA_FAULT_NONE, ""},
        {"ssl://b:1/bootstrap: Send failed: SSL transport error: Broken pipe (after 0ms in state "
         "UP)",
         PT_KAFKA_FAULT_LIKELY, "-X security.protocol=SASL_SSL"},
        {"ssl://b:1/bootstrap: SSL handshake failed: Disconnected: SSL connection closed by peer: "
         "connecting to a PLAINTEXT broker listener? (after 1ms in state SSL_HANDSHAKE)",
         PT_KAFKA_FAULT_LIKELY, "-X security.protocol=PLAINTEXT"},
        {"ssl://b:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate "
         "verify failed: broker certificate could not be verified, verify that "
         "ssl.ca.location is correctly configured",
         PT_KAFKA_FAULT_SETTING, "-X ssl.ca.location=FILE"},
        {"ssl://b:1/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert bad "
         "certificate: SSL alert number 42 (after 4ms in state APIVERSION_QUERY)",
         PT_KAFKA_FAULT_SETTING, "-X ssl.key.location=FILE"},
        {"sasl_ssl://b:1/bootstrap: SASL authentication error: Authentication failed: Invalid "
         "username or password",
         PT_KAFKA_FAULT_SETTING, "sasl.password"},
        {"sasl_ssl://b:1/bootstrap: SASL SCRAM-SHA-256 mechanism handshake failed: Broker: "
         "Unsupported SASL mechanism: broker's supported mechanisms: PLAIN,OAUTHBEARER (after "
         "1ms in state AUTH_HANDSHAKE)",
         PT_KAFKA_FAULT_SETTING, "-X sasl.mechanism=PLAIN"},
        {"sasl_ssl://b:1/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request not "
         "valid in current SASL state: broker's supported mechanisms: ",
         PT_KAFKA_FAULT_SETTING, "-X security.protocol=SSL"},
        {"", PT_KAFKA_FAULT_NONE, ""},
        {"5 request(s) timed out: disconnect", PT_KAFKA_FAULT_NONE, ""},
        {"://", PT_KAFKA_FAULT_NONE, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char advice[PT_KAFKA_ADVICE];
        pt_kafka_fault fault = pt_kafka_advise(cases[i].text, advice, sizeof advice);
        if (fault != cases[i].fault || !strstr(advice, cases[i].settings)) {
            fail_msg("%s\n  -> %d, %s", cases[i].text, (int)fault, advice);
        }
        assert_true(fault != PT_KAFKA_FAULT_NONE || *advice == '\0');
    }
}

static void the_reason_is_without_times_and_guesses(void **state) {
    (void)state;
    char out[200];
    pt_kafka_plain_reason("b:1/1: Disconnected: connection closed by peer: receive 0 after POLLIN "
                          "(after 0ms in state UP, 3 identical error(s) suppressed)",
                          out, sizeof out);
    assert_string_equal(out, "b:1/1: Disconnected: connection closed by peer");
    pt_kafka_plain_reason("x: not valid in current SASL state: broker's supported mechanisms: ",
                          out, sizeof out);
    assert_string_equal(out, "x: not valid in current SASL state");
    pt_kafka_plain_reason("x: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN",
                          out, sizeof out);
    assert_string_equal(out, "x: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_known_text_has_its_fault_and_names_what_to_set),
        cmocka_unit_test(the_reason_is_without_times_and_guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
